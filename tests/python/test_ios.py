"""What can be known of the iOS package without a Mac and without a Swift compiler.

Every Swift file parses; every use of the generated surface agrees with `bindings/api.txt` (tests/ios/swift_check.py); plists and texts are whole in
both languages; every key of the catalogue exists; what only Apple has stays behind `#if canImport`; screens are labelled and grow with the reader.
"""

import json
import os
import pathlib
import plistlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
IOS = ROOT / "ios"
sys.path.insert(0, str(ROOT / "tests" / "ios"))

import surface as exported  # noqa: E402
import swift_check as swift  # noqa: E402

FILES = sorted(
    path for path in IOS.rglob("*.swift") if not {"Generated", ".build", ".swiftpm"} & set(path.relative_to(IOS).parts)
)
APPLE_ONLY = {
    "AVFoundation", "Combine", "CoreNFC", "CryptoKit", "Darwin", "DeviceCheck", "LocalAuthentication", "PhotosUI", "Security", "SwiftUI", "UIKit",
    "UniformTypeIdentifiers", "os",
}
KEYS = re.compile(r'"((?:app|document|field|fact|group|label|outcome|problem|purpose|verdict|warning|value)\.[a-z][a-z0-9.-]*)"')


def relative(path):
    return str(path.relative_to(ROOT))


def api():
    return exported.Surface((ROOT / "bindings" / "api.txt").read_text())


def sources():
    return {path: path.read_text() for path in FILES}


TEN_LINES, NEW_ACCOUNT = "ten lines", "a new account"


def readme_lines(marker):
    """The Swift of ios/README.md after a marker: part of a function's body."""
    code = re.search(rf"<!-- {marker} -->\n```swift\n(.*?)```\n<!-- end -->", (IOS / "README.md").read_text(), re.S)
    assert code, f"ios/README.md has no Swift marked \"{marker}\""
    return code[1].splitlines()


def in_order(lines, among):
    """The first of the lines that does not come after its predecessor; None when all do."""
    rest = iter(among)
    return next((line for line in lines if line not in rest), None)


def readme_source():
    lines = [*readme_lines(TEN_LINES), *readme_lines(NEW_ACCOUNT)]
    imports = [line for line in lines if line.startswith("import ")]
    rest = [line for line in lines if not line.startswith("import ")]
    return "\n".join([*imports, "func tenLines() async throws {", *rest, "}"])


def check(name, source, surface=None, more=()):
    surface = surface or api()
    trees = [swift.parse(text) for text in [*sources().values(), *more]]
    found = swift.Check(name, source, surface, swift.Own(trees))
    return found.run(), found.seen


class SwiftParses(unittest.TestCase):
    def test_every_file_parses(self):
        self.assertGreater(len(FILES), 30)
        for path, source in sources().items():
            with self.subTest(relative(path)):
                self.assertEqual(swift.errors(swift.parse(source)), [])

    def test_a_broken_file_does_not(self):
        self.assertTrue(swift.errors(swift.parse("func f( { let x = }")))

    def test_the_ten_lines_of_the_readme_parse_and_are_ten(self):
        self.assertEqual(swift.errors(swift.parse(readme_source())), [])
        self.assertLessEqual(len([line for line in readme_lines(TEN_LINES) if line.strip()]), 10)

    def test_the_lines_of_the_readme_are_compiled_by_the_swift_tests(self):
        """All but the imports and the phone's own ports stand in ReadmeTests.swift, which `swift test` compiles and runs."""
        compiled = (IOS / "Tests" / "CitizenWalletTests" / "ReadmeTests.swift").read_text()
        compiled = [line.strip() for line in compiled.splitlines()]
        for marker in [TEN_LINES, NEW_ACCOUNT]:
            shown = [line.strip() for line in readme_lines(marker) if not line.startswith("import ") and "AppleDevice" not in line]
            with self.subTest(marker):
                self.assertIsNone(in_order(shown, compiled))
                self.assertIsNotNone(in_order(shown[::-1], compiled))

    def test_files_are_of_a_size_and_documented(self):
        for path, source in sources().items():
            with self.subTest(relative(path)):
                self.assertLess(source.count("\n"), 600)
        for path in FILES:
            if "Sources" not in path.parts:
                continue
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                if re.match(r"\s*public (?!extension)", line) and not re.match(r"\s*public (override )?func (captureOutput|photoOutput)", line):
                    above = number - 1
                    while above >= 0 and lines[above].strip().startswith("@"):
                        above -= 1
                    with self.subTest(f"{relative(path)}:{number + 1}"):
                        self.assertTrue(lines[above].strip().startswith("///"), line.strip())


