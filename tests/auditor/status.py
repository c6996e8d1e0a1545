"""Token Status List (draft-ietf-oauth-status-list), CWT form: 5.2 the token, 4 the bits, 8.3 the checks."""

import functools
import zlib


from . import cbor, cose
from .certificates import STATUS_SIGNER, has_purpose, kid, sha256, valid_at
from .facts import FAILED, NOT_CHECKED, PASSED, Ladder, Unreadable

TYPE = "application/statuslist+cwt"
SUB, EXP, IAT, STATUS_LIST, STATUS = 2, 4, 6, 65533, 65535
SKEW = 60
CAP = 4 << 20
WORDS = {0: "valid", 1: "revoked", 2: "suspended"}


@functools.lru_cache(maxsize=2048)
def read(token):
    """A list as it came; raises Unreadable."""
    return StatusList(token)


class StatusList:
    def __init__(self, token):
        self.sign1 = cose.Sign1(token)
        if self.sign1.protected.get(cose.TYP) != TYPE:
            raise Unreadable("not typed as a status list")
        claims = cbor.loads(self.sign1.payload)
        try:
            self.uri, self.issued, self.expires = claims[SUB], int(claims[IAT]), claims.get(EXP)
            self.bits, compressed = claims[STATUS_LIST]["bits"], claims[STATUS_LIST]["lst"]
        except (KeyError, TypeError) as error:
            raise Unreadable("claims of a status list") from error
        if self.bits not in (1, 2, 4, 8):
            raise Unreadable("bits of a status list")
        inflater = zlib.decompressobj()
        try:
            self.bytes = inflater.decompress(compressed, CAP)
        except zlib.error as error:
            raise Unreadable("a status list is not zlib") from error
        if not inflater.eof:
            raise Unreadable("a status list is larger than allowed")

    def signature_problem(self, trust, uri, now):
        """Signed by a listed status signer, and for this address (8.3)."""
        named = self.sign1.header(cose.KID)
        signer = next((c for c in trust.status_signers if kid(c) == named), None)
        if signer is None:
            return "signer not listed"
        if sha256(signer) in trust.status_revoked:
            return "signer revoked"
        if not valid_at(signer, now) or not has_purpose(signer, STATUS_SIGNER):
            return "the signer's certificate is not valid for this"
        if not self.sign1.verifies(signer.public_key()):
            return "signature does not verify"
        return None if self.uri == uri else "a list for another address"

    def time_problem(self, now):
        if now + SKEW < self.issued:
            return "signed in the future"
        if self.expires is not None and now >= self.expires:
            return "past its end"
        return None

    def entry(self, index):
        """Least significant bits first (4.1); None beyond the end."""
        per_byte = 8 // self.bits
        if index // per_byte >= len(self.bytes):
            return None
        return self.bytes[index // per_byte] >> (index % per_byte) * self.bits & ((1 << self.bits) - 1)


def fetched(token, uri, trust, now, by):
    """Facts of a list that was fetched for an address: signature, then freshness. Gives the list when its signature holds."""
    found = read(token)
    ladder = Ladder(by)
    signed = ladder.check("status.signature", found.signature_problem(trust, uri, now))
    ladder.check("status.freshness", found.time_problem(now))
    return ladder.facts, found if signed else None


def reference(value):
    """Where a credential's status stands: {"status_list": {"idx", "uri"}} (6.1); None when it names none."""
    if value is None:
        return None
    try:
        place = value["status_list"]["uri"], value["status_list"]["idx"]
    except (KeyError, TypeError) as error:
        raise Unreadable("the status of a credential") from error
    return place


def judge(ladder, place, lists, now, green_hours, caution_hours):
    """`status.freshness` and `credential.status` of one credential at one moment. `lists`: address to verified list."""

    def both(freshness, status, why):
        ladder.note("status.freshness", freshness, why)
        ladder.note("credential.status", status, why)

    held = lists.get(place[0]) if place else None
    if held is None:
        return both(NOT_CHECKED, NOT_CHECKED, "no list at hand" if place else "the document names no list")
    if held.time_problem(now):
        return both(FAILED, NOT_CHECKED, held.time_problem(now))
    entry, age = held.entry(place[1]), now - held.issued
    bad = entry != 0
    word = "outside the list" if entry is None else WORDS.get(entry, "another status")
    if age > caution_hours * 3600:
        return both(NOT_CHECKED, FAILED if bad else NOT_CHECKED, "the list is too old")
    ladder.note("status.freshness", PASSED, "", caution=age > green_hours * 3600)
    ladder.note("credential.status", FAILED if bad else PASSED, word)
    return None


