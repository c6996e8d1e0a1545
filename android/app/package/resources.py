#!/usr/bin/env python3
"""Compiles and links the app's resources and manifest with Debian's aapt2 against the framework's jar.

Leaves in OUT: resources.apk (binary manifest and resources), AndroidManifest.xml (as text, completed), manifest.pro (keep rules for the classes
that the manifest names), kotlin/ (the numbers of the resources as `R`, as Gradle would make it) and test-config/ (tells Robolectric where these are).

    resources.py --res DIR --manifest FILE --framework JAR --version NAME --code N --out DIR [--service DIR]

--service: the files of the service that this build belongs to (service.json, tls-root.der, trust-root.json); they become assets. `none`: no service.

Ends with 1 and the tool's own words when a resource or the manifest is wrong.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

PACKAGE = "vn.citizenwallet.app"
MIN_SDK, TARGET_SDK = 26, 34
SERVICE_FILES = "service.json", "tls-root.der", "trust-root.json"
# Debian's aapt2 is older than the framework and says so about one chunk of it, once a run. R8 says of each jar that
# it has a manifest, too, and of Kotlin's metadata, which the app never reads, that it is newer than R8.
KNOWN_NOISE = "LoadedArsc.cpp", "Warning: Resource 'META-INF/", "kotlin.Metadata", "kotlin metadata"


def run(*command):
    """Runs a tool; its output is shown when there is something to say; a failure ends the build."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    words = "\n".join(line for line in done.stdout.splitlines() if not any(noise in line for noise in KNOWN_NOISE))
    if words:
        print(words)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}")


def complete(manifest, version, code):
    """The manifest as the tools want it: with the package's name and the versions, which the source leaves to the build (as Gradle does)."""
    text = manifest.read_text(encoding="utf-8")
    opening = "<manifest "
    if text.count(opening) != 1 or "<uses-sdk" in text or " package=" in text:
        sys.exit(f"{manifest}: package and uses-sdk are given by the build, once")
    text = text.replace(opening, f'{opening}package="{PACKAGE}" android:versionCode="{code}" android:versionName="{version}" ')
    head, close, tail = text.partition("<application")
    return f'{head}<uses-sdk android:minSdkVersion="{MIN_SDK}" android:targetSdkVersion="{TARGET_SDK}" />\n    {close}{tail}'


def numbers(symbols):
    """`R` in Kotlin from aapt2's list of symbols: constants, so that nothing of it reaches the APK."""
    kinds = {}
    for line in symbols.read_text().splitlines():
        shape, kind, name, value = line.split(" ", 3)
        if shape == "int":
            kinds.setdefault(kind, []).append(f"        const val {name} = {value}")
    body = "\n".join(f"    object {kind} {{\n" + "\n".join(lines) + "\n    }" for kind, lines in sorted(kinds.items()))
    return f'@file:Suppress("ClassName", "unused")\n\npackage {PACKAGE}\n\nobject R {{\n{body}\n}}\n'


def service(given, out):
    """Takes the three files of a service, and nothing else, into the assets."""
    out.mkdir()
    for name in SERVICE_FILES:
        if not (given / name).is_file():
            sys.exit(f"{given}: {name} is missing; a service needs {', '.join(SERVICE_FILES)}")
        shutil.copyfile(given / name, out / name)
    settings = json.loads((given / "service.json").read_text(encoding="utf-8"))
    if not str(settings.get("url", "")).startswith("https://") or not isinstance(settings.get("trust_floor"), int):
        sys.exit(f"{given}/service.json: needs \"url\" (https) and \"trust_floor\" (a number)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("res", "manifest", "framework", "out"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--code", required=True, type=int)
    parser.add_argument("--service", default="none")
    asked = parser.parse_args()
    out = asked.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    manifest = out / "AndroidManifest.xml"
    manifest.write_text(complete(asked.manifest, asked.version, asked.code), encoding="utf-8")
    assets = out / "assets"
    assets.mkdir()
    if asked.service != "none":
        service(pathlib.Path(asked.service), assets / "service")
    run("aapt2", "compile", "--dir", asked.res, "-o", out / "compiled.zip")
    run("aapt2", "link", "-I", asked.framework, "--manifest", manifest, "-A", assets, "--proguard", out / "manifest.pro",
        "--output-text-symbols", out / "R.txt", "-o", out / "resources.apk", out / "compiled.zip")
    (out / "compiled.zip").unlink()
    source = out / "kotlin" / PACKAGE.replace(".", "/") / "R.kt"
    source.parent.mkdir(parents=True)
    source.write_text(numbers(out / "R.txt"))
    config = out / "test-config/com/android/tools/test_config.properties"
    config.parent.mkdir(parents=True)
    config.write_text(f"android_merged_manifest={manifest}\nandroid_resource_apk={out / 'resources.apk'}\n"
                      f"android_merged_assets={out / 'assets'}\nandroid_custom_package={PACKAGE}\n")


if __name__ == "__main__":
    main()
