"""Path B written from its description alone, with `cryptography` and `cbor2`: the checker's and the wallet's side of one exchange.

    text     = prefix + base45(zlib(COSE))                    request, CWQ1:
    text     = prefix + base45(COSE_Encrypt(zlib(token)))     answer, CWA1:
    key      = HKDF-SHA-256(no salt, ECDH x, COSE_KDF_Context)
    context  = [1, [sender, nil, nil], [receiver, nil, nil], [128, << {1: -25} >>, SHA-256 of the request]]
    sender   = the ephemeral key in the envelope, receiver = the request's key, each as a compressed SEC 1 point (33 bytes)
"""

import hashlib
import zlib

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
ROLE, PURPOSE, LEGAL_BASIS, DOCUMENTS, RETENTION, PLACE, NONCE, IAT, EXP, KEY = range(2, 12)


def base45_encode(data):
    """RFC 9285, 4."""
    out = []
    for at in range(0, len(data), 2):
        chunk = data[at : at + 2]
        number = int.from_bytes(chunk, "big")
        for _ in range(len(chunk) + 1):
            number, digit = divmod(number, 45)
            out.append(ALPHABET[digit])
    return "".join(out)


def base45_decode(text):
    """RFC 9285, 4."""
    out = bytearray()
    for at in range(0, len(text), 3):
        digits = [ALPHABET.index(c) for c in text[at : at + 3]]
        out += sum(digit * 45**n for n, digit in enumerate(digits)).to_bytes(len(digits) - 1, "big")
    return bytes(out)


def cose_key(public):
    """A COSE_Key with y as a sign bit (RFC 9053, 7.1.1)."""
    numbers = public.public_numbers()
    return {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: bool(numbers.y & 1)}


def public_key(key):
    """The P-256 key of a COSE_Key, y as a sign bit or as bytes."""
    assert key[1] == 2 and key[-1] == 1
    point = bytes([2 + key[-3]]) + key[-2] if isinstance(key[-3], bool) else b"\x04" + key[-2] + key[-3]
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def raw_signature(private, message):
    r, s = utils.decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def compressed(public):
    """SEC 1, 2.3.3."""
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def content_key(private, public, sender, receiver, recipient_protected, request_hash):
    """RFC 9053, 5.2 and 6.3.1: ECDH-ES + HKDF-256 for A128GCM; both keys are the parties' identities."""
    parties = [[compressed(key), None, None] for key in (sender, receiver)]
    info = cbor2.dumps([1, *parties, [128, recipient_protected, request_hash]])
    return HKDF(hashes.SHA256(), 16, None, info).derive(private.exchange(ec.ECDH(), public))


def seal(token, recipient, request_hash):
    """The wallet's side: a token encrypted to the request's key, as text."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    protected, recipient_protected = cbor2.dumps({1: 1}), cbor2.dumps({1: -25})
    key = content_key(ephemeral, recipient, ephemeral.public_key(), recipient, recipient_protected, request_hash)
    iv = hashlib.sha256(token + b"iv").digest()[:12]
    ciphertext = AESGCM(key).encrypt(iv, zlib.compress(token, 9), cbor2.dumps(["Encrypt", protected, b""]))
    message = [protected, {5: iv}, ciphertext, [[recipient_protected, {-1: cose_key(ephemeral.public_key())}, b""]]]
    return "CWA1:" + base45_encode(cbor2.dumps(cbor2.CBORTag(96, message)))


def open_answer(text, private, request_hash):
    """The checker's side: the token of an answer; raises InvalidTag when it was made for another key or request."""
    assert text.startswith("CWA1:")
    message = cbor2.loads(base45_decode(text[5:]))
    assert message.tag == 96
    protected, unprotected, ciphertext, [[recipient_protected, recipient, nothing]] = message.value
    assert cbor2.loads(protected) == {1: 1} and cbor2.loads(recipient_protected) == {1: -25} and nothing == b""
    sender = public_key(recipient[-1])
    key = content_key(private, sender, sender, private.public_key(), recipient_protected, request_hash)
    return zlib.decompress(AESGCM(key).decrypt(unprotected[5], ciphertext, cbor2.dumps(["Encrypt", protected, b""])))


class Request:
    """A request as a peer reads it, verified."""

    def __init__(self, text, authority_der):
        assert text.startswith("CWQ1:")
        self.cose = zlib.decompress(base45_decode(text[5:]))
        tagged = cbor2.loads(self.cose)
        assert tagged.tag == 18
        protected, unprotected, payload, signature = tagged.value
        headers = cbor2.loads(protected)
        assert headers[1] == -7 and headers[16] == "application/cwq1" and unprotected == {}
        assert len(headers[33]) <= 400
        leaf, authority = x509.load_der_x509_certificate(headers[33]), x509.load_der_x509_certificate(authority_der)
        leaf.verify_directly_issued_by(authority)
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
        leaf.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
        self.claims = cbor2.loads(payload)
        role = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.99999.7.1")).value.value
        assert role == b"\x0c" + bytes([len(self.claims[ROLE])]) + self.claims[ROLE].encode()
        assert self.claims[1] == 1 and len(self.claims[NONCE]) == 16 and self.claims[EXP] - self.claims[IAT] <= 120
        self.hash = hashlib.sha256(self.cose).digest()
        self.key = public_key(self.claims[KEY])


def make_request(claims, leaf_der, private):
    """A signed request as text, and its hash."""
    protected = cbor2.dumps({1: -7, 16: "application/cwq1", 33: leaf_der})
    payload = cbor2.dumps(claims)
    signature = raw_signature(private, cbor2.dumps(["Signature1", protected, b"", payload]))
    cose = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    return "CWQ1:" + base45_encode(zlib.compress(cose, 9)), hashlib.sha256(cose).digest()
