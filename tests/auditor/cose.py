"""COSE_Sign1 (RFC 9052, 4.2 and 4.4), verified with `pycose`; COSE_Key (RFC 9053, 7.1.1)."""

import functools

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

from . import cbor
from .facts import Unreadable

ALG, KID, TYP, X5CHAIN = 1, 4, 16, 33
ES256 = -7
TAG_SIGN1 = 18


class Sign1:
    """A COSE_Sign1, tagged or not, with the byte strings that its signature covers."""

    def __init__(self, source):
        value = cbor.loads(source) if isinstance(source, bytes) else source
        if isinstance(value, cbor2.CBORTag):
            if value.tag != TAG_SIGN1:
                raise Unreadable("not a COSE_Sign1")
            value = value.value
        if not isinstance(value, list) or len(value) != 4 or not isinstance(value[1], dict):
            raise Unreadable("not a COSE_Sign1")
        self.protected_bytes, self.unprotected, self.payload, self.signature = value
        if not all(isinstance(part, bytes) for part in (self.protected_bytes, self.payload, self.signature)):
            raise Unreadable("not a COSE_Sign1")
        self.protected = cbor.loads(self.protected_bytes) if self.protected_bytes else {}
        if not isinstance(self.protected, dict) or self.protected.keys() & self.unprotected.keys():
            raise Unreadable("the headers of a COSE_Sign1")

    def header(self, label):
        return self.protected.get(label, self.unprotected.get(label))

    def verifies(self, public):
        """Whether the signature is ES256 by this P-256 key."""
        if self.protected.get(ALG) != ES256 or not is_p256(public) or len(self.signature) != 64:
            return False
        numbers = public.public_numbers()
        return _verifies(self.protected_bytes, self.payload, self.signature, numbers.x, numbers.y)


@functools.lru_cache(maxsize=4096)
def _verifies(protected, payload, signature, x, y):
    # Headers beside the algorithm are covered by the signature as bytes; `pycose` need not understand them.
    message = Sign1Message.from_cose_obj([cbor2.dumps({ALG: ES256}), {}, payload, signature], True)
    message._phdr_encoded = protected
    message.key = EC2Key(crv=P256, x=x.to_bytes(32, "big"), y=y.to_bytes(32, "big"))
    return bool(message.verify_signature())


def is_p256(public):
    return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)


def public_key(key):
    """The P-256 key of a COSE_Key; y as bytes or as its sign bit."""
    try:
        if key[1] != 2 or key[-1] != 1 or len(key[-2]) != 32 or -4 in key:
            raise Unreadable("not a P-256 public key")
        y = key[-3]
        point = bytes([2 + y]) + key[-2] if isinstance(y, bool) else b"\x04" + key[-2] + y
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("not a P-256 public key") from error


def same_key(one, other):
    return one.public_numbers() == other.public_numbers()
