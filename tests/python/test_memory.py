"""After lock, the memory of a wallet process holds no passcode, no key of the personal database and nothing of the citizen.

The process is the phone's library under Python (`memory_driver.py`). This test reads its whole memory from outside, as a core dump would have it.
The database key is unwrapped here independently, from the files and the documented header format, by PyPI `cryptography`.
"""

import base64
import functools
import hashlib
import hmac
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import support
from test_nothing_in_plain import needles

DEMO_PASSCODE = "246810"


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def database_key(folder, passcode):
    """The key of wallet.db out of the header and the software sealer's files."""
    header = json.loads((folder / "wallet.keys").read_text())
    slot = next(slot for slot in header["slots"] if slot["kind"] == "passcode")
    device = folder / "device"
    sealed = unpad(slot["sealed_share"])
    share = AESGCM((device / "seal-user.key").read_bytes()).decrypt(sealed[:12], sealed[12:], b"wallet-software-seal-v1 user")
    cost = slot["kdf"]
    stretched = Argon2id(salt=unpad(slot["salt"]), length=32, iterations=cost["passes"], lanes=cost["lanes"], memory_cost=cost["memory_kib"]).derive(passcode.encode())
    mac = hmac.digest((device / "seal-mac.key").read_bytes(), stretched, "sha256")
    costs = f"{cost['memory_kib']}/{cost['passes']}/{cost['lanes']}"
    about = f"wallet-keyslot-v1|{header['id']}|user|{slot['version']}|{slot['salt']}|{costs}".encode()
    kek = HKDF(algorithm=SHA256(), length=32, salt=unpad(slot["salt"]), info=about).derive(share + mac)
    return AESGCM(kek).decrypt(unpad(slot["nonce"]), unpad(slot["wrapped"]), about)


def memory(pid):
    """Everything that a stopped process could have written: (its name, its bytes). Mappings of files that it may only read hold what the files hold."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for row in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            fields = row.split(maxsplit=5)
            name = fields[5] if len(fields) > 5 else "anonymous"
            if "r" not in fields[1] or name.startswith("[v") or (name.startswith("/") and "w" not in fields[1]):
                continue
            start, end = (int(bound, 16) for bound in fields[0].split("-"))
            try:
                found.append((f"{name} {fields[1]}", os.pread(mem.fileno(), end - start, start)))
            except OSError:
                continue  # a mapping without pages behind it
    return found


def forms_of_text(text):
    """A text as memory may hold it."""
    for normal in {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}:
        for code in ("utf-8", "utf-16-le", "utf-16-be"):
            yield normal.encode(code)


@functools.cache
def published():
    """What central publishes to everybody (names of authorities): it says nothing of anybody."""
    return b"\0".join(response for _, _, response in support.exchanges("/trust/"))


def private_texts():
    """Texts of the demo's citizens that are long enough to be searched for; digits in their order (an invented old number) say nothing either."""
    known = published().decode(errors="replace")
    texts = {value for value in needles()[1] if isinstance(value, str)}
    return sorted(text for text in texts if len(text.encode()) >= 8 and text not in known and text not in string.digits)


