"""SD-CWT (draft-ietf-spice-sd-cwt): 5 redaction and disclosures, 8 validation; the key binding token; the profile's own claims of this project."""

import hashlib
import hmac

import cbor2

from . import cbor, cose, status
from .certificates import kid
from .facts import FAILED, PASSED, Ladder, Unreadable

KCWT, CWT_CLAIMS, SD_CLAIMS, SD_ALG = 13, 15, 17, 170
REDACTED_KEYS = cbor2.CBORSimpleValue(59)
REDACTED_ELEMENT, TO_BE_REDACTED, TO_BE_DECOY = 60, 58, 62
TYPES = (293, "application/sd-cwt")
KBT_TYPES = (294, "application/kb+cwt")
ISS, SUB, AUD, EXP, NBF, IAT, CTI, CNF, VCT, CNONCE = 1, 2, 3, 4, 5, 6, 7, 8, 11, 39
# Private claims of the key binding token: SHA-256 of the request, and how the answer travels.
REQUEST_HASH, MODE = -65537, -65538
MODE_B = 1
NEVER_REDACTED = {ISS, AUD, EXP, NBF, IAT, CTI, CNF, CNONCE, VCT, status.STATUS}
SKEW = 60
REQUEST_LIFE = 120
ABSENT = object()


def time_of(claims, key):
    value = claims.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise Unreadable("a time")
    return None if value is None else int(value // 1)


class SdCwt:
    def __init__(self, source):
        self.sign1 = cose.Sign1(source)
        protected = self.sign1.protected
        if protected.get(cose.TYP) not in TYPES or protected.get(SD_ALG, -16) != -16:
            raise Unreadable("not an SD-CWT with SHA-256")
        self.claims = cbor.loads(self.sign1.payload)
        if not isinstance(self.claims, dict):
            raise Unreadable("claims of an SD-CWT")
        self.vct = self.claims.get(VCT)
        self.issued, self.start, self.end = (time_of(self.claims, key) for key in (IAT, NBF, EXP))
        self.status = status.reference(self.claims.get(status.STATUS))
        try:
            self.holder = cose.public_key(self.claims[CNF][1])
        except (KeyError, TypeError) as error:
            raise Unreadable("no holder key") from error
        disclosures = self.sign1.unprotected.get(SD_CLAIMS, [])
        if not isinstance(disclosures, list) or not all(isinstance(d, bytes) for d in disclosures):
            raise Unreadable("disclosures")
        self.disclosures = disclosures

    def revealed(self, holder):
        """Claims with what was disclosed in its place, and the reason why that is not possible. A holder demands a disclosure for every digest."""
        by_digest = {}
        for raw in self.disclosures:
            # The digest is over the CBOR byte string, its head included.
            digest = hashlib.sha256(cbor2.dumps(raw)).digest()
            parts = cbor.loads(raw)
            if not isinstance(parts, list) or not 1 <= len(parts) <= 3 or not isinstance(parts[0], bytes) or len(parts[0]) != 16:
                raise Unreadable("a disclosure")
            if digest in by_digest:
                return None, "a disclosure stands twice"
            by_digest[digest] = parts
        try:
            seen = set()
            claims = reveal(self.claims, by_digest, seen, 0)
        except Unreadable as problem:
            return None, str(problem)
        if by_digest.keys() - seen:
            return None, "a disclosure without a signed digest"
        if holder and seen - by_digest.keys():
            return None, "a digest without disclosure"
        return claims, None

    def period_problem(self, now):
        if self.end is None:
            return "no end of validity"
        if any(t is not None and now + SKEW < t for t in (self.start, self.issued)):
            return "not valid yet"
        return "expired" if now >= self.end else None

    def signer(self, trust):
        """Named by the first eight bytes of the SHA-256 of its certificate."""
        named = self.sign1.header(cose.KID)
        return next((c for c in trust.signers() if kid(c) == named), None)

    def issuer_rungs(self, ladder, trust, document, vct, now, holder):
        """Chain, signature, digests. Gives the claims when all hold."""
        signer = self.signer(trust)
        listed_for = document if self.vct == vct else None
        ladder.check("credential.chain", trust.signer_problem(signer, listed_for, now) if signer else "signer not listed")
        ladder.check("credential.signature", None if signer and self.sign1.verifies(signer.public_key()) else "does not verify")
        if not ladder.whole:
            ladder.check("credential.digest", "")
            return None
        claims, problem = self.revealed(holder)
        ladder.check("credential.digest", problem)
        return claims


def reveal(value, by_digest, seen, depth):
    def disclosed(digest, length):
        if not isinstance(digest, bytes) or len(digest) != 32 or digest in seen:
            raise Unreadable("a digest of another length, or twice")
        seen.add(digest)
        parts = by_digest.get(digest)
        if parts is None or len(parts) == 1:
            return None
        if len(parts) != length:
            raise Unreadable("a disclosure in the wrong place")
        return parts

    if depth > 16:
        raise Unreadable("nested too deeply")
    if isinstance(value, dict):
        out, added = {}, []
        for key, inner in value.items():
            if key == REDACTED_KEYS:
                added += [parts for parts in (disclosed(digest, 3) for digest in inner) if parts]
            elif isinstance(key, (int, str)) and not isinstance(key, bool):
                out[key] = reveal(inner, by_digest, seen, depth + 1)
            else:
                raise Unreadable("a claim key of another kind")
        for _, inner, key in added:
            if not isinstance(key, (int, str)) or (depth == 0 and key in NEVER_REDACTED) or key in out:
                raise Unreadable("a claim that may not be redacted, or twice")
            out[key] = reveal(inner, by_digest, seen, depth + 1)
        return out
    if isinstance(value, list):
        out = []
        for inner in value:
            if isinstance(inner, cbor2.CBORTag) and inner.tag == REDACTED_ELEMENT:
                parts = disclosed(inner.value, 2)
                if parts:
                    out.append(reveal(parts[1], by_digest, seen, depth + 1))
            else:
                out.append(reveal(inner, by_digest, seen, depth + 1))
        return out
    if isinstance(value, cbor2.CBORTag):
        if value.tag in (REDACTED_ELEMENT, TO_BE_REDACTED, TO_BE_DECOY):
            raise Unreadable("a mark in the wrong place")
        return cbor2.CBORTag(value.tag, reveal(value.value, by_digest, seen, depth + 1))
    return value


def issued(data, document, vct, holder, trust, lists, now, hours, about):
    """Facts about an SD-CWT that was just issued to the key `holder`."""
    one = SdCwt(data)
    ladder = Ladder("wallet", about)
    one.issuer_rungs(ladder, trust, document, vct, now, holder=True)
    ladder.check("credential.holder", None if cose.same_key(one.holder, holder) else "issued to another key")
    problem = one.period_problem(now)
    ladder.note("credential.validity", FAILED if problem else PASSED, problem or "")
    status.judge(ladder, one.status, lists, now, *hours)
    ladder.note("credential.type", PASSED if one.vct == vct else FAILED)
    return ladder.facts


class Kbt:
    """A key binding token: what the holder signed around the SD-CWT, for one checker and one request."""

    def __init__(self, data):
        self.sign1 = cose.Sign1(data)
        if self.sign1.protected.get(cose.TYP) not in KBT_TYPES:
            raise Unreadable("not typed as a key binding token")
        claims = cbor.loads(self.sign1.payload)
        if not isinstance(claims, dict) or {ISS, SUB} & claims.keys() or self.sign1.header(CWT_CLAIMS) is not None:
            raise Unreadable("claims that a key binding token may not have")
        if not isinstance(claims.get(AUD), str) or (IAT not in claims and CTI not in claims):
            raise Unreadable("claims of a key binding token")
        self.audience, self.nonce, self.request, self.mode = (claims.get(key) for key in (AUD, CNONCE, REQUEST_HASH, MODE))
        self.issued, self.start, self.end = (time_of(claims, key) for key in (IAT, NBF, EXP))
        if KCWT not in self.sign1.protected:
            raise Unreadable("a key binding token without a credential")
        self.token = SdCwt(self.sign1.protected[KCWT])

    def exchange_problems(self, request):
        """Nonce, request, audience of an answer to `request` (path B: all three are demanded)."""

        def same(one, other):
            return isinstance(one, bytes) and hmac.compare_digest(one, other)

        return [
            ("exchange.nonce", None if self.mode == MODE_B and same(self.nonce, request.nonce) else "another nonce or another mode"),
            ("exchange.request", None if same(self.request, request.hash) else "answers another request"),
            ("exchange.audience", None if self.audience == request.audience else "meant for somebody else"),
        ]

    def time_problem(self, now):
        """The credential's period, then the two tokens' times against each other. The second value is a caution."""
        problem = self.token.period_problem(now)
        if problem:
            return problem, False
        inner = self.token
        starts = [t for t in (inner.issued, inner.start) if t is not None]
        if self.issued is None or (starts and self.issued < max(starts)) or self.issued >= inner.end:
            return "presented outside the validity of the credential", False
        if (self.end is not None and (self.end > inner.end or self.issued >= self.end)) or (self.start is not None and self.start > self.issued):
            return "times of the key binding token out of order", False
        return None, abs(now - self.issued) > SKEW + REQUEST_LIFE
