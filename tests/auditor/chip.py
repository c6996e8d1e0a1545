"""What a chip gave, judged: passive authentication (ICAO 9303-11, 5.1), Active Authentication (6.1), the access that was offered (4.2, 9.2)."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from . import tlv
from .certificates import link, named_by, sha256
from .facts import Ladder, NotJudged, Unreadable
from .sod import Sod

ABOUT = "citizen-identity"
ID_PACE = bytes.fromhex("04007f0007020204")
ID_AA = bytes.fromhex("678108010105")
# BSI TR-03111, 5.2.1: signatures r || s. 9303-11, 9.2.4 lets DG14 name one of them.
ECDSA_PLAIN = {
    "04007f00070101040102": hashes.SHA224,
    "04007f00070101040103": hashes.SHA256,
    "04007f00070101040104": hashes.SHA384,
    "04007f00070101040105": hashes.SHA512,
}
LABEL = b"vn-wallet-aa-v1"


def challenge(session, nonce, action, account, thumbprint):
    """What the chip has to sign for one activation (docs/adr/0005): eight bytes that name session, nonce, action, account and device key."""
    parts = [LABEL, session.encode(), nonce, action.encode(), account.encode(), thumbprint]
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()[:8]


def security_infos(data):
    """(PACEInfos as a set, algorithm of Active Authentication) out of a SET OF SecurityInfo (9303-11, 9.2)."""
    pace, active = set(), None
    for tag, value, raw in tlv.elements(tlv.only(data, 0x31)):
        if tag != 0x30:
            raise Unreadable("a SecurityInfo")
        protocol = tlv.only(value, 0x06)
        if protocol.startswith(ID_PACE) and len(protocol) == len(ID_PACE) + 2:
            pace.add(raw)
        elif protocol == ID_AA:
            active = tlv.elements(value)[2][1]
    return pace, active


def judge(given, trust, now, by, expected=None, access=True, unsigned=None):
    """The six facts. `given`: `sod`, `groups` {number: bytes}, `challenge`, `signature`, `card_access`, `protocol`. `expected`: the challenge
    that the chip has to have signed, or None when whoever judges sent it. `unsigned`: why the device key does not stand behind the evidence."""
    ladder, sod, groups = Ladder(by, ABOUT), None, given["groups"]
    try:
        sod = Sod(given["sod"])
        problem = hash_problem(sod, groups)
    except Unreadable as error:
        problem = str(error)
    ladder.check("chip.hashes", problem)
    if not ladder.whole:
        for name in ("chip.signature", "chip.chain", "chip.revocation", "chip.genuine", "chip.access"):
            ladder.check(name, "")
        return ladder.facts
    ladder.check("chip.signature", sod.signature_problem())
    authorities = [one for one in trust.csca if sod.signer and named_by(sod.signer, one)]
    links = [(one, link(sod.signer, one, now)) for one in authorities]
    good = [one for one, problem in links if problem is None]
    ladder.check("chip.chain", None if good else (links[0][1] if links else "the document signer is unknown"))
    revoked = trust.cards_revoked
    ladder.check("chip.revocation", "revoked" if sod.signer and (sha256(sod.signer) in revoked or all(sha256(one) in revoked for one in good)) else None)
    ladder.check("chip.genuine", genuine_problem(sod, given, expected) or unsigned)
    if not access:
        ladder.note("chip.access", "not-checked", "seen by the reader only")
    else:
        ladder.check("chip.access", access_problem(sod, given))
    return ladder.facts


def hash_problem(sod, groups):
    """9303-11, 5.1, step 4: every group that was read is listed and has the listed hash; DG1 is among them."""
    for number, data in groups.items():
        if not sod.matches(number, data):
            return f"DG{number} differs from its signed hash, or is not listed"
    return None if 1 in groups else "DG1 was not read"


def genuine_problem(sod, given, expected):
    groups = given["groups"]
    if 15 not in groups:
        return "the card hides its signed key" if 15 in sod.groups else NotJudged("the card has no authentication key")
    if 14 in sod.groups and 14 not in groups:
        return "the card hides its signed security options"
    sent, signature = given["challenge"], given["signature"]
    if sent is None:
        return NotJudged("no challenge was sent")
    if expected is not None and not hmac.compare_digest(sent, expected):
        return "the chip answered another challenge"
    if signature is None:
        return "the chip did not answer the challenge"
    try:
        public = serialization.load_der_public_key(tlv.only(groups[15], 0x6F))
        named = security_infos(tlv.only(groups[14], 0x6E))[1] if 14 in groups else None
    except (Unreadable, ValueError):
        return "the authentication key is malformed"
    if not isinstance(public, ec.EllipticCurvePublicKey) or (named and named.hex() not in ECDSA_PLAIN):
        return NotJudged("another kind of authentication key")
    algorithm = ECDSA_PLAIN[named.hex()] if named else hashes.SHA256
    size = (public.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return "the chip does not hold the signed key"
    raw = utils.encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
    try:
        public.verify(raw, sent, ec.ECDSA(algorithm()))
    except InvalidSignature:
        return "the chip does not hold the signed key"
    return None


def access_problem(sod, given):
    """What the unsigned EF.CardAccess offered is what the signed DG14 says, and PACE was run in one of these forms."""
    groups = given["groups"]
    if 14 not in groups:
        return "the card hides its signed security options" if 14 in sod.groups else NotJudged("the card signs no security options")
    try:
        offered, _ = security_infos(given["card_access"])
        signed, _ = security_infos(tlv.only(groups[14], 0x6E))
    except Unreadable:
        return "the security options are malformed"
    if not signed:
        return NotJudged("the signed options name no access protocol")
    if offered != signed:
        return "the card offered other access than it signed"
    used = {tlv.only(tlv.only(info, 0x30), 0x06) for info in signed}
    return None if given["protocol"] in used else "another protocol was run than the signed ones"


def of_reading(reading):
    """What `pace.Reading` found, as `judge` takes it."""
    groups = {number: data for number, data in ((n, reading.group(n)) for n in (1, 2, 13, 14, 15)) if data is not None}
    return {
        "sod": reading.files.get(reading.SOD, b""),
        "groups": {number: whole(data) for number, data in groups.items()},
        "challenge": reading.challenge,
        "signature": reading.signature,
        "card_access": reading.files.get(reading.CARD_ACCESS, b""),
        "protocol": reading.protocol,
    }


def whole(data):
    """A file without what follows its outer element: cards pad."""
    _, _, end = tlv.element(data)
    return data[:end]


def of_evidence(evidence):
    """Evidence as a phone posts it (central/API.md): a CBOR map 1 SOD, 2 DG1, 3 DG2, 4 DG14, 5 DG15, 6 challenge, 7 signature."""
    numbers = {1: 2, 2: 3, 14: 4, 15: 5}
    return {
        "sod": evidence[1],
        "groups": {number: evidence[key] for number, key in numbers.items() if key in evidence},
        "challenge": evidence[6],
        "signature": evidence[7],
        "card_access": None,
        "protocol": None,
    }


def machine_readable_zone(dg1):
    """Document number, personal number and date of expiry of a Vietnamese card's DG1 (9303-5, 4.2.2; TD1, three lines of thirty).

    The last nine digits of the personal number are the document number; all twelve stand in the optional data.
    """
    text = tlv.only(tlv.only(dg1, 0x61), 0x5F1F).decode("ascii", "replace")
    if len(text) != 90:
        raise Unreadable("the machine readable zone")
    return {"document_number": text[5:14].rstrip("<"), "personal_number": text[15:27], "expires": text[38:44]}


def face_picture(dg2):
    """The picture out of DG2: CBEFF (9303-10, 4.7.2), then ISO/IEC 19794-5:2005, clause 5."""
    template = tlv.find(tlv.only(tlv.only(dg2, 0x75), 0x7F61), 0x7F60)
    record = template and tlv.find(template, 0x5F2E)
    if not record or record[:8] != b"FAC\x00010\x00":
        raise Unreadable("the face in DG2")
    points = int.from_bytes(record[18:20], "big")
    return record[14 + 20 + 8 * points + 12 : 14 + int.from_bytes(record[14:18], "big")]
