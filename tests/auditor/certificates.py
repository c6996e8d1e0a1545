"""X.509: one link from a signer to a listed authority (RFC 5280, 6.1, with paths of length one; ICAO 9303-12; ISO/IEC 18013-5 annex B)."""

import hashlib
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

DOCUMENT_SIGNER = "1.0.18013.5.1.2"  # ISO/IEC 18013-5, table B.3
READER = "1.0.18013.5.1.6"  # ISO/IEC 18013-5, table B.7
STATUS_SIGNER = "1.3.6.1.5.5.7.3.30"  # Token Status List, 10.1
UNDERSTOOD = {"2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35"}


def load(der):
    return x509.load_der_x509_certificate(der)


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


def sha256(certificate):
    return hashlib.sha256(der(certificate)).digest()


def kid(certificate):
    """The first eight bytes of the SHA-256, as HCERT names its signers."""
    return sha256(certificate)[:8]


def moment(at):
    return datetime.fromtimestamp(at, timezone.utc)


def valid_at(certificate, at):
    return certificate.not_valid_before_utc <= moment(at) <= certificate.not_valid_after_utc


def extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_authority(certificate):
    basic, usage = extension(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
    return bool(basic and basic.ca and (usage is None or usage.key_cert_sign))


def has_purpose(certificate, oid):
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    return purposes is not None and any(purpose.dotted_string == oid for purpose in purposes)


def named_by(leaf, authority):
    return leaf.issuer == authority.subject


def link(leaf, authority, at):
    """None when `authority` issued `leaf` and both are valid at `at`; the reason otherwise."""
    if not named_by(leaf, authority):
        return "names another issuer"
    if not is_authority(authority):
        return "its issuer may not sign certificates"
    try:
        leaf.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return "its signature does not verify under the listed authority"
    for one in (leaf, authority):
        if any(e.critical and e.oid.dotted_string not in UNDERSTOOD for e in one.extensions):
            return "a critical extension that nobody here understands"
    if not valid_at(leaf, at):
        return "not valid at this time"
    if not valid_at(authority, at):
        return "its authority is not valid at this time"
    return None
