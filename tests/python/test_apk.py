"""The signed APK that Maven made: what it asks for, what it opens, what is inside, who signed it. And the packer, with libraries made up here.

WALLET_APK names the APK (android/test sets it), WALLET_JNA_AAR JNA's AAR. Only Python's own library and the tools of android/setup.sh.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "android/app/package"))
import pack  # noqa: E402
from resources import KNOWN_NOISE  # noqa: E402

APK = pathlib.Path(os.environ["WALLET_APK"]) if os.environ.get("WALLET_APK") else None
AAR = os.environ.get("WALLET_JNA_AAR")
README = (ROOT / "android/README.md").read_text(encoding="utf-8")
MAIN = "vn.citizenwallet.app.MainActivity"


def tool(*command):
    """A tool's output; its failure is the test's."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return "\n".join(line for line in done.stdout.splitlines() if not any(noise in line for noise in KNOWN_NOISE))


def table(heading):
    """The rows of the first table after a heading or words of the README, as lists of cells."""
    lines = README[README.index(heading):].splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| ---"))
    rows = []
    for line in lines[start + 1:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def elements(tree):
    """[(depth, name, {attribute: value})] of what `aapt2 dump xmltree` prints."""
    found = []
    for line in tree.splitlines():
        depth = len(line) - len(line.lstrip())
        if match := re.match(r"\s*E: (\S+)", line):
            found.append((depth, match[1], {}))
        elif match := re.match(r"\s*A: (?:\S+:)?(\w+)(?:\(0x[0-9a-f]+\))?=(.*)", line):
            value = match[2]
            text = re.match(r'"(.*)" \(Raw: ', value)
            found[-1][2][match[1]] = text[1] if text else value
    return found


@unittest.skipUnless(APK, "WALLET_APK names no APK (android/test makes one)")
class TheApk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.badging = tool("aapt2", "dump", "badging", APK)
        cls.manifest = elements(tool("aapt2", "dump", "xmltree", "--file", "AndroidManifest.xml", APK))
        with zipfile.ZipFile(APK) as archive:
            cls.names = archive.namelist()
            cls.dex = b"".join(archive.read(name) for name in cls.names if name.endswith(".dex"))

    def one(self, name):
        found = [attributes for _, element, attributes in self.manifest if element == name]
        self.assertEqual(len(found), 1, name)
        return found[0]

    def test_names_and_versions(self):
        self.assertRegex(self.badging, r"package: name='vn\.citizenwallet\.app' versionCode='\d+' versionName='\d+\.\d+\.\d+'")
        self.assertIn("sdkVersion:'26'", self.badging)
        self.assertIn("targetSdkVersion:'34'", self.badging)
        self.assertIn(f"launchable-activity: name='{MAIN}'", self.badging)

    def test_every_permission_has_its_use_in_the_readme_and_nothing_else_is_asked(self):
        asked = set(re.findall(r"uses-permission(?:-sdk-23)?: name='([^']+)'", self.badging))
        rows = table("## What the app may do")
        self.assertEqual(asked, {row[0] for row in rows})
        for permission, use, place in rows:
            self.assertGreater(len(use), 20, permission)
            self.assertTrue((ROOT / "android" / place).is_file(), f"{permission}: {place}")
        self.assertNotIn("permission", {name for _, name, _ in self.manifest}, "the app defines a permission of its own")

    def test_only_the_launchers_activity_can_be_reached(self):
        components = [(name, attributes) for _, name, attributes in self.manifest
                      if name in ("activity", "activity-alias", "service", "receiver", "provider")]
        reachable = {attributes["name"] for _, attributes in components if attributes.get("exported") != "false"}
        self.assertEqual(reachable, {MAIN})
        self.assertEqual(reachable, {row[0] for row in table("Components that other apps can reach")})
        actions = {attributes["name"] for _, name, attributes in self.manifest if name == "action"}
        self.assertEqual(actions, {"android.intent.action.MAIN"})
        self.assertNotIn("data", {name for _, name, _ in self.manifest}, "a deep link")

    def test_nothing_is_backed_up(self):
        application = self.one("application")
        self.assertEqual(application["allowBackup"], "false")
        everything = {"root", "file", "database", "sharedpref", "external"}
        old = elements(tool("aapt2", "dump", "xmltree", "--file", "res/xml/backup_rules.xml", APK))
        self.assertEqual({a["domain"] for _, name, a in old if name == "exclude" and a["path"] == "."}, everything)
        new = elements(tool("aapt2", "dump", "xmltree", "--file", "res/xml/data_extraction_rules.xml", APK))
        everything |= {f"device_{domain}" for domain in everything - {"external"}}
        for part in ("cloud-backup", "device-transfer"):
            begins = [name for _, name, _ in new].index(part)
            inside = []
            for depth, name, attributes in new[begins + 1:]:
                if depth <= new[begins][0]:
                    break
                inside.append((name, attributes["domain"], attributes["path"]))
            self.assertEqual(set(inside), {("exclude", domain, ".") for domain in everything}, part)
        self.assertFalse([name for _, name, _ in old + new if name == "include"])
        named = tool("aapt2", "dump", "resources", APK)
        for attribute, file in (("fullBackupContent", "xml/backup_rules"), ("dataExtractionRules", "xml/data_extraction_rules"),
                                ("networkSecurityConfig", "xml/network_security_config")):
            self.assertIn(f"resource {application[attribute].lstrip('@')} {file}", named)

    def test_no_plain_http_and_nothing_to_debug(self):
        application = self.one("application")
        self.assertEqual(application["usesCleartextTraffic"], "false")
        self.assertNotIn(application.get("debuggable", "false"), ("true", "0xffffffff"))
        self.assertNotIn("application-debuggable", self.badging)
        self.assertNotIn("testOnly", application)
        rules = elements(tool("aapt2", "dump", "xmltree", "--file", "res/xml/network_security_config.xml", APK))
        self.assertEqual([a.get("cleartextTrafficPermitted") for _, name, a in rules if name == "base-config"], ["false"])
        self.assertEqual([a["src"] for _, name, a in rules if name == "certificates"], ["system"])
        self.assertFalse({name for _, name, _ in rules} & {"domain-config", "debug-overrides"})

    def test_no_hardware_is_demanded(self):
        demanded = re.findall(r"^\s*uses-(?:implied-)?feature: name='([^']+)'", self.badging, re.M)
        self.assertEqual([name for name in demanded if name != "android.hardware.faketouch"], [])
        for name in ("nfc", "camera", "camera.autofocus"):
            self.assertIn(f"uses-feature-not-required: name='android.hardware.{name}'", self.badging)

    def test_both_languages(self):
        self.assertEqual(set(re.findall(r"'([^']*)'", re.search(r"^locales:(.*)$", self.badging, re.M)[1])), {"--_--", "vi", "en"})
        self.assertIn("application-label-vi:'Ví công dân'", self.badging)
        self.assertIn("application-label-en:'Citizen Wallet'", self.badging)
        res = ROOT / "android/app/src/main/res"
        texts = {language: set(re.findall(r'<string name="([^"]+)"', (res / language / "strings.xml").read_text(encoding="utf-8")))
                 for language in ("values", "values-vi", "values-en")}
        self.assertEqual(texts["values"], texts["values-vi"])
        self.assertEqual((res / "values/strings.xml").read_text(encoding="utf-8"), (res / "values-en/strings.xml").read_text(encoding="utf-8"))

    def test_what_jna_looks_up_by_name_is_in_the_dex(self):
        for name in ("Lcom/sun/jna/Native;", "Lcom/sun/jna/Pointer;", "Lcom/sun/jna/Structure$FieldOrder;", "Lcom/sun/jna/CallbackReference;",
                     "Lvn/citizenwallet/core/RustBuffer;", "Lvn/citizenwallet/core/RustBuffer$ByValue;", "Lvn/citizenwallet/core/UniffiRustCallStatus;",
                     "uniffi_wallet_bindings_fn_func_library_version", "ffi_wallet_bindings_rustbuffer_alloc", "wallet_bindings",
                     "UniffiVTableCallbackInterfaceKeyStorePort", "UniffiVTableCallbackInterfaceCardChannelPort", "UniffiRustFutureContinuationCallback",
                     f"L{MAIN.replace('.', '/')};"):
            self.assertIn(name.encode(), self.dex, name)
        # It was shrunk and renamed: the mapping says what became of the rest.
        mapping = (APK.parent / "mapping.txt").read_text(encoding="utf-8")
        self.assertGreater(len(re.findall(r"^vn\.citizenwallet\.\S+ -> [A-Za-z0-9.]{1,8}:$", mapping, re.M)), 10)

    def test_nothing_of_the_tests_or_of_a_desktop_is_inside(self):
        for name in self.names:
            self.assertRegex(name, r"^(AndroidManifest\.xml|classes\d*\.dex|resources\.arsc|res/[\w./-]+\.xml|META-INF/services/[\w.]+"
                                   r"|lib/(arm64-v8a|armeabi-v7a|x86_64|x86)/(libwallet_bindings|libjnidispatch)\.so)$")
        for word in (b"robolectric", b"Lorg/junit", b"citizenwallet/testing", b"allow-software-keys", b"SoftwareKey", b"SoftwarePorts", b"chip sim"):
            self.assertNotIn(word, self.dex)

    def test_signed_by_schemes_2_and_3(self):
        words = tool("apksigner", "verify", "--verbose", "--print-certs", APK)
        self.assertIn("Verified using v2 scheme (APK Signature Scheme v2): true", words)
        self.assertIn("Verified using v3 scheme (APK Signature Scheme v3): true", words)
        self.assertIn("Number of signers: 1", words)
        tool("zipalign", "-c", "-p", "4", APK)

    def test_one_changed_byte_breaks_the_signature(self):
        with tempfile.TemporaryDirectory() as folder:
            changed = pathlib.Path(folder) / "changed.apk"
            data = bytearray(APK.read_bytes())
            with zipfile.ZipFile(APK) as archive:
                data[archive.getinfo("classes.dex").header_offset + 100] ^= 1
            changed.write_bytes(data)
            done = subprocess.run(["apksigner", "verify", changed], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
            self.assertNotEqual(done.returncode, 0)

    def test_native_code_is_what_the_readme_says(self):
        carried = {name.split("/")[1] for name in self.names if name.startswith("lib/")}
        told = {row[0].split(",")[0]: row[1] for row in table("| ABI | in the APK |")}
        for abi in ("arm64-v8a", "armeabi-v7a", "x86_64"):
            self.assertTrue(told[abi].startswith("yes" if abi in carried else "no"), abi)


def library(kind=2, machine=183, align=pack.PAGE, needed="libc.so"):
    """A small ELF library: one segment, one library that it needs."""
    names = b"\0" + needed.encode() + b"\0"
    wide = kind == 2
    head, size = (64, 56) if wide else (52, 32)
    strings = head + 2 * size
    dynamic = strings + len(names)
    tags = struct.pack("<6q" if wide else "<6i", 5, strings, 1, 1, 0, 0)
    total = dynamic + len(tags)
    out = b"\x7fELF" + bytes([kind, 1, 1]) + bytes(9)
    if wide:
        out += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, head, 0, 0, head, size, 2, 0, 0, 0)
        out += struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, total, total, align) + struct.pack("<IIQQQQQQ", 2, 6, dynamic, dynamic, 0, len(tags), len(tags), 8)
    else:
        out += struct.pack("<HHIIIIIHHHHHH", 3, machine, 1, 0, head, 0, 0, head, size, 2, 0, 0, 0)
        out += struct.pack("<8I", 1, 0, 0, 0, total, total, 5, align) + struct.pack("<8I", 2, dynamic, dynamic, 0, len(tags), len(tags), 6, 4)
    return out + names + tags


