"""What the phone's library weighs, and what weighs most in it.

    library_size.py LIBRARY MEBIBYTES     LIBRARY is linked with its symbols; ends with 1 when the stripped copy is larger than MEBIBYTES

Needs `nm` and `strip` of binutils. Parts are crates (by the path of each symbol); C code belongs to the archive it came from.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

# C code has no crate in its names: whose a symbol is, the archives say that the build scripts made.
ARCHIVES = {"sqlcipher": "SQLCipher (C)", "aws_lc": "aws-lc (C)"}


def c_symbols(library):
    """Symbol to part, out of the archives beside the library."""
    found = {}
    for archive in sorted(pathlib.Path(library).parent.glob("build/*/out/**/*.a")):
        part = next((part for word, part in ARCHIVES.items() if word in archive.name), f"{archive.stem} (C)")
        listed = subprocess.run(["nm", "--defined-only", archive], capture_output=True, text=True, check=False).stdout
        found.update((line.split()[-1], part) for line in listed.splitlines() if len(line.split()) == 3)
    return found


def part_of(name, archived):
    # Demangled Rust: `crate::module::item`, `<crate::Type as other::Trait>::item`.
    found = re.match(r"^[<&\[(*]*(?:mut |const |dyn )*_?([a-z0-9_]+)::", name)
    if found:
        crate = found.group(1)
        return "Rust's own library" if crate in ("core", "alloc", "std", "hashbrown", "gimli", "addr2line", "rustc_demangle", "miniz_oxide", "compiler_builtins") else crate
    if name in archived:
        return archived[name]
    return "uniffi's border" if "uniffi" in name else "other C and data"


def main(library, most):
    sizes = collections.Counter()
    archived = c_symbols(library)
    listed = subprocess.run(["nm", "--demangle=rust", "--print-size", "--defined-only", library], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        columns = line.split(maxsplit=3)
        if len(columns) == 4 and columns[2].lower() in "trdbv":
            sizes[part_of(columns[3], archived)] += 0 if columns[2].lower() == "b" else int(columns[1], 16)
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder, "stripped.so")
        subprocess.run(["strip", "--strip-all", "-o", stripped, library], check=True)
        weight = stripped.stat().st_size
    print(f"libwallet_bindings.so (x86-64, profile `mobile`, stripped): {weight} bytes, {weight / 2**20:.2f} MiB; at most {most} MiB: {'holds' if weight <= most * 2**20 else '**does not hold**'}\n")
    print("| part | KiB of code and data with a name |\n| --- | --- |")
    for part, size in sizes.most_common(10):
        print(f"| {part} | {size / 1024:.0f} |")
    print(f"| all others | {(sum(sizes.values()) - sum(size for _, size in sizes.most_common(10))) / 1024:.0f} |")
    return 0 if weight <= most * 2**20 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
