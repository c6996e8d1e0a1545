"""Path B against a peer written with `cryptography` and `cbor2` alone: each side asks, each side answers, each refuses one changed byte."""

import datetime
import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import time
import unittest

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ObjectIdentifier

import exchange_peer as peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = cbor2.dumps(cbor2.CBORTag(18, [b"", {}, secrets.token_bytes(600), secrets.token_bytes(64)]))


def name(organisation, common):
    organisation = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name([*organisation, x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def certificate(subject, issuer, key, issuer_key, extensions):
    start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), secrets.randbits(62) | 1, start, start + datetime.timedelta(days=7))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


class PathB(unittest.TestCase):
    """Our side runs as a process of its own."""

    @classmethod
    def setUpClass(cls):
        # Built by `cargo test`, beside the binary.
        command = [str(pathlib.Path(os.environ["CITIZEN_WALLET"]).parent / "examples" / "exchange_peer")]
        cls.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        cls.process.wait(timeout=30)
        cls.process.stdout.close()

    def ours(self, **command):
        self.process.stdin.write(json.dumps({"now": int(time.time()), **command}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def test_we_ask_and_the_peer_answers(self):
        asked = self.ours(do="ask")
        request = peer.Request(asked["request"], bytes.fromhex(asked["authority"]))
        self.assertEqual(request.hash.hex(), asked["hash"])
        self.assertEqual(request.claims[peer.NONCE].hex(), asked["nonce"])
        self.assertEqual(request.claims[peer.DOCUMENTS], [["citizen-identity", ["full_name"]]])
        self.assertEqual(request.claims[peer.PLACE], "Cửa 12, Nội Bài")
        # Made for another request: opens with no key of an open one.
        self.assertIn("no open request", self.ours(do="open", answer=peer.seal(TOKEN, request.key, bytes(32)))["error"])
        answer = peer.seal(TOKEN, request.key, request.hash)
        changed = answer[:-3] + ("000" if answer[-3:] != "000" else "001")
        self.assertIn("error", self.ours(do="open", answer=changed))
        # The sign of the ephemeral key alone: the shared secret stays the same, the answer does not.
        message = bytearray(peer.base45_decode(answer[5:]))
        self.assertIn(message[-2], (0xF4, 0xF5))
        message[-2] ^= 1
        self.assertIn("no open request", self.ours(do="open", answer="CWA1:" + peer.base45_encode(bytes(message)))["error"])
        self.assertEqual(self.ours(do="open", answer=answer), {"kbt": TOKEN.hex()})
        self.assertIn("closed", self.ours(do="open", answer=answer)["error"])

    def test_the_peer_asks_and_we_answer(self):
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = certificate(name(None, "Peer CA"), name(None, "Peer CA"), authority_key, authority_key, [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
        ])
        leaf = certificate(name("Sân bay Nội Bài", "NB-1"), authority.subject, key, authority_key, [
            (x509.ExtendedKeyUsage([ObjectIdentifier("1.0.18013.5.1.6")]), True),
            (x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.7.1"), b"\x0c\x06flight"), False),
        ])
        leaf, authority = (c.public_bytes(serialization.Encoding.DER) for c in (leaf, authority))
        self.assertLessEqual(len(leaf), 400)
        ephemeral, now = ec.generate_private_key(ec.SECP256R1()), int(time.time())
        claims = {
            1: 1, peer.ROLE: "flight", peer.PURPOSE: "boarding", peer.LEGAL_BASIS: "", peer.DOCUMENTS: [["citizen-identity", ["full_name"]]],
            peer.RETENTION: 1, peer.PLACE: "Gate 12", peer.NONCE: secrets.token_bytes(16), peer.IAT: now, peer.EXP: now + 120,
            peer.KEY: peer.cose_key(ephemeral.public_key()),
        }
        text, request_hash = peer.make_request(claims, leaf, key)
        told = self.ours(do="answer", request=text, authority=authority.hex(), kbt=TOKEN.hex())
        self.assertEqual(told["facts"], [["request.signature", "passed"], ["request.chain", "passed"], ["request.time", "passed"]])
        self.assertEqual((told["organisation"], told["place"], told["hash"]), ("Sân bay Nội Bài", "Gate 12", request_hash.hex()))
        self.assertEqual(told["audience"].partition(":")[0], "x509_hash")
        self.assertEqual(peer.open_answer(told["answer"], ephemeral, request_hash), TOKEN)
        with self.assertRaises(InvalidTag):
            peer.open_answer(told["answer"], ephemeral, hashlib.sha256(b"another").digest())
        # One changed byte of the signed part.
        forged, _ = peer.make_request({**claims, peer.PLACE: "Gate 13"}, leaf, ephemeral)
        told = self.ours(do="answer", request=forged, authority=authority.hex(), kbt=TOKEN.hex())
        self.assertEqual(told["facts"][0], ["request.signature", "failed"])
        self.assertNotIn("answer", told)


if __name__ == "__main__":
    unittest.main()