class SurfaceIsUsedRightly(unittest.TestCase):
    def test_every_use_of_the_surface_exists(self):
        surface, own = api(), swift.Own([swift.parse(text) for text in sources().values()])
        seen = 0
        for path, source in sources().items():
            file = swift.Check(relative(path), source, surface, own)
            with self.subTest(relative(path)):
                self.assertEqual(file.run(), [])
            seen += file.seen
        print(f"\nios: {seen} uses of the exported surface in {len(FILES)} Swift files agree with bindings/api.txt")
        self.assertGreater(seen, 150)

    def test_the_ten_lines_of_the_readme_agree(self):
        found, seen = check("ios/README.md", readme_source())
        self.assertEqual(found, [])
        self.assertGreaterEqual(seen, 11)

    def test_a_changed_surface_is_noticed(self):
        """Every kind of change of api.txt that Swift would not compile with shows up."""
        text = (ROOT / "bindings" / "api.txt").read_text()
        changes = {
            "a label of a method": ("Wallet.submit_code(code: String", "Wallet.submit_code(digits: String"),
            "a label of a function": ("fn word(key: String", "fn word(name: String"),
            "a label of a constructor": ("Wallet.open(config: WalletConfig", "Wallet.open(configuration: WalletConfig"),
            "a method's name": ("Wallet.obtain_documents(", "Wallet.fetch_documents("),
            "a new argument": ("Wallet.document(id: String)", "Wallet.document(id: String, language: String)"),
            "a field of a record that is read": ("CardReport { verdict:", "CardReport { judgement:"),
            "a field of a record that is made": ("service_url: String", "address: String"),
            "a variant that is matched": ("OpenNfcSettings, ", "OpenRadioSettings, "),
            "a variant with fields": ("Can { can: String }", "Can { digits: String }"),
            "a variant of an error": ("NotAuthorised, Unsupported", "NotAuthorised, NotSupported"),
            "a method of a port": ("port fn ClockPort.boot_id()", "port fn ClockPort.start_id()"),
            "a label of a port": ("DeviceSealerPort.seal(purpose:", "DeviceSealerPort.seal(use:"),
            "a function that throws now": ("fn library_version() -> String", "fn library_version() -> String throws WalletError"),
            "a function that is async now": ("\nfn word(", "\nasync fn word("),
            "a new variant of what a switch names": ("enum WalletState { New,", "enum WalletState { New, Frozen,"),
        }
        for what, (before, after) in changes.items():
            with self.subTest(what):
                self.assertIn(before, text)
                surface = exported.Surface(text.replace(before, after))
                own = swift.Own([swift.parse(source) for source in sources().values()])
                found = [line for path, source in sources().items() for line in swift.Check(relative(path), source, surface, own).run()]
                self.assertTrue(found, f"{what}: nobody noticed")

    def test_a_changed_call_is_noticed(self):
        path = IOS / "Sources" / "CitizenWallet" / "ActivationFlow.swift"
        source = path.read_text()
        changes = {
            "label": ("submitCode(code: code, cancel: handle)", "submitCode(digits: code, cancel: handle)"),
            "await": ("try await wallet.activation() }", "try wallet.activation() }"),
            "try": ("try await wallet.requestCode(", "await wallet.requestCode("),
            "name": ("wallet.completeActivation(", "wallet.finishActivation("),
            "field": ("following.next == current.next", "following.after == current.next"),
        }
        for what, (before, after) in changes.items():
            with self.subTest(what):
                self.assertIn(before, source)
                found, _ = check("changed", source.replace(before, after))
                self.assertTrue(found, f"{what}: nobody noticed")


