#!/usr/bin/env python3
"""Makes the signed APK out of jars: R8 (dex, shrinking, renaming), pack.py, apksigner, and what the tools say of the result.

    apk.py --classpath JARS --framework JAR --r8 JAR --rules FILE... --resources DIR --jna AAR --jni-libs DIR|none
           --keystore FILE|debug --keystore-alias NAME --keystore-pass HOW --work DIR --out APK

--keystore debug   makes a key for this machine alone (WORK/debug.keystore) and keeps using it. No key is ever part of the source.
--keystore-pass    as apksigner takes it: env:NAME, file:NAME or stdin. Never the password itself: a process list shows arguments.

Beside the APK lie mapping.txt (reads a shrunk trace back), badging.txt (aapt2) and signature.txt (apksigner).
Ends with 1 and a sentence when anything is refused.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import zipfile

import pack
from resources import MIN_SDK, run

# R8 is one short run: the quick compiler and the simple collector halve its time.
JAVA = ("java", "-Xmx1500m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
DEBUG_PASSWORD = "android"  # of a key that only says "made on this machine"


def said(*command):
    """What a tool prints; a failure ends the build with its words."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{command[0]} ended with {done.returncode}")
    return done.stdout


def java_home():
    """The JDK, for the classes of java.* that the framework's jar leaves out."""
    compiler = shutil.which("javac")
    if not compiler:
        sys.exit("no javac: a JDK is needed (android/setup.sh)")
    return pathlib.Path(compiler).resolve().parent.parent


def shrink(asked, work):
    """Dex files and what else of the jars belongs into the APK: entries by which a class is found by name."""
    out = work / "r8.zip"
    rules = [*asked.rules, asked.resources / "manifest.pro"]
    command = [*JAVA, "-cp", asked.r8, "com.android.tools.r8.R8", "--release", "--min-api", MIN_SDK,
               "--lib", asked.framework, "--lib", java_home(), "--output", out, "--pg-map-output", asked.out.parent / "mapping.txt",
               "--pg-conf-output", work / "rules.txt"]
    for rule in rules:
        command += ["--pg-conf", rule]
    run(*command, *[jar for jar in asked.classpath.split(os.pathsep) if jar])
    dexes = work / "dex"
    shutil.rmtree(dexes, ignore_errors=True)
    dexes.mkdir()
    with zipfile.ZipFile(out) as made:
        names = made.namelist()
        made.extractall(dexes, [name for name in names if name.endswith(".dex")])
        services = {name: made.read(name) for name in names if name.startswith("META-INF/services/") and not name.endswith("/")}
    return sorted(dexes.iterdir()), services


def keystore(asked, work):
    """(file, alias, how apksigner gets the password): the given key, or this machine's own debug key."""
    if asked.keystore != "debug":
        if not pathlib.Path(asked.keystore).is_file():
            sys.exit(f"no keystore at {asked.keystore}")
        return asked.keystore, asked.keystore_alias, asked.keystore_pass
    file = work / "debug.keystore"
    if not file.exists():
        said("keytool", "-genkeypair", "-keystore", file, "-storetype", "PKCS12", "-storepass", DEBUG_PASSWORD, "-alias", "debug",
             "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "10000", "-dname", "CN=Citizen Wallet debug key of one machine")
    return file, "debug", f"pass:{DEBUG_PASSWORD}"


def sign(asked, work, unsigned):
    """Schemes 2 and 3: every phone from Android 8 on knows them, and scheme 1 (single files) protects less."""
    file, alias, password = keystore(asked, work)
    said("apksigner", "sign", "--ks", file, "--ks-key-alias", alias, "--ks-pass", password, "--min-sdk-version", MIN_SDK,
         "--v1-signing-enabled", "false", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true", "--v4-signing-enabled", "false",
         "--in", unsigned, "--out", asked.out)


def judge(apk):
    """What zipalign, aapt2 and apksigner say of the APK; kept beside it. Any complaint ends the build."""
    said("zipalign", "-c", "-p", "4", apk)
    for name, start in pack.offsets(apk).items():
        if name.endswith(".so") and start % pack.PAGE:
            sys.exit(f"{name} starts at {start}: not on a 16 KB page")
    signature = said("apksigner", "verify", "--verbose", "--print-certs", apk)
    badging = said("aapt2", "dump", "badging", apk)
    (apk.parent / "signature.txt").write_text(signature)
    (apk.parent / "badging.txt").write_text(badging)
    print("\n".join(line for line in signature.splitlines() if line.startswith(("Verif", "Number", "Signer #1 cert"))))
    print("\n".join(line for line in badging.splitlines() if line.split(":")[0] in
                    ("package", "sdkVersion", "targetSdkVersion", "uses-permission", "launchable-activity", "locales", "native-code")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("framework", "r8", "resources", "jna", "work", "out"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--rules", type=pathlib.Path, nargs="+", required=True)
    for name in ("classpath", "jni-libs", "keystore", "keystore-alias", "keystore-pass"):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        others = {} if asked.jni_libs == "none" else pack.libraries(asked.jni_libs, asked.jna)
        dexes, services = shrink(asked, asked.work)
        unsigned = asked.work / "unsigned.apk"
        pack.write(unsigned, asked.resources / "resources.apk", dexes, {**others, **services})
    except (pack.Refused, OSError) as why:
        sys.exit(f"no APK: {why}")
    sign(asked, asked.work, unsigned)
    judge(asked.out)
    abis = sorted({name.split("/")[1] for name in others}) or ["none: it installs, and cannot start; see android/README.md"]
    print(f"{asked.out}: {asked.out.stat().st_size} bytes, dex {sum(dex.stat().st_size for dex in dexes)} bytes in {len(dexes)}, "
          f"native ABIs: {', '.join(abis)}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