class Wallet:
    """The process, its commands, its memory."""

    def __init__(self, folder):
        environment = {**os.environ, "PYTHONMALLOC": "debug"}
        driver = pathlib.Path(__file__).with_name("memory_driver.py")
        self.process = subprocess.Popen([sys.executable, str(driver), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self.process.stdout.readline() == b"ready\n", "the driver did not start"

    def do(self, command, *lines):
        self.process.stdin.write("".join(f"{text}\n" for text in (command, *lines)).encode())
        self.process.stdin.flush()
        said = self.process.stdout.readline().decode().strip()
        assert said == "done", f"{command}: {said}"

    def refused(self, command, *lines):
        self.process.stdin.write("".join(f"{text}\n" for text in (command, *lines)).encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def dump(self):
        """A copy of the memory while the process stands still."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            while re.search(r"^State:\s+(\w)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text(), re.M).group(1) != "T":
                time.sleep(0.01)
            return memory(self.process.pid)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


#: Bits of a needle's beginning that the first sieve looks at.
SIEVE = 24


def search(dump, wanted):
    """Which needles stand in a dump, at any byte: {name of the needle: [place, ...]}. Every form has at least 8 bytes."""
    forms = {}
    for name, spelled_so in wanted.items():
        for form in spelled_so:
            forms.setdefault(form[:8], []).append((name, form))
    sieve = np.zeros(1 << SIEVE, dtype=bool)
    for head in forms:
        sieve[int.from_bytes(head, "little") & ((1 << SIEVE) - 1)] = True
    found = {}
    for place, data in dump:
        for shift in range(8):
            words = np.frombuffer(data, dtype="<u8", offset=shift, count=max(0, (len(data) - shift) // 8))
            for word in np.flatnonzero(sieve[words & np.uint64((1 << SIEVE) - 1)]):
                at = int(word) * 8 + shift
                for name, form in forms.get(data[at : at + 8], ()):
                    if data[at : at + len(form)] == form:
                        found.setdefault(name, []).append(f"{place}+{at:x}")
    return found


class Memory(unittest.TestCase):
    """One story in one process; every step is dumped."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-memory-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        story = support.demo()[0]
        home = cls.folder / "wallet"
        shutil.copytree(story / "wallet", home)
        shutil.copytree(story / "officer" / "traffic-police", cls.folder / "officer")
        texts = private_texts()
        # Pictures only: the SOD holds a certificate, and certificates of authorities resemble one another.
        pictures = [value for value in needles()[1] if isinstance(value, bytes) and len(value) > 2000]
        cls.passcode, wrong = f"kín-{secrets.token_hex(8)}", f"sai-{secrets.token_hex(8)}"
        changing = Wallet(home)
        try:
            changing.do("change", DEMO_PASSCODE, cls.passcode)
        finally:
            changing.stop()
        key = database_key(home, cls.passcode)
        cls.salt_fits = (home / "wallet.db").read_bytes()[:16] == hmac.digest(key, b"wallet-database-salt-v1", "sha256")[:16]
        spellings = {name: list(spelled(text)) for name, text in (("passcode", cls.passcode), ("wrong passcode", wrong))}
        halves = [key[:16], key[16:]]
        cls.wanted = {
            **spellings,
            "database key": halves,
            "database key in hex": [form for half in halves for form in (half.hex().encode(), half.hex().upper().encode())],
            "portrait": [picture[at : at + 48] for picture in pictures for at in range(400, len(picture) - 48, 997)],
            **{f"text {hashlib.sha256(text.encode()).hexdigest()[:6]} ({len(text)} characters)": list(forms_of_text(text)) for text in texts},
        }
        cls.name = next(text for text in texts if text.startswith("Nguyễn"))
        cls.name_key = f"text {hashlib.sha256(cls.name.encode()).hexdigest()[:6]} ({len(cls.name)} characters)"
        cls.dumps = {}
        wallet = Wallet(home)
        try:
            cls.dumps["started"] = search(wallet.dump(), cls.wanted)
            wallet.refused("unlock", wrong)
            wallet.do("unlock", cls.passcode)
            # Canaries: what must never be found later can be found now. The citizen's data is there by itself.
            wallet.do("plant", (cls.passcode.encode() + key + key.hex().encode()).hex())
            wallet.do("look")
            cls.dumps["unlocked"] = search(wallet.dump(), cls.wanted)
            cls.answered = answer(wallet, cls.folder)
            wallet.do("drop")
            wallet.do("wipe")
            cls.dumps["still unlocked"] = search(wallet.dump(), cls.wanted)
            wallet.do("lock")
            cls.dumps["locked"] = search(wallet.dump(), cls.wanted)
            wallet.do("unlock", cls.passcode)
            wallet.do("lock")
            cls.dumps["locked again"] = search(wallet.dump(), cls.wanted)
        finally:
            wallet.stop()

    def test_the_key_unwrapped_here_is_the_databases(self):
        self.assertTrue(self.salt_fits)

    def test_the_search_finds_what_was_planted_and_what_is_in_use(self):
        for name in ("passcode", "database key", "database key in hex", "portrait", self.name_key):
            self.assertIn(name, self.dumps["unlocked"])
        self.assertTrue(self.answered)

    def test_nothing_before_the_first_unlock(self):
        self.assertEqual(self.dumps["started"], {})

    def test_no_passcode_while_unlocked(self):
        found = self.dumps["still unlocked"]
        self.assertEqual([name for name in found if "passcode" in name], [], found)

    def test_no_passcode_after_lock(self):
        self.judge("passcode")

    def test_no_database_key_after_lock(self):
        self.judge("database key")

    def test_nothing_of_the_citizen_after_lock(self):
        self.judge("text", "portrait")

    def judge(self, *kinds):
        for dump in ("locked", "locked again"):
            found = {name: places for name, places in self.dumps[dump].items() if any(kind in name for kind in kinds)}
            self.assertEqual(found, {}, dump)


def spelled(passcode):
    """A passcode as text, as UTF-16 and in hexadecimal."""
    yield from forms_of_text(passcode)
    yield passcode.encode().hex().encode()
    yield passcode.encode().hex().upper().encode()


def answer(wallet, folder):
    """The citizen answers an officer's request."""
    picture = folder / "request.png"
    asking = subprocess.Popen(
        [str(support.BINARY), "officer", "ask", "--dir", str(folder / "officer"), "--document", "driving-licence", "--out", str(picture)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        end = time.monotonic() + 30
        while not (picture.exists() and picture.stat().st_size) and asking.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        wallet.do("answer", picture)
        return True
    finally:
        asking.kill()
        asking.communicate()


if __name__ == "__main__":
    unittest.main()