@unittest.skipUnless(os.environ.get("WALLET_SWIFT"), "WALLET_SWIFT names no folder with generated Swift")
class GeneratedSwiftIsTheSurface(unittest.TestCase):
    """What UniFFI really wrote for Swift says the same as `api.txt` read by our rules of naming."""

    def test_generated_swift_has_the_names_and_labels_of_api_txt(self):
        text = (pathlib.Path(os.environ["WALLET_SWIFT"]) / "CitizenWalletCore.swift").read_text()
        text = re.sub(r"/\*\*.*?\*/", "", text, flags=re.S)
        surface = api()
        for name, act in surface.functions.items():
            with self.subTest(name):
                self._has(text, rf"public func {name}", act)
        counted = len(surface.functions)
        for kind in surface.kinds.values():
            body = self._body(text, kind)
            for name, act in kind.methods.items():
                with self.subTest(f"{kind.name}.{name}"):
                    self._has(body, rf"func {name}", act)
            for name, act in kind.statics.items():
                with self.subTest(f"{kind.name}.{name}"):
                    self._has(body, rf"static func `?{name}`?", act)
            for name, labels in kind.cases.items():
                with self.subTest(f"{kind.name}.{name}"):
                    found = re.search(rf"case {name}(?:\(([^)]*)\))?\s", body)
                    self.assertTrue(found, "no such case")
                    self.assertEqual(tuple(re.findall(r"(\w+):", found[1] or "")), labels)
            if kind.sort == "record":
                found = re.search(r"public init\(([^)]*)\)", body)
                with self.subTest(kind.name):
                    self.assertEqual(tuple(re.findall(r"(\w+):", found[1])), kind.inits[0].labels)
            counted += len(kind.methods) + len(kind.statics) + len(kind.cases) + len(kind.inits)
        self.assertGreater(counted, 150)

    def _body(self, text, kind):
        word = {"object": "class", "port": "protocol", "record": "struct"}.get(kind.sort, "enum")
        start = re.search(rf"^(?:public |open )*\s*{word} {kind.name}\b", text, re.M)
        self.assertTrue(start, f"no {word} {kind.name}")
        # Braces stand anywhere in generated classes: a type ends where the next one begins.
        rest = text[start.end() :]
        end = re.search(r"^(?:open class|public (?:struct|protocol|enum)|extension )", rest, re.M)
        return rest[: end.start()] if end else rest

    def _has(self, text, head, act):
        found = re.search(head + r"\(([^)]*)\)\s*(async\s+)?(throws)?", text)
        self.assertTrue(found, "no such function")
        self.assertEqual(tuple(re.findall(r"(\w+):", found[1])), act.labels)
        self.assertEqual((bool(found[2]), bool(found[3])), (act.is_async, act.throws))


class OnlyAppleHasIt(unittest.TestCase):
    def test_apple_modules_are_imported_behind_can_import(self):
        for path, source in sources().items():
            depth = []
            for number, line in enumerate(source.splitlines(), 1):
                stripped = line.strip()
                if stripped.startswith("#if"):
                    depth.append(stripped)
                elif stripped.startswith(("#elseif", "#else")):
                    depth[-1] = stripped
                elif stripped.startswith("#endif"):
                    depth.pop()
                elif found := re.match(r"(?:@\w+ )?import (\w+)", stripped):
                    if found[1] in APPLE_ONLY:
                        with self.subTest(f"{relative(path)}:{number}"):
                            self.assertTrue(any(f"canImport({found[1]})" in guard or "canImport(Darwin)" in guard for guard in depth), stripped)
            with self.subTest(relative(path)):
                self.assertEqual(depth, [])

    def test_nothing_personal_is_written_out(self):
        for path, source in sources().items():
            if "Tests" in path.parts:
                continue
            with self.subTest(relative(path)):
                self.assertNotRegex(source, r"\b(print|debugPrint|dump|NSLog)\(")
                self.assertNotIn("UIPasteboard", source)
                self.assertNotIn("UNUserNotificationCenter", source)
                self.assertNotIn("@SceneStorage", source)
                self.assertNotIn("@AppStorage", source)


