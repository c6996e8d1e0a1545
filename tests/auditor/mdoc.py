"""An mdoc at issuance: IssuerSigned and its mobile security object (ISO/IEC 18013-5:2021, 8.3.2.1.2.2, 9.1.2, 9.3.1)."""

import hashlib
import hmac
from datetime import datetime

import cbor2

from . import cbor, cose, status
from .certificates import load, valid_at
from .facts import FAILED, PASSED, Ladder, Unreadable

DIGESTS = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}
TAG_ENCODED, TAG_DATE_TIME = 24, 0
SKEW = 60


def moment(value):
    """tdate (7.2.1): tag 0 over RFC 3339 text."""
    if not isinstance(value, cbor2.CBORTag) or value.tag != TAG_DATE_TIME:
        raise Unreadable("a time of the mobile security object")
    try:
        return int(datetime.fromisoformat(value.value.replace("Z", "+00:00")).timestamp())
    except (AttributeError, ValueError) as error:
        raise Unreadable("a time of the mobile security object") from error


class IssuerSigned:
    """Everything below is out of the bytes that arrived; digests are over exactly them."""

    def __init__(self, data):
        members = {cbor.loads(key): value for key, value in cbor.spans(data)}
        if members.keys() != {"nameSpaces", "issuerAuth"}:
            raise Unreadable("members of IssuerSigned")
        self.items = []
        for name_space, items in cbor.spans(members["nameSpaces"]):
            for raw in cbor.spans(items):
                tagged = cbor.loads(raw)
                if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != TAG_ENCODED:
                    raise Unreadable("IssuerSignedItemBytes")
                item = cbor.loads(tagged.value)
                if not {"digestID", "random", "elementIdentifier", "elementValue"} <= item.keys() or len(item["random"]) < 16:
                    raise Unreadable("IssuerSignedItem")
                self.items.append((cbor.loads(name_space), raw, item))
        self.auth = cose.Sign1(members["issuerAuth"])
        tagged = cbor.loads(self.auth.payload)
        if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != TAG_ENCODED:
            raise Unreadable("MobileSecurityObjectBytes")
        mso = cbor.loads(tagged.value)
        try:
            if mso["version"] != "1.0":
                raise Unreadable("version of the mobile security object")
            self.hash = DIGESTS[mso["digestAlgorithm"]]
            self.digests, self.doctype = mso["valueDigests"], mso["docType"]
            self.device_key = cose.public_key(mso["deviceKeyInfo"]["deviceKey"])
            validity = mso["validityInfo"]
            self.signed, self.start, self.end = (moment(validity[key]) for key in ("signed", "validFrom", "validUntil"))
            self.status = status.reference(mso.get("status"))
            chain = self.auth.header(cose.X5CHAIN)
            self.signer = load(chain[0] if isinstance(chain, list) else chain)
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable("the mobile security object") from error

    def digest_problem(self):
        """9.3.1: every element against its digest; no element and no digest identifier twice."""
        ids, names = set(), set()
        for name_space, raw, item in self.items:
            number, element = (name_space, item["digestID"]), (name_space, item["elementIdentifier"])
            if number in ids or element in names:
                return "an element stands twice"
            ids.add(number)
            names.add(element)
            signed = self.digests.get(name_space, {}).get(item["digestID"])
            if signed is None or not hmac.compare_digest(signed, self.hash(raw).digest()):
                return "an element does not match a signed digest"
        return None

    def period_problem(self, now):
        if not valid_at(self.signer, self.signed):
            return "signed outside the validity of the signer's certificate"
        if self.end < self.start or now + SKEW < self.start or now + SKEW < self.signed:
            return "not valid yet"
        return "expired" if now >= self.end else None


def issued(data, document, doctype, holder, trust, lists, now, hours, about):
    """Facts about an mdoc that was just issued to the key `holder`."""
    one = IssuerSigned(data)
    ladder = Ladder("wallet", about)
    listed_for = document if one.doctype == doctype else None
    ladder.check("credential.chain", trust.signer_problem(one.signer, listed_for, now))
    ladder.check("credential.signature", None if one.auth.verifies(one.signer.public_key()) else "does not verify")
    ladder.check("credential.digest", one.digest_problem())
    ladder.check("credential.holder", None if cose.same_key(one.device_key, holder) else "issued to another key")
    problem = one.period_problem(now)
    ladder.note("credential.validity", FAILED if problem else PASSED, problem or "")
    status.judge(ladder, one.status, lists, now, *hours)
    ladder.note("credential.type", PASSED if one.doctype == doctype else FAILED)
    return ladder.facts
