"""EF.SOD: CMS SignedData around the LDS security object (ICAO 9303-10, 4.6.2; RFC 5652, 5 and 11)."""

import hashlib
import hmac

from asn1crypto import cms, core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import tlv
from .certificates import load
from .facts import NotJudged, Unreadable

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
HASHES = {"sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


class DataGroupHash(core.Sequence):
    _fields = [("number", core.Integer), ("value", core.OctetString)]


class DataGroupHashes(core.SequenceOf):
    _child_spec = DataGroupHash


class LdsSecurityObject(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("hash_algorithm", cms.DigestAlgorithm),
        ("hashes", DataGroupHashes),
        ("lds_version", core.Any, {"optional": True}),
    ]


class Sod:
    def __init__(self, data):
        try:
            info = cms.ContentInfo.load(tlv.only(data, 0x77), strict=True)
            self.signed = info["content"]
            inner = self.signed["encap_content_info"]
            if info["content_type"].native != "signed_data" or inner["content_type"].dotted != LDS_SECURITY_OBJECT:
                raise Unreadable("not signed LDS security data")
            self.content = inner["content"].contents
            lds = LdsSecurityObject.load(self.content, strict=True)
            self.hash = lds["hash_algorithm"]["algorithm"].native
            self.groups = {int(entry["number"].native): entry["value"].native for entry in lds["hashes"]}
            if len(self.groups) != len(lds["hashes"]) or not self.groups or self.hash not in HASHES:
                raise Unreadable("the list of data group hashes")
            if len(self.signed["signer_infos"]) != 1:
                raise Unreadable("not exactly one signer")
            self.signer_info = self.signed["signer_infos"][0]
            self.attributes = self.signer_info["signed_attrs"]
            self.attributes.native  # parsed to the end, or refused here
            self.signer = self._signer()
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise Unreadable("the security object") from error

    def _signer(self):
        """The embedded certificate that the signer identifier names."""
        identifier = self.signer_info["sid"]
        for choice in self.signed["certificates"]:
            certificate = choice.chosen
            if identifier.name == "issuer_and_serial_number":
                named = identifier.chosen
                if named["issuer"] == certificate.issuer and named["serial_number"].native == certificate.serial_number:
                    return load(certificate.dump())
            elif certificate.key_identifier == identifier.native:
                return load(certificate.dump())
        return None

    def _attribute(self, kind):
        found = [attribute for attribute in self.attributes if attribute["type"].native == kind]
        if len(found) != 1 or len(found[0]["values"]) != 1:
            return None
        return found[0]["values"][0]

    def matches(self, number, data):
        listed = self.groups.get(number)
        return listed is not None and hmac.compare_digest(listed, hashlib.new(self.hash, data).digest())

    def signature_problem(self):
        """RFC 5652, 5.4, 5.6 and 11: content type, digest of the content, then the signature over the DER of the attributes."""
        kind, digest = self._attribute("content_type"), self._attribute("message_digest")
        if kind is None or kind.dotted != LDS_SECURITY_OBJECT:
            return "the signed content type is missing or another"
        digest_name = self.signer_info["digest_algorithm"]["algorithm"].native
        if digest_name not in HASHES:
            return NotJudged("another digest algorithm")
        if digest is None or not hmac.compare_digest(digest.native, hashlib.new(digest_name, self.content).digest()):
            return "the signed digest is not that of the content"
        if self.signer is None:
            return "the signer's certificate is not there"
        message, signature = self.attributes.untag().dump(), self.signer_info["signature"].native
        key, hash_algorithm = self.signer.public_key(), HASHES[digest_name]()
        algorithm = self.signer_info["signature_algorithm"]
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                if algorithm["algorithm"].native != f"{digest_name}_ecdsa":
                    return "digest and signature algorithm differ"
                key.verify(signature, message, ec.ECDSA(hash_algorithm))
            elif isinstance(key, rsa.RSAPublicKey) and algorithm.signature_algo == "rsassa_pkcs1v15":
                key.verify(signature, message, padding.PKCS1v15(), hash_algorithm)
            else:
                return NotJudged("another signature algorithm")
        except InvalidSignature:
            return "the signature does not verify"
        return None