class Availability(unittest.TestCase):
    # What came after iOS 15 and is easily taken for older. `#available` guards the one use of something newer.
    NEWER = re.compile(
        r"\b(?:NavigationStack|NavigationSplitView|NavigationPath|navigationDestination|presentationDetents|scrollDismissesKeyboard|scrollContentBackground"
        r"|ContentUnavailableView|ShareLink|PhotosPicker|LabeledContent|GridRow|ViewThatFits|AnyLayout|ImageRenderer|sensoryFeedback|containerRelativeFrame"
        r"|scrollTargetLayout|topBarLeading|topBarTrailing|fileDialogMessage|SuspendingClock|ContinuousClock|withDiscardingTaskGroup|firstMatch\(of:|wholeMatch)\b"
        r"|@Observable\b|@Bindable\b|#Preview|Task\.sleep\((?:for|until):|\.appending\(path|\.appending\(component|URL\.\w+Directory\b|filePath:"
        r"|\.onChange\(of: [^)]*\) \{ *(?:_|\w+), *(?:_|\w+) in"
    )

    def test_nothing_newer_than_ios_15_is_used(self):
        for path, source in sources().items():
            for number, line in enumerate(source.splitlines(), 1):
                with self.subTest(f"{relative(path)}:{number}"):
                    self.assertNotRegex(line, self.NEWER)
                    if re.search(r"= \.pace\b", line):
                        self.assertIn("#available(iOS 16.0, *)", line)
        for newer in ("NavigationStack { first }", "try await Task.sleep(for: .seconds(1))", ".onChange(of: phase) { was, now in"):
            self.assertRegex(newer, self.NEWER)
        manifest = (IOS / "Package.swift").read_text()
        self.assertIn(".iOS(.v15)", manifest)
        # Tools version 5.9 keeps a Swift 6 compiler in language mode 5.
        self.assertTrue(manifest.startswith("// swift-tools-version:5.9"))


class Words(unittest.TestCase):
    def test_every_key_exists_in_both_languages(self):
        folder = ROOT / "core" / "middle" / "documents" / "catalogues"
        catalogues = {
            language: json.loads((folder / f"{language}.json").read_text()) | json.loads((folder / f"app.{language}.json").read_text())
            for language in ("vi", "en")
        }
        used = {}
        for path, source in sources().items():
            if "Tests" in path.parts:
                continue
            for found in KEYS.finditer(source):
                # What ends in a point is put together with an id; the core has the rest.
                if not found[1].endswith("."):
                    used.setdefault(found[1], relative(path))
        self.assertGreater(len(used), 60)
        for language, catalogue in catalogues.items():
            missing = sorted(f"{key} ({where})" for key, where in used.items() if not catalogue.get(key))
            self.assertEqual(missing, [], language)
        for code in ("vi", "en"):
            self.assertIn(f"app.language.{code}", catalogues["vi"])

    def test_there_are_no_words_in_the_screens(self):
        """Whatever a person reads comes through the catalogue: no sentence stands in a Text, Button, label or title."""
        for path in (IOS / "Sources" / "CitizenWalletUI").glob("*.swift"):
            for found in re.finditer(r'(?:Text|Button|Label|Toggle|Picker|TextField|Row|WideButton|Page|accessibilityLabel)\("([^"\\]*)"', path.read_text()):
                with self.subTest(path.name):
                    self.assertNotRegex(found[1], r"[A-Za-zÀ-ỹ]{2,}")


