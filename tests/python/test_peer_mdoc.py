"""mdoc against pymdoccbor: it verifies a credential of ours, we verify one of its, and each refuses one changed byte."""

import base64
import datetime
import json
import logging
import pathlib
import tempfile
import unittest

import cbor2
import cryptography.x509 as x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier
from pymdoccbor.mdoc.issuer import MdocCborIssuer
from pymdoccbor.mdoc.verifier import MdocCbor

import support

logging.disable(logging.CRITICAL)
MDL = "org.iso.18013.5.1.mDL"


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def our_licence():
    """The first driving licence mdoc that central issued in the recorded demo."""
    for _, request, response in support.exchanges("/credential"):
        if request and json.loads(request).get("credential_configuration_id") == "driving-licence.mdoc":
            return unpad(json.loads(response)["credentials"][0]["credential"])
    raise AssertionError("the demo recorded no licence")


def our_root():
    """The root of the authority that issues licences, as the trust repository publishes it."""
    for _, _, response in support.exchanges("issuers.json"):
        for issuer in json.loads(response)["issuers"]:
            if "driving-licence" in issuer["documents"]:
                der = base64.b64decode(issuer["root"] + "=" * (-len(issuer["root"]) % 4), altchars=b"-_" if set("-_") & set(issuer["root"]) else None)
                return x509.load_der_x509_certificate(der)
    raise AssertionError("no issuer of licences is published")


def peer_accepts(issuer_signed, root):
    """Whether pymdoccbor accepts an IssuerSigned structure under a given root: chain, signature and every digest."""
    response = {"version": "1.0", "documents": [{"docType": MDL, "issuerSigned": cbor2.loads(issuer_signed)}], "status": 0}
    peer = MdocCbor()
    peer.loads(cbor2.dumps(response))
    try:
        return peer.verify(trusted_root_certs=[root]) and len(peer.documents) == 1
    except Exception:
        return False


class OursVerifiedByPymdoccbor(unittest.TestCase):
    def test_accepts_a_credential_of_ours_under_its_root(self):
        self.assertTrue(peer_accepts(our_licence(), our_root()))

    def test_refuses_one_changed_byte_of_a_value(self):
        licence = our_licence()
        at = licence.index(b"family_name") + len(b"family_name") + len(b"lelementValue") + 2
        self.assertFalse(peer_accepts(licence[:at] + bytes([licence[at] ^ 1]) + licence[at + 1 :], our_root()))

    def test_refuses_another_root(self):
        self.assertFalse(peer_accepts(our_licence(), Authority().root))


class Authority:
    """A root and a document signer by `cryptography`, in the profile of ISO/IEC 18013-5 annex B."""

    def __init__(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, "Peer root")])
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, "Peer signer")])

        def build(subject, key, authority, days):
            usage = dict.fromkeys(
                ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"],
                False,
            )
            usage.update({"key_cert_sign": True, "crl_sign": True} if authority else {"digital_signature": True})
            builder = (
                x509.CertificateBuilder().subject_name(subject).issuer_name(root_name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=days)).add_extension(x509.KeyUsage(**usage), critical=True)
            )
            if authority:
                builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            else:
                purpose = x509.ExtendedKeyUsage([ObjectIdentifier("1.0.18013.5.1.2")])
                builder = builder.add_extension(purpose, critical=True)
            return builder.sign(self.root_key, hashes.SHA256())

        self.root, self.signer = build(root_name, self.root_key, True, 3650), build(name, self.key, False, 300)

    def issue(self):
        """An IssuerSigned structure by pymdoccbor."""
        device = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
        private = {"KTY": "EC2", "CURVE": "P_256", "ALG": "ES256", "D": self.key.private_numbers().private_value.to_bytes(32, "big"), "KID": b"peer"}
        today = datetime.date.today()
        issuer = MdocCborIssuer(private_key=private, alg="ES256")
        issued = issuer.new(
            doctype=MDL,
            data={"org.iso.18013.5.1": {"family_name": "Trần", "given_name": "Thị Bình", "document_number": "790123456789", "resident_city": "Huế"}},
            validity={"issuance_date": str(today), "expiry_date": str(today + datetime.timedelta(days=200))},
            devicekeyinfo={"KTY": "EC2", "CURVE": "P_256", "X": device.x.to_bytes(32, "big"), "Y": device.y.to_bytes(32, "big")},
            x509_chain=[self.signer.public_bytes(serialization.Encoding.DER)],
        )
        return cbor2.dumps(issued["documents"][0]["issuerSigned"])


class PymdoccborVerifiedByOurs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.issued = cls.authority.issue()

    def judge(self, issuer_signed, root):
        with tempfile.TemporaryDirectory() as folder:
            credential, anchor = pathlib.Path(folder, "credential.cbor"), pathlib.Path(folder, "root.der")
            credential.write_bytes(issuer_signed)
            anchor.write_bytes(root.public_bytes(serialization.Encoding.DER))
            return support.run("verify", credential, "--root", anchor, "--doctype", MDL)

    def test_accepts_a_credential_of_the_peer(self):
        done = self.judge(self.issued, self.authority.root)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_refuses_one_changed_byte_of_a_value(self):
        at = self.issued.index("Huế".encode())
        done = self.judge(self.issued[:at] + bytes([self.issued[at] ^ 1]) + self.issued[at + 1 :], self.authority.root)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("credential.digest", done.stdout)

    def test_refuses_one_changed_byte_anywhere(self):
        for at in [3, *range(0, len(self.issued), 29)]:
            done = self.judge(self.issued[:at] + bytes([self.issued[at] ^ 0x10]) + self.issued[at + 1 :], self.authority.root)
            self.assertIn(done.returncode, (1, 3), f"byte {at}: {done.stdout}{done.stderr}")

    def test_refuses_another_root(self):
        done = self.judge(self.issued, Authority().root)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("credential.chain", done.stdout)


if __name__ == "__main__":
    unittest.main()
