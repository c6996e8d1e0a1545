#!/usr/bin/env python3
"""Runs what R8 leaves of the app on this machine's JVM: shrinks the same jars by the same rules as the APK, to class files instead of dex, with one
program more (`vn.citizenwallet.shrunk`, of the library's tests) that walks the spine against the real library, service and card.

    shrunk.py --classpath JARS --tests JAR --framework JAR --r8 JAR --rules FILE... --resources DIR --native DIR --binary FILE --work DIR

Ends with 1 and the program's words when a rule is missing. No phone is needed: JNA binds by name and by reflection here as it does there.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time
import zipfile

from apk import JAVA, java_home
from resources import run

PROGRAM = "vn.citizenwallet.shrunk.ShrunkKt"
PLACES = ("vn/citizenwallet/shrunk/", "vn/citizenwallet/testing/")
RULES = f"""-keep class {PROGRAM} {{ public static void main(java.lang.String[]); }}
-dontwarn org.junit.**
-dontwarn org.robolectric.**
-dontwarn androidx.test.**
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tests", "framework", "r8", "resources", "native", "binary", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--rules", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--classpath", required=True)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    extra = asked.work / "program.pro"
    extra.write_text(RULES)
    program = asked.work / "program.jar"
    with zipfile.ZipFile(asked.tests) as tests, zipfile.ZipFile(program, "w") as out:
        for name in tests.namelist():
            # The tests themselves have names that are sentences, which R8 would not take.
            if name.startswith(PLACES) and name.endswith(".class"):
                out.writestr(name, tests.read(name))
    shrunk = asked.work / "shrunk.jar"
    command = [*JAVA, "-cp", asked.r8, "com.android.tools.r8.R8", "--release", "--classfile", "--lib", asked.framework, "--lib", java_home(),
               "--output", shrunk, "--pg-map-output", asked.work / "mapping.txt"]
    for rule in (*asked.rules, asked.resources / "manifest.pro", extra):
        command += ["--pg-conf", rule]
    run(*command, *[jar for jar in asked.classpath.split(os.pathsep) if jar], program)
    # Only the shrunk classes and the framework: nothing of the originals can step in.
    command = ["java", "-Xmx500m", f"-Djna.library.path={asked.native}", f"-Dwallet.binary={asked.binary}",
               "-cp", os.pathsep.join([str(shrunk), str(asked.framework)]), PROGRAM]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    print(done.stdout, end="")
    if done.returncode or "shrunk: all of it works" not in done.stdout:
        sys.exit(f"what R8 left does not work (exit {done.returncode}); {asked.work}/mapping.txt reads the trace back")
    print(f"shrunk to class files and run in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
