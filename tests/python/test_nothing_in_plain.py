"""No name, number or image byte of the citizen stands in any file of the wallet's folder, whole or in 8-byte pieces."""

import base64
import json
import pathlib
import subprocess
import tempfile
import time
import unicodedata
import unittest

import cbor2

import support

PIECE = 8


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def texts(value):
    """Every text and byte string inside a decoded value that says something about the citizen."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, cbor2.CBORTag):
        yield from texts(value.value)
    elif isinstance(value, (str, bytes)):
        yield value


def needles():
    """What central issued and what the chip said: values of the mdocs, and the chip's SOD, DG1 and face."""
    found = set()
    for _, request, response in support.exchanges("/credential"):
        if not request or not json.loads(request).get("credential_configuration_id", "").endswith(".mdoc"):
            continue
        for issued in json.loads(response).get("credentials", [])[:1]:
            for items in cbor2.loads(unpad(issued["credential"]))["nameSpaces"].values():
                for item in items:
                    found.update(texts(cbor2.loads(item.value)["elementValue"]))
    for _, request, _ in support.exchanges("/activation/chip"):
        found.update(v for v in texts(cbor2.loads(unpad(json.loads(request)["evidence"]))) if isinstance(v, bytes) and len(v) >= 64)
    pieces = set()
    for value in found:
        forms = [value]
        if isinstance(value, str):
            forms = [unicodedata.normalize(form, value).encode(code) for form in ("NFC", "NFD") for code in ("utf-8", "utf-16-le", "utf-16-be")]
        for form in forms:
            pieces.update(form[at : at + PIECE] for at in range(len(form) - PIECE + 1))
    # Pieces that say nothing about anybody: one repeated byte, and what central publishes to everyone (names of authorities and fields).
    published = b"\0".join(response for _, _, response in support.exchanges("/trust/"))
    return {p for p in pieces if len(set(p)) > 2 and p not in published}, found


def hits(folder, pieces):
    """Which files hold which pieces."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file():
            found += [(path.name, at) for at in places(path.read_bytes(), pieces)]
    return found


def places(data, pieces):
    """Where in the data a piece stands."""
    return [at for at in range(len(data) - PIECE + 1) if data[at : at + PIECE] in pieces]


def sampled(folder):
    """Runs the story in a folder and copies the wallet's files again and again while it runs: {(name, digest): bytes}."""
    process = subprocess.Popen([str(support.BINARY), "demo", "--json", "--dir", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seen = {}
    try:
        while process.poll() is None:
            for path in (folder / "wallet").rglob("*"):
                try:
                    data = path.read_bytes() if path.is_file() else b""
                except FileNotFoundError:
                    continue  # a temporary file that was renamed meanwhile
                seen.setdefault((path.name, hash(data)), data)
            time.sleep(0.02)
        assert process.returncode == 0, process.stderr.read()[-2000:]
    finally:
        process.kill()
        process.communicate()
    return seen


class NothingInPlain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pieces, cls.values = needles()

    def test_the_search_has_something_to_find(self):
        joined = " ".join(v for v in self.values if isinstance(v, str))
        self.assertIn("Nguyễn", joined)
        self.assertIn("001090000123", joined)
        self.assertGreater(max(len(v) for v in self.values if isinstance(v, bytes)), 2000, "a picture")
        self.assertGreater(len(self.pieces), 5000)

    def test_the_search_finds_what_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "leak").write_bytes(b"\0" * 100 + "Nguyễn Văn An".encode()[3:12] + b"\0" * 100)
            self.assertTrue(hits(folder, self.pieces))

    def test_no_piece_in_any_file_of_the_wallet(self):
        folder = support.demo()[0] / "wallet"
        files = [p for p in folder.rglob("*") if p.is_file()]
        self.assertTrue(any(p.stat().st_size > 4096 for p in files), "there is a database to look at")
        self.assertEqual(hits(folder, self.pieces), [])

    def test_no_piece_in_any_file_while_the_story_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            seen = sampled(pathlib.Path(folder, "demo"))
        # The same invented citizen: what this second run is issued says the same of him. Every state of every file is looked at, and the parts
        # that two states share only once.
        states = [name for name, _ in seen]
        for name, least in (("wallet.db", 1), ("wallet.db-wal", 5), ("wallet.db-shm", 2), ("cache.db-wal", 1)):
            self.assertGreaterEqual(states.count(name), least, f"states of {name} seen: {sorted(states)}")
        blocks = {data[at : at + 4096 + PIECE - 1] for data in seen.values() for at in range(0, len(data), 4096)}
        self.assertEqual([at for block in blocks for at in places(block, self.pieces)], [])


if __name__ == "__main__":
    unittest.main()
