#!/usr/bin/env python3
"""Holds library and app against the framework of Android 8, the oldest they promise to run on: whatever that one lacks must stand in newer.txt with
the file that looks at the phone's version first, and nothing may stand there that is not used.

    levels.py --sources JAR... --others JARS --framework JAR --r8 JAR

--sources  our own jars; --others  what they use besides the framework; --framework  Android 8's
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

from apk import JAVA, java_home

HERE = pathlib.Path(__file__).resolve().parent
ANDROID = HERE.parents[1]


def listed():
    """{class or method: (since, file)} of newer.txt."""
    rows = [line.split() for line in (HERE / "newer.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {name: (int(since), ANDROID / file) for name, since, file in rows}


def missing(words):
    """The classes, methods and fields that R8 says are missing, without arguments and types, each with who uses it."""
    for thing, users in re.findall(r"Missing (?:class|method|field) (.*?) \(referenced from: (.*)\)", words):
        yield thing.partition("(")[0].split()[-1], users


def entry(name, known):
    """The line that speaks of `name`: itself, or the class it is of or in."""
    return next((line for line in known if name == line or name.startswith((line + ".", line + "$"))), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--others", required=True)
    for name in ("framework", "r8"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    asked = parser.parse_args()
    command = [*JAVA, "-cp", asked.r8, "com.android.tools.r8.tracereferences.TraceReferences", "--check", "--lib", asked.framework, "--lib", java_home()]
    for source in asked.sources:
        command += ["--source", source]
    ours = {source.resolve() for source in asked.sources}
    for other in asked.others.split(os.pathsep):
        if other and pathlib.Path(other).resolve() not in ours:
            command += ["--target", other]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    known, used, wrong = listed(), set(), []
    found = set(missing(done.stdout))
    if done.returncode and not found:
        sys.exit(f"{done.stdout}\nR8 could not look")
    for name, users in sorted(found):
        line = entry(name, known)
        if line:
            used.add(line)
        else:
            wrong.append(f"Android 8 has no {name}, used in {users}: look at the phone's version first, and list it in newer.txt")
    wrong += [f"newer.txt lists {name}, which nothing uses" for name in sorted(set(known) - used)]
    for name, (since, file) in known.items():
        if since <= 26 or not file.is_file() or "SDK_INT" not in file.read_text():
            wrong.append(f"newer.txt: {name}: {file} does not look at the phone's version")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"Android 8 has all that library and app use, but for {len(known)} things that they ask the phone's version for first")


if __name__ == "__main__":
    main()
