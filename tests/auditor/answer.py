"""A holder's answer (`CWA1:`; core/middle/exchange/src/ecdh_es.rs tells the form): COSE_Encrypt with ECDH-ES + HKDF-256 and A128GCM
(RFC 9052, 5.1 and 8.5.4; RFC 9053, 4.1, 5.2 and 6.3.1) around a key binding token."""

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import cbor, cose, pictures, sdcwt, status
from .documents import TYPES
from .facts import FAILED, NOT_CHECKED, PASSED, Fact, Ladder, Unreadable

PREFIX, TAG_ENCRYPT = "CWA1:", 96
IV, EPHEMERAL = 5, -1
A128GCM, ECDH_ES_HKDF_256 = cbor2.dumps({1: 1}), cbor2.dumps({1: -25})
RUNGS = """exchange.nonce exchange.request exchange.audience credential.chain credential.signature credential.digest credential.holder
credential.validity status.freshness credential.status credential.type""".split()
SKEW = 60


class Envelope:
    """What everybody can read of an answer."""

    def __init__(self, text):
        message = cbor.loads(pictures.body(text, PREFIX))
        try:
            if message.tag != TAG_ENCRYPT:
                raise Unreadable("not a COSE_Encrypt")
            protected, unprotected, self.ciphertext, [[recipient_protected, recipient, nothing]] = message.value
            if protected != A128GCM or recipient_protected != ECDH_ES_HKDF_256 or nothing != b"":
                raise Unreadable("another algorithm")
            self.iv, self.sender = unprotected[IV], cose.public_key(recipient[EPHEMERAL])
            if unprotected.keys() != {IV} or recipient.keys() != {EPHEMERAL} or len(self.iv) != 12:
                raise Unreadable("more than an envelope holds")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unreadable("the envelope of an answer") from error

    def opened(self, private, request_hash):
        """The key binding token, or None when this is not the key or not the request it was made for."""
        parties = [[compressed(key), None, None] for key in (self.sender, private.public_key())]
        info = cbor2.dumps([1, *parties, [128, ECDH_ES_HKDF_256, request_hash]])
        key = HKDF(hashes.SHA256(), 16, None, info).derive(private.exchange(ec.ECDH(), self.sender))
        try:
            content = AESGCM(key).decrypt(self.iv, self.ciphertext, cbor2.dumps(["Encrypt", A128GCM, b""]))
        except InvalidTag:
            return None
        return pictures.inflate(content)


def compressed(public):
    """SEC 1, 2.3.3."""
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def private_key(scalar):
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def broken_at(name, why, about):
    """A ladder whose first rungs hold and that breaks at `name`."""
    ladder = Ladder("verifier", about)
    for rung in RUNGS:
        ladder.check(rung, why if rung == name else None)
    return ladder.facts


def judge(token, request, trust, lists, now):
    """The verifier's facts about a decrypted answer to its own open request for one document. `lists`: address to status list, unverified."""
    [document] = request.documents
    role = trust.roles[request.role]
    portrait = Fact("portrait.match", NOT_CHECKED, document, "verifier", False, "nobody compared a face yet")
    try:
        kbt = sdcwt.Kbt(token)
    except Unreadable as error:
        return [*broken_at("exchange.request", str(error), document), portrait]
    ladder, one = Ladder("verifier", document), kbt.token
    for name, problem in kbt.exchange_problems(request):
        ladder.check(name, problem)
    vct = TYPES[document][1]
    one.issuer_rungs(ladder, trust, document, vct, now, holder=False)
    ladder.check("credential.holder", None if kbt.sign1.verifies(one.holder) else "signed by another key")
    whole = ladder.whole
    problem, caution = kbt.time_problem(now)
    ladder.note("credential.validity", FAILED if problem else PASSED, problem or "", caution)
    before = len(ladder.facts)
    held = lists.get(one.status[0]) if one.status else None
    problem_of_list = held.signature_problem(trust, one.status[0], now) if held else None
    usable = {one.status[0]: held} if held and not problem_of_list else {}
    status.judge(ladder, one.status, usable, now, role["status_green_hours"], role["status_caution_hours"])
    ladder.note("credential.type", PASSED if one.vct == vct else FAILED)
    facts = ladder.facts
    # The list stands for itself: its signature is a fact of its own before those that depend on it.
    result = NOT_CHECKED if held is None else FAILED if problem_of_list else PASSED
    facts.insert(before, Fact("status.signature", result, document, "verifier", False, problem_of_list or ""))
    if whole and problem and facts[before + 1].result == FAILED:
        # Nobody keeps up a list for documents past their end: that it ended too is no second fault.
        facts[before + 1] = facts[before + 1]._replace(result=NOT_CHECKED)
    return [*facts, portrait]
