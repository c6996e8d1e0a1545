"""What the Python suites share: the binary, one recorded demo, small CBOR helpers. None of our own code judges anything here."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

BINARY = pathlib.Path(os.environ["CITIZEN_WALLET"])


def run(*arguments, stdin=None, timeout=300):
    """Runs the binary; gives the finished process with text output."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )


@functools.cache
def demo():
    """Runs the whole story once, keeps its folder until the tests end; gives (folder, report)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-peer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "demo"
    done = run("demo", "--json", "--dir", target)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return target, json.loads(done.stdout)


def exchanges(path_part):
    """Recorded HTTP exchanges whose path contains a text: (head, request bytes, response bytes), in order."""
    found = []
    for head in sorted((demo()[0] / "record" / "http").glob("*.json")):
        about = json.loads(head.read_text())
        if path_part in about["path"]:
            body = lambda ending: head.with_suffix(ending).read_bytes() if head.with_suffix(ending).exists() else b""  # noqa: E731
            found.append((about, body(".request"), body(".response")))
    return found


def without_network():
    """The command prefix that takes the network away: a new, empty network namespace."""
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
