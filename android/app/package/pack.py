"""Puts an APK together: entries in one fixed order and with one fixed time, so that the same inputs give the same bytes; uncompressed entries
aligned as Android maps them (4 bytes; native libraries 16 KB, the page of new phones).

Debian's zipalign knows pages of 4 KB only; the alignment is written as the extra field that zipalign and apksigner use and keep.
"""
import pathlib
import struct
import zipfile

PAGE = 16384
ALIGNMENT_FIELD = 0xD935
LIBRARIES = ("libjnidispatch.so", "libwallet_bindings.so")
# ELF class (32 or 64 bits) and machine by Android's name of it.
ABIS = {"arm64-v8a": (2, 183), "armeabi-v7a": (1, 40), "x86_64": (2, 62), "x86": (1, 3)}
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_NEEDED, DT_STRTAB = 0, 1, 5


class Refused(Exception):
    """What was given does not belong into an APK; the text says what and why."""


def elf(data):
    """(class, machine, alignments of the loaded segments, names of the libraries it needs) of an ELF file."""
    if data[:4] != b"\x7fELF" or len(data) < 64 or data[5] != 1:
        raise Refused("not a little-endian ELF file")
    wide = data[4] == 2
    machine, = struct.unpack_from("<H", data, 18)
    table, = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    loads, dynamic = [], None
    for at in range(table, table + size * count, size):
        if wide:
            kind, _, offset, address, _, length, _, align = struct.unpack_from("<IIQQQQQQ", data, at)
        else:
            kind, offset, address, _, length, _, _, align = struct.unpack_from("<8I", data, at)
        if kind == PT_LOAD:
            loads.append((address, offset, length, align))
        elif kind == PT_DYNAMIC:
            dynamic = offset, length
    tags = []
    if dynamic:
        form = "<qQ" if wide else "<iI"
        for at in range(dynamic[0], sum(dynamic), struct.calcsize(form)):
            tag, value = struct.unpack_from(form, data, at)
            if tag == DT_NULL:
                break
            tags.append((tag, value))
    strings = next((value for tag, value in tags if tag == DT_STRTAB), 0)
    home = next((offset + strings - address for address, offset, length, _ in loads if address <= strings < address + length), None)
    needed = []
    for tag, value in tags:
        if tag == DT_NEEDED and home is not None:
            needed.append(data[home + value:data.index(b"\0", home + value)].decode("ascii", "replace"))
    return data[4], machine, [align for *_, align in loads], needed


def check_library(abi, name, data):
    """Refuses what no phone of this ABI could load: another processor, a desktop's library, segments that 16 KB pages cannot map."""
    if abi not in ABIS:
        raise Refused(f"{abi} is no ABI of Android; it has {', '.join(ABIS)}")
    if name not in LIBRARIES:
        raise Refused(f"{abi}/{name}: only {' and '.join(LIBRARIES)} belong into the app")
    try:
        kind, machine, alignments, needed = elf(data)
    except (struct.error, IndexError, ValueError):
        raise Refused(f"{abi}/{name}: the ELF file is cut short") from None
    except Refused as why:
        raise Refused(f"{abi}/{name}: {why}") from None
    if (kind, machine) != ABIS[abi]:
        raise Refused(f"{abi}/{name}: built for another processor (ELF class {kind}, machine {machine})")
    desktop = [library for library in needed if ".so." in library]
    if desktop:
        raise Refused(f"{abi}/{name}: a desktop's library, it needs {', '.join(desktop)}; build it with an NDK")
    if kind == 2 and any(align % PAGE for align in alignments):
        raise Refused(f"{abi}/{name}: segments are not aligned to 16 KB pages; build it with NDK 28 or newer")


def libraries(folder, jna):
    """{"lib/<abi>/<name>": bytes}: the wallet's library per ABI out of `folder`, beside it JNA's own of that ABI out of JNA's AAR."""
    found = {}
    folders = sorted(pathlib.Path(folder).iterdir())
    if not folders:
        raise Refused(f"{folder} is empty: it should hold <abi>/libwallet_bindings.so")
    with zipfile.ZipFile(jna) as aar:
        for place in folders:
            if not place.is_dir() or [file.name for file in place.iterdir()] != ["libwallet_bindings.so"]:
                raise Refused(f"{place}: each folder is named after an ABI and holds libwallet_bindings.so alone")
            abi = place.name
            for name, data in (("libwallet_bindings.so", (place / "libwallet_bindings.so").read_bytes()),
                               ("libjnidispatch.so", aar.read(f"jni/{abi}/libjnidispatch.so") if abi in ABIS else b"")):
                check_library(abi, name, data)
                found[f"lib/{abi}/{name}"] = data
    return found


def write(target, resources, dexes, others):
    """Writes the unsigned APK `target`: what `resources` (aapt2's APK) holds, the dex files, `others` {name: bytes}."""
    entries = {}
    with zipfile.ZipFile(resources) as linked:
        for entry in linked.infolist():
            entries[entry.filename] = linked.read(entry), entry.compress_type == zipfile.ZIP_DEFLATED
    for dex in dexes:
        entries[dex.name] = dex.read_bytes(), True
    for name, data in others.items():
        entries[name] = data, not name.endswith(".so")
    first = {"AndroidManifest.xml": 0, "classes.dex": 1}
    with zipfile.ZipFile(target, "w") as out:
        for name in sorted(entries, key=lambda name: (first.get(name, 2), name)):
            data, packed = entries[name]
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            info.create_system = 0
            if not packed:
                unit = PAGE if name.endswith(".so") else 4
                start = out.fp.tell() + 30 + len(name.encode()) + 6
                pad = -start % unit
                info.extra = struct.pack("<HHH", ALIGNMENT_FIELD, 2 + pad, unit) + bytes(pad)
            out.writestr(info, data, compresslevel=9 if packed else None)


def offsets(apk):
    """{name: where its data starts} of the uncompressed entries of an APK, as Android maps them."""
    found = {}
    with open(apk, "rb") as raw, zipfile.ZipFile(apk) as archive:
        for entry in archive.infolist():
            if entry.compress_type == zipfile.ZIP_STORED:
                raw.seek(entry.header_offset + 26)
                name, extra = struct.unpack("<HH", raw.read(4))
                found[entry.filename] = entry.header_offset + 30 + name + extra
    return found
