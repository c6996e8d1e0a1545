"""The recorded conversation of phone and card, opened: PACE with ECDH and generic mapping (ICAO 9303-11, 4.4), then secure messaging (9.8).

The record holds the APDUs as they passed and the random bytes that the simulated card drew. With the card's half of both key agreements the
session keys follow, every checksum of both sides is verified, and what the phone read comes out of the APDUs themselves.
"""

import hashlib
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from . import tlv
from .facts import Unreadable

# brainpoolP256r1 (RFC 5639, 3.4); standardised domain parameters 13 (9303-11, 9.5.1).
P = 0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377
A = 0x7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9
B = 0x26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6
G = (0x8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262, 0x547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997)
N = 0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7

PACE_ECDH_GM_AES128 = bytes.fromhex("04007f00070202040202")
PARAMETERS = 13


def add(one, other):
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiply(scalar, point):
    out = None
    for bit in bin(scalar)[2:]:
        out = add(out, out)
        if bit == "1":
            out = add(out, point)
    return out


def encoded(point):
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decoded(data):
    if len(data) != 65 or data[0] != 4:
        raise Unreadable("a point of PACE")
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if (y * y - x * x * x - A * x - B) % P:
        raise Unreadable("a point of PACE that is not on the curve")
    return x, y


def derived(secret, counter):
    """9.7.1: the key derivation for AES-128."""
    return hashlib.sha1(secret + counter.to_bytes(4, "big")).digest()[:16]


def cbc(key, iv, data, encrypt=False):
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    worker = cipher.encryptor() if encrypt else cipher.decryptor()
    return worker.update(data) + worker.finalize()


def cmac(key, data):
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()[:8]


def pad(data):
    return data + b"\x80" + bytes(-(len(data) + 1) % 16)


def unpad(data):
    stripped = data.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise Unreadable("padding of secure messaging")
    return stripped[:-1]


class Session:
    """Secure messaging after PACE: the counter begins at zero (9.8.6.3) and moves on with every command and response."""

    def __init__(self, enc, mac):
        self.enc, self.mac, self.counter = enc, mac, 0

    def step(self):
        self.counter += 1
        return self.counter.to_bytes(16, "big")

    def decrypt(self, counter, data):
        iv = Cipher(algorithms.AES(self.enc), modes.ECB()).encryptor().update(counter)
        return unpad(cbc(self.enc, iv, data))

    def check(self, counter, covered, checksum):
        if cmac(self.mac, pad(counter + covered)) != checksum:
            raise Unreadable("a checksum of secure messaging")

    def command(self, header, body):
        """9.8.4 and 9.8.6.1: the data of a protected command."""
        counter, objects = self.step(), tlv.elements(body)
        covered = b"".join(raw for tag, _, raw in objects if tag != 0x8E)
        self.check(counter, (pad(header) + covered) if covered else header, tlv.find(body, 0x8E))
        cipher = tlv.find(body, 0x87)
        if cipher is not None:
            return self.decrypt(counter, cipher[1:])
        cipher = tlv.find(body, 0x85)
        return b"" if cipher is None else self.decrypt(counter, cipher)

    def response(self, body):
        """9.8.6.2: data and status of a protected response."""
        counter, objects = self.step(), tlv.elements(body)
        covered = b"".join(raw for tag, _, raw in objects if tag != 0x8E)
        self.check(counter, covered, tlv.find(body, 0x8E))
        cipher = tlv.find(body, 0x87)
        cipher = cipher[1:] if cipher is not None else tlv.find(body, 0x85)
        return b"" if cipher is None else self.decrypt(counter, cipher), int.from_bytes(tlv.find(body, 0x99), "big")


def body_of(command):
    """The data of a command APDU, short or extended (ISO/IEC 7816-4, 5.1)."""
    if len(command) < 6:
        return b""
    if command[4]:
        return command[5 : 5 + command[4]]
    return command[7 : 7 + int.from_bytes(command[5:7], "big")] if len(command) > 7 else b""