class ThePacker(unittest.TestCase):
    def refused(self, abi, name, data, why):
        with self.assertRaisesRegex(pack.Refused, why):
            pack.check_library(abi, name, data)

    def test_bad_input_a_library_no_phone_could_load_is_refused_by_name(self):
        wallet = "libwallet_bindings.so"
        for abi, (kind, machine) in pack.ABIS.items():
            pack.check_library(abi, wallet, library(kind, machine))
        pack.check_library("armeabi-v7a", wallet, library(1, 40, 4096))
        self.refused("arm64-v8a", wallet, library(2, 62), "another processor")
        self.refused("armeabi-v7a", wallet, library(2, 183), "another processor")
        self.refused("arm64-v8a", wallet, library(align=4096), "16 KB pages")
        self.refused("x86_64", wallet, library(2, 62, needed="libc.so.6"), "a desktop's library, it needs libc.so.6")
        self.refused("arm64-v8a", wallet, b"PK\3\4" * 40, "not a little-endian ELF")
        self.refused("arm64-v8a", wallet, library()[:80], "cut short|another processor|16 KB")
        self.refused("arm64-v8a", "libother.so", library(), "belong into the app")
        self.refused("mips", wallet, library(), "no ABI of Android")

    def test_the_library_of_this_machine_is_a_desktops(self):
        ours = os.environ.get("WALLET_LIBRARY")
        if not ours:
            self.skipTest("WALLET_LIBRARY names no library")
        self.refused("x86_64", "libwallet_bindings.so", pathlib.Path(ours).read_bytes(), "desktop's library")

    @unittest.skipUnless(AAR and shutil.which("apksigner"), "WALLET_JNA_AAR names no AAR, or no apksigner")
    def test_libraries_lie_on_16_kb_pages_and_stay_there_when_signed(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for abi in ("arm64-v8a", "armeabi-v7a"):
                place = folder / "jniLibs" / abi
                place.mkdir(parents=True)
                (place / "libwallet_bindings.so").write_bytes(library(*pack.ABIS[abi]) + bytes(5000))
            libraries = pack.libraries(folder / "jniLibs", AAR)
            self.assertEqual(len(libraries), 4)
            with zipfile.ZipFile(folder / "resources.apk", "w") as resources:
                with zipfile.ZipFile(APK) if APK else zipfile.ZipFile(AAR) as source:
                    resources.writestr("AndroidManifest.xml", source.read("AndroidManifest.xml"))
                resources.writestr("resources.arsc", b"x" * 77)
            dex = folder / "classes.dex"
            dex.write_bytes(b"dex\n035\0" + bytes(3000))
            for name in ("one.apk", "two.apk"):
                pack.write(folder / name, folder / "resources.apk", [dex], libraries)
            self.assertEqual((folder / "one.apk").read_bytes(), (folder / "two.apk").read_bytes(), "the same inputs give the same bytes")
            key = folder / "key"
            tool("keytool", "-genkeypair", "-keystore", key, "-storetype", "PKCS12", "-storepass", "android", "-alias", "a", "-keyalg", "EC",
                 "-groupname", "secp256r1", "-dname", "CN=test")
            tool("apksigner", "sign", "--ks", key, "--ks-pass", "pass:android", "--min-sdk-version", "26", "--in", folder / "one.apk", "--out", folder / "signed.apk")
            for apk in (folder / "one.apk", folder / "signed.apk"):
                starts = pack.offsets(apk)
                self.assertEqual({name for name in starts if name.endswith(".so")}, set(libraries))
                for name, start in starts.items():
                    self.assertEqual(start % (pack.PAGE if name.endswith(".so") else 4), 0, f"{apk.name}: {name}")
            tool("zipalign", "-c", "-p", "4", folder / "signed.apk")

    def test_bad_input_a_folder_with_something_else_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            with zipfile.ZipFile(folder / "jna.aar", "w"):
                pass
            (folder / "empty").mkdir()
            with self.assertRaisesRegex(pack.Refused, "is empty"):
                pack.libraries(folder / "empty", folder / "jna.aar")
            (folder / "odd/arm64-v8a").mkdir(parents=True)
            (folder / "odd/arm64-v8a/libc++_shared.so").write_bytes(library())
            with self.assertRaisesRegex(pack.Refused, "libwallet_bindings.so alone"):
                pack.libraries(folder / "odd", folder / "jna.aar")


if __name__ == "__main__":
    unittest.main()
