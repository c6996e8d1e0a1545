"""The ports of a phone, written in Python over PyPI `cryptography`: what Kotlin and Swift do with a phone's hardware.

Each class is a foreign implementation of a trait that `wallet_bindings` exports. Keys stay in this process and are software keys: the
central service accepts their evidence only when it was started with `--allow-software-keys`.
"""

import base64
import gc
import json
import os
import socket
import struct
import threading
import time
import uuid
import weakref

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import wallet_bindings as wb

EVIDENCE_LABEL = b"wallet-software-evidence-v1"


_LIVE = weakref.WeakSet()


class Port:
    """Every port here, so that a journey can see at its end that the core let go of them all."""

    def __new__(cls, *_, **__):
        port = super().__new__(cls)
        _LIVE.add(port)
        return port


def released(seconds=10):
    """Waits until the core holds none of the ports any more; gives the names of those it still holds.

    A thread of the core that called into Python while the interpreter ends would take the process with it, so this comes last.
    """
    end = time.monotonic() + seconds
    while True:
        gc.collect()
        if not _LIVE or time.monotonic() > end:
            return sorted(type(port).__name__ for port in _LIVE)
        time.sleep(0.02)


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ES256: ECDSA over SHA-256, r and s of 32 bytes each (RFC 7518, 3.4)."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class PythonKeyStore(Port, wb.KeyStorePort):
    """P-256 keys in memory, authorisations counted and timed."""

    LONGEST_AUTHORISATION_MILLIS = 30_000
    MOST_KEYS = 64

    def __init__(self):
        self._lock = threading.Lock()
        self._keys = {}
        self._authorisations = {}

    def create_keys(self, purpose, count, challenge):
        if not 1 <= count <= self.MOST_KEYS:
            raise wb.PortFault.Unsupported()
        made = [(str(uuid.uuid4()), ec.generate_private_key(ec.SECP256R1())) for _ in range(count)]
        with self._lock:
            for name, key in made:
                self._keys[name] = (purpose, key)
        jwks, proofs = [], []
        for _, key in made:
            xy = point(key)[1:]
            jwks.append({"kty": "EC", "crv": "P-256", "x": b64u(xy[:32]), "y": b64u(xy[32:])})
            proofs.append(b64u(raw_signature(key, EVIDENCE_LABEL + challenge + xy)))
        evidence = {"fmt": "software", "challenge": b64u(challenge), "proofs": proofs, "keys": jwks}
        return wb.NewKeys(
            keys=[wb.NewKey(id=name, public_key=point(key)) for name, key in made],
            evidence=json.dumps(evidence).encode(),
        )

    def authorise(self, reason, keys, max_uses, ttl_millis):
        if ttl_millis > self.LONGEST_AUTHORISATION_MILLIS or max_uses == 0:
            raise wb.PortFault.Unsupported()
        with self._lock:
            if any(key not in self._keys for key in keys):
                raise wb.PortFault.KeyInvalidated()
            if max_uses > 1 and any(self._keys[key][0] == wb.KeyPurpose.TRANSACTION for key in keys):
                raise wb.PortFault.Unsupported()
            name = str(uuid.uuid4())
            self._authorisations[name] = [set(keys), max_uses, time.monotonic() + ttl_millis / 1000]
        return name

    def sign(self, authorisation, key, bytes):
        return raw_signature(self._use(authorisation, key), bytes)

    def agree(self, authorisation, key, peer):
        try:
            other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), peer)
        except ValueError:
            raise wb.PortFault.Unsupported() from None
        return self._use(authorisation, key).exchange(ec.ECDH(), other)

    def end(self, authorisation):
        with self._lock:
            self._authorisations.pop(authorisation, None)

    def delete(self, keys):
        with self._lock:
            for key in keys:
                self._keys.pop(key, None)

    def list(self):
        with self._lock:
            return [*self._keys]

    def _use(self, authorisation, key):
        """The private key, when this use of it is allowed; counts the use."""
        with self._lock:
            if key not in self._keys:
                raise wb.PortFault.KeyInvalidated()
            purpose, private = self._keys[key]
            if authorisation is None:
                if purpose != wb.KeyPurpose.ACCOUNT:
                    raise wb.PortFault.NotAuthorised()
                return private
            grant = self._authorisations.get(authorisation)
            if grant is None or key not in grant[0] or grant[1] == 0 or time.monotonic() > grant[2]:
                raise wb.PortFault.NotAuthorised()
            grant[1] -= 1
            return private


class PythonSealer(Port, wb.DeviceSealerPort):
    """AES-256-GCM under a key per purpose, HMAC-SHA-256 under a third."""

    def __init__(self):
        self._keys = {purpose: AESGCM.generate_key(256) for purpose in wb.SealPurpose}
        self._mac_key = os.urandom(32)

    def seal(self, purpose, share):
        nonce = os.urandom(12)
        return nonce + AESGCM(self._keys[purpose]).encrypt(nonce, share, None)

    def unseal(self, purpose, sealed):
        try:
            return AESGCM(self._keys[purpose]).decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError):
            # Not sealed here, or under a key that is gone: for the core both mean the same.
            raise wb.PortFault.KeyInvalidated() from None

    def mac(self, input):
        h = hmac.HMAC(self._mac_key, hashes.SHA256())
        h.update(input)
        return h.finalize()


class PythonClock(Port, wb.ClockPort):
    """The machine's clocks; the boot id is this process's own."""

    def __init__(self):
        self._boot = str(uuid.uuid4())

    def wall_seconds(self):
        return int(time.time())

    def monotonic_millis(self):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def boot_id(self):
        return self._boot


class SocketCard(Port, wb.CardChannelPort):
    """A simulated card behind a loopback socket: frames of a 16-bit big-endian length and an APDU; length 0 resets the field."""

    MAX_COMMAND = 65_000

    def __init__(self, host, port, lose_after=None):
        self._address = (host, port)
        self._lose_after = lose_after
        self._socket = None
        self.exchanges = 0
        self.reconnect()

    def transceive(self, command):
        if len(command) > self.MAX_COMMAND:
            raise wb.ChannelFault.Other()
        self.exchanges += 1
        if self._lose_after is not None and self.exchanges > self._lose_after:
            self._lose_after = None
            self._drop()
        if self._socket is None:
            raise wb.ChannelFault.CardLost()
        try:
            self._socket.sendall(struct.pack(">H", len(command)) + command)
            (length,) = struct.unpack(">H", self._read(2))
            return self._read(length)
        except OSError:
            self._drop()
            raise wb.ChannelFault.CardLost() from None

    def capacity(self):
        return wb.ChannelCapacity(max_command=self.MAX_COMMAND, extended=True)

    def cancel(self):
        self._drop()

    def reconnect(self):
        self._drop()
        try:
            self._socket = socket.create_connection(self._address, timeout=10)
            # A card that is held again starts from its power-on state.
            self._socket.sendall(struct.pack(">H", 0))
        except OSError:
            raise wb.ChannelFault.CardLost() from None

    def _read(self, length):
        data = b""
        while len(data) < length:
            part = self._socket.recv(length - len(data))
            if not part:
                raise OSError("closed")
            data += part
        return data

    def _drop(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class PythonListener(Port, wb.ListenerPort):
    """Keeps what it hears."""

    def __init__(self):
        self.steps = []
        self.states = []

    def progress(self, progress):
        self.steps.append((progress.step, progress.done, progress.total))

    def state_changed(self, subject, state):
        self.states.append((subject, state))

    def log(self, level, target, text):
        pass
