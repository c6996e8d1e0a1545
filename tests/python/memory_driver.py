"""A wallet in a process of its own, held by the phone's library, for somebody else to look into its memory.

Usage: memory_driver.py DIR      (a wallet's folder with the software ports' files in DIR/device; started with PYTHONMALLOC=debug)

Commands come on standard input, a line each; secrets follow as lines of their own. Every answer is one line. This process keeps nothing of its own:
Python overwrites what it frees (that is what PYTHONMALLOC=debug is for), and whatever it was given is deleted before it answers.

    change      old passcode, new passcode: puts the new in the place of the old
    unlock      passcode
    look        lists the documents and opens each, keeping what was shown
    answer      path of a QR picture: answers that request with the usual fields
    drop        deletes what was shown
    lock        locks the wallet
    plant       bytes in hexadecimal: keeps them in a buffer; `wipe` overwrites that
    quit
"""

import gc
import json
import os
import pathlib
import sys

import blocking  # noqa: F401  (acts wait)
import wallet_bindings as wb
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ports import Port, PythonClock, PythonKeyStore


def line():
    """One line of standard input as bytes, read without a buffer that would keep it."""
    text = b""
    while not text.endswith(b"\n"):
        part = os.read(0, 1)
        if not part:
            return b"quit"
        text += part
    return text[:-1]


def say(text):
    os.write(1, text.encode() + b"\n")


class FileSealer(Port, wb.DeviceSealerPort):
    """The software sealer's files: AES-256-GCM under a key per purpose, HMAC-SHA-256 under a third."""

    NAMES = {wb.SealPurpose.USER: "user", wb.SealPurpose.BACKGROUND: "background"}

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)

    def _cipher(self, purpose):
        return AESGCM((self._folder / f"seal-{self.NAMES[purpose]}.key").read_bytes())

    def _label(self, purpose):
        return b"wallet-software-seal-v1 " + self.NAMES[purpose].encode()

    def seal(self, purpose, share):
        nonce = os.urandom(12)
        return nonce + self._cipher(purpose).encrypt(nonce, share, self._label(purpose))

    def unseal(self, purpose, sealed):
        try:
            return self._cipher(purpose).decrypt(sealed[:12], sealed[12:], self._label(purpose))
        except (InvalidTag, ValueError):
            raise wb.PortFault.KeyInvalidated() from None

    def mac(self, input):
        h = hmac.HMAC((self._folder / "seal-mac.key").read_bytes(), hashes.SHA256())
        h.update(input)
        return h.finalize()


class FileKeys(PythonKeyStore):
    """The software key store's files, read when the store is opened."""

    def __init__(self, folder):
        super().__init__()
        folder = pathlib.Path(folder)
        cipher = AESGCM((folder / "keystore.key").read_bytes())
        purposes = {1: wb.KeyPurpose.ACCOUNT, 2: wb.KeyPurpose.HOLDER, 3: wb.KeyPurpose.TRANSACTION}
        for file in folder.glob("*.key"):
            if len(file.stem) == 32:
                sealed = file.read_bytes()
                plain = cipher.decrypt(sealed[:12], sealed[12:], b"wallet-software-key-v1 " + file.stem.encode())
                scalar = int.from_bytes(plain[1:], "big")
                self._keys[file.stem] = (purposes[plain[0]], ec.derive_private_key(scalar, ec.SECP256R1()))


def opened(folder):
    service = json.loads((folder / "service.json").read_text())
    config = wb.WalletConfig(
        directory=str(folder), service_url=service["url"], tls_root=bytes.fromhex(service["tls_root"]),
        trust_root=service["trust_root"].encode(), trust_floor=service["trust_floor"],
    )
    return wb.Wallet.open(config, FileKeys(folder / "device"), FileSealer(folder / "device"), PythonClock(), None)


class Commands:
    def __init__(self, folder):
        self.wallet = opened(folder)
        self.shown = []
        self.planted = bytearray()

    def change(self):
        self.wallet.change_passcode(line(), line())

    def unlock(self):
        self.wallet.unlock(line())

    def look(self):
        for summary in self.wallet.documents():
            self.shown.append(self.wallet.document(summary.id))

    def answer(self):
        (text,) = wb.qr_decode_png(pathlib.Path(line().decode()).read_bytes())
        pending = self.wallet.open_request(text)
        chosen = pending.default_selection()
        answer = pending.answer(chosen.document, chosen.fields)
        assert answer.text.startswith("CWA1:")

    def drop(self):
        self.shown.clear()

    def lock(self):
        self.wallet.lock()

    def plant(self):
        self.planted = bytearray.fromhex(line().decode())

    def wipe(self):
        self.planted[:] = bytes(len(self.planted))


def main():
    assert os.environ.get("PYTHONMALLOC") == "debug"
    commands = Commands(pathlib.Path(sys.argv[1]))
    say("ready")
    while (command := line().decode()) != "quit":
        try:
            getattr(commands, command)()
            said = "done"
        except wb.WalletError as error:
            said = f"refused {type(error).__name__}"
        gc.collect()
        say(said)


if __name__ == "__main__":
    main()