class Resources(unittest.TestCase):
    USAGE = ("NFCReaderUsageDescription", "NSCameraUsageDescription", "NSFaceIDUsageDescription")

    def plist(self, name):
        with open(IOS / "App" / name, "rb") as file:
            return plistlib.load(file)

    def strings(self, language):
        text = (IOS / "App" / f"{language}.lproj" / "InfoPlist.strings").read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        found = dict(re.findall(r'"([^"]+)" = "([^"]+)";', text))
        self.assertEqual(len(found), text.count(";"), "a line of InfoPlist.strings is not `\"key\" = \"text\";`")
        return found

    def test_info_says_why_in_both_languages(self):
        info = self.plist("Info.plist")
        self.assertEqual(info["CFBundleDevelopmentRegion"], "vi")
        self.assertEqual(set(info["CFBundleLocalizations"]), {"vi", "en"})
        self.assertFalse(info["UIFileSharingEnabled"])
        vi, en = self.strings("vi"), self.strings("en")
        self.assertEqual(set(vi), set(en))
        for key in (*self.USAGE, "CFBundleDisplayName"):
            self.assertEqual(info[key], vi[key])
            self.assertNotEqual(vi[key], en[key])
        for key in self.USAGE:
            self.assertRegex(vi[key], r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
        # Every permission that is asked for has its text, and none is asked for beyond them.
        self.assertEqual({key for key in info if key.endswith("UsageDescription")}, set(self.USAGE))

    def test_nfc_names_the_application_of_the_card(self):
        identifiers = self.plist("Info.plist")["com.apple.developer.nfc.readersession.iso7816.select-identifiers"]
        # ICAO 9303-10, 3.6.1: the eMRTD application.
        self.assertIn("A0000002471001", identifiers)
        for identifier in identifiers:
            self.assertRegex(identifier, r"^[0-9A-F]{10,32}$")
        entitlements = self.plist("CitizenWallet.entitlements")
        self.assertEqual(entitlements["com.apple.developer.nfc.readersession.formats"], ["TAG", "PACE"])
        self.assertEqual(entitlements["keychain-access-groups"], ["$(AppIdentifierPrefix)$(PRODUCT_BUNDLE_IDENTIFIER)"])

    def test_the_privacy_manifest_names_what_is_used(self):
        manifest = self.plist("PrivacyInfo.xcprivacy")
        self.assertFalse(manifest["NSPrivacyTracking"])
        self.assertEqual(manifest["NSPrivacyTrackingDomains"], [])
        reasons = {entry["NSPrivacyAccessedAPIType"].removeprefix("NSPrivacyAccessedAPICategory") for entry in manifest["NSPrivacyAccessedAPITypes"]}
        used = "\n".join(source for path, source in sources().items() if "Tests" not in path.parts)
        self.assertEqual("UserDefaults" in reasons, "UserDefaults" in used)
        self.assertEqual("SystemBootTime" in reasons, "CLOCK_MONOTONIC" in used)
        # The stores of the core look at files.
        self.assertIn("FileTimestamp", reasons)

    def test_the_xcode_project_holds_together(self):
        project = plistlib.loads((IOS / "App" / "CitizenWallet.xcodeproj" / "project.pbxproj").read_bytes())
        objects = project["objects"]
        self.assertIn(project["rootObject"], objects)

        def named(value):
            if isinstance(value, dict):
                return [found for part in value.values() for found in named(part)]
            if isinstance(value, list):
                return [found for part in value for found in named(part)]
            return [value] if isinstance(value, str) and re.fullmatch(r"C17E[0-9A-F]{20}", value) else []

        self.assertEqual({found for value in objects.values() for found in named(value)} - set(objects), set())
        for name, item in objects.items():
            if item["isa"] == "PBXFileReference" and item.get("sourceTree") == "<group>" and "path" in item:
                with self.subTest(name):
                    where = IOS / "App" / item["path"]
                    self.assertTrue(where.exists(), where)
        products = {item["productName"] for item in objects.values() if item["isa"] == "XCSwiftPackageProductDependency"}
        manifest = (IOS / "Package.swift").read_text()
        for product in products:
            self.assertIn(f'.library(name: "{product}"', manifest)
        for item in objects.values():
            if item["isa"] == "PBXNativeTarget":
                self.assertNotIn(item["name"], products)
        built = [item["buildSettings"] for item in objects.values() if item["isa"] == "XCBuildConfiguration"]
        app = [settings for settings in built if "PRODUCT_BUNDLE_IDENTIFIER" in settings]
        self.assertEqual(len(app), 2)
        for settings in app:
            self.assertEqual(settings["SWIFT_VERSION"], "5.0")
            self.assertEqual(settings["IPHONEOS_DEPLOYMENT_TARGET"], "15.0")
            # A module cannot import another one of its own name, and two schemes of one name cannot be told apart.
            self.assertNotIn(settings["PRODUCT_MODULE_NAME"], re.findall(r'[tT]arget\(name: "(\w+)"', manifest))
            for key in ("INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS"):
                self.assertTrue((IOS / "App" / settings[key]).exists(), settings[key])

    def test_scripts_are_shell(self):
        for name in ("generate.sh", "xcframework.sh"):
            with self.subTest(name):
                subprocess.run(["bash", "-n", IOS / name], check=True)
                self.assertTrue((IOS / name).stat().st_mode & 0o111)


class Accessible(unittest.TestCase):
    SCREENS = sorted((IOS / "Sources" / "CitizenWalletUI").glob("*.swift"))

    def test_pictures_and_buttons_are_labelled_or_hidden(self):
        counted = 0
        for path in self.SCREENS:
            root = swift.parse(path.read_text())
            for node in swift.walk(root):
                if node.type != "call_expression" or swift.text(node.named_children[0]) not in ("Image", "Button", "Toggle", "TextField", "Picker", "Canvas"):
                    continue
                counted += 1
                chain, above = "", node
                while above is not None and above.type in ("call_expression", "navigation_expression"):
                    chain, above = swift.text(above), above.parent
                with self.subTest(f"{path.name}:{node.start_point[0] + 1}"):
                    self.assertRegex(chain, r"\.accessibility(Label|Hidden)\(")
        self.assertGreater(counted, 12)

    def test_text_grows_with_the_reader(self):
        for path in self.SCREENS:
            source = path.read_text()
            with self.subTest(path.name):
                self.assertNotRegex(source, r"\.system\(size:|Font\.custom|\.lineLimit\(1\)|minimumScaleFactor|UIFont\(")
                # A height may be a minimum; a fixed one cuts large text off (pictures and spacers aside).
                for found in re.finditer(r"\.frame\(([^)]*)\)", source):
                    arguments = found[1]
                    if re.search(r"(?<![a-zA-Z])height:", arguments):
                        self.assertEqual(arguments, "height: 1")

    def test_colours_have_a_night_and_a_contrast(self):
        source = (IOS / "Sources" / "CitizenWalletUI" / "Palette.swift").read_text()
        pairs = {name: (day, night) for name, day, night in re.findall(r"static let (\w+) = pair\(0x(\w{6}), 0x(\w{6})\)", source)}
        self.assertGreaterEqual(len(pairs), 15)
        grounds = {
            "ground": ("text", "quiet"), "surface": ("text", "quiet", "accent"), "accent": ("onAccent",), "accentSoft": ("onAccentSoft",),
            "greenSoft": ("onGreenSoft",), "amberSoft": ("onAmberSoft",), "redSoft": ("onRedSoft",),
        }
        lowest = 21.0
        for ground, fronts in grounds.items():
            for front in fronts:
                for mode in (0, 1):
                    lowest = min(lowest, contrast(pairs[ground][mode], pairs[front][mode]))
                    with self.subTest(f"{front} on {ground}, {('day', 'night')[mode]}"):
                        self.assertGreaterEqual(contrast(pairs[ground][mode], pairs[front][mode]), 4.5)
        print(f"\nios: lowest contrast of text {lowest:.1f}:1")
        for path in self.SCREENS:
            if path.name != "Palette.swift":
                with self.subTest(path.name):
                    # Only what a camera needs is plainly black, white or clear; everything else has a night.
                    self.assertLessEqual(set(re.findall(r"(?:Color|UIColor)\.(\w+)", path.read_text())), {"black", "white", "clear"})
                    self.assertNotRegex(path.read_text(), r"Color\((red|white|hue|\.|\")")

    def test_a_verdict_is_word_and_shape(self):
        panel = (IOS / "Sources" / "CitizenWalletUI" / "DisplayRenderer.swift").read_text()
        body = panel[panel.index("struct VerdictPanel") :]
        self.assertIn("colour.mark", body)
        self.assertIn("shown.title", body)


def contrast(one, two):
    """WCAG 2.1 contrast of two colours in hex."""
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


if __name__ == "__main__":
    unittest.main()