class Reading:
    """What a phone read from a card: files by short identifier, the challenge and the chip's signature, and the PACE protocol that was run."""

    CARD_ACCESS, COM, SOD = 0x1C, 0x1E, 0x1D

    def __init__(self, lines, draws):
        self.files, self.challenge, self.signature, self.protocol = {}, None, None, None
        self.nonce, self.draws, self.session, self.current, self.pace = None, draws, None, None, {}
        command = None
        for line in lines:
            mark, _, text = line.partition(" ")
            if mark == ">":
                command = bytes.fromhex(text)
            elif mark == "<" and command is not None:
                self._exchange(command, bytes.fromhex(text))
                command = None
            else:
                self.session, command = None, None

    def group(self, number):
        return self.files.get(number)

    def _exchange(self, command, answer):
        header, data, status = command[:4], body_of(command), int.from_bytes(answer[-2:], "big")
        answer = answer[:-2]
        if header[0] & 0x0C:
            if self.session is None:
                raise Unreadable("secure messaging without a session")
            data = self.session.command(header, data)
            if not answer:
                self.session = None
                return
            answer, status = self.session.response(answer)
        self._take(header[1], header[2], header[3], data, answer, status)

    def _take(self, ins, p1, p2, data, answer, status):
        good = status in (0x9000, 0x6282)
        if ins == 0xA4:
            self.current = data[-1] & 0x1F if p1 == 0x02 and good else None
        elif ins in (0xB0, 0xB1) and good:
            offset = p1 << 8 | p2
            if ins == 0xB1:
                self.current = p2 or self.current
                offset, answer = int.from_bytes(tlv.only(data, 0x54), "big"), tlv.only(answer, 0x53)
            elif p1 & 0x80:
                self.current, offset = p1 & 0x1F, p2
            known = self.files.get(self.current, b"")
            self.files[self.current] = known[:offset] + answer + known[offset + len(answer) :]
        elif ins == 0x22 and good:
            self.protocol, self.pace = tlv.find(data, 0x80), {"password": tlv.find(data, 0x83)}
            if self.protocol != PACE_ECDH_GM_AES128 or tlv.find(data, 0x84) not in (None, bytes([PARAMETERS])):
                raise Unreadable("another suite of PACE")
        elif ins == 0x86:
            sent, got = (tlv.elements(tlv.only(part, 0x7C)) if part else [] for part in (data, answer))
            for tag, value, _ in sent + got:
                self.pace[tag] = value
            if good and 0x86 in self.pace:
                self._open()
        elif ins == 0x88 and good:
            self.challenge, self.signature = data, answer

    def _open(self):
        """The card's half of both agreements, then the keys and both tokens (4.4.3)."""
        map_terminal, map_card, terminal, card = (decoded(self.pace[tag]) for tag in (0x81, 0x82, 0x83, 0x84))
        scalars = [int.from_bytes(draw, "big") for draw in self.draws if len(draw) == 32]
        scalars = [scalar for scalar in scalars if 0 < scalar < N]
        mapping = next((scalar for scalar in scalars if multiply(scalar, G) == map_card), None)
        if mapping is None:
            raise Unreadable("the card's mapping key is not in the record")
        shared = multiply(mapping, map_terminal)
        for nonce in (draw for draw in self.draws if len(draw) == 16):
            generator = add(multiply(int.from_bytes(nonce, "big"), G), shared)
            own = next((scalar for scalar in scalars if scalar != mapping and multiply(scalar, generator) == card), None)
            if own is not None:
                break
        else:
            raise Unreadable("the card's nonce or key is not in the record")
        secret = multiply(own, terminal)[0].to_bytes(32, "big")
        enc, mac = derived(secret, 1), derived(secret, 2)
        for tag, point in ((0x85, card), (0x86, terminal)):
            if cmac(mac, tlv.encode(0x7F49, tlv.encode(0x06, self.protocol) + tlv.encode(0x86, encoded(point)))) != self.pace[tag]:
                raise Unreadable("a token of PACE")
        self.nonce, self.session = nonce, Session(enc, mac)

    def opened_with(self, can):
        """Whether the card access number decrypts the card's nonce (4.4.3.1 and 9.7.3); None when another password was used."""
        if self.pace.get("password") != b"\x02":
            return None
        return cbc(derived(can.encode(), 3), bytes(16), self.pace[0x80]) == self.nonce


def lines_of(text, first, last):
    """Lines `first` to `last` of a trace, counted from 1."""
    return [line for line in re.split(r"\r?\n", text)[first - 1 : last] if line]
