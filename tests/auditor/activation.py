"""Central's own facts about an activation, found again from what passed between phone and central (central/API.md)."""

import base64
import hashlib
import io
import json
import math
from datetime import date, datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from PIL import Image, UnidentifiedImageError

from . import cbor, chip
from .facts import FAILED, NOT_CHECKED, PASSED, Fact

ACTION = "activate"
CODE_LIFE = 600


def b64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(jwk):
    x, y = (int.from_bytes(b64u(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def thumbprint(jwk):
    """RFC 7638."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()


def statement(proof, public):
    """The payload of a compact JWS (RFC 7515, 5.2) by this key, or None."""
    try:
        head, payload, signature = proof.split(".")
        raw = b64u(signature)
        if json.loads(b64u(head))["alg"] != "ES256" or len(raw) != 64:
            return None
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(der, f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        return json.loads(b64u(payload))
    except (ValueError, KeyError, InvalidSignature):
        return None


class Session:
    """One activation: what `POST /activation/open` fixed before the chip signed."""

    def __init__(self, sent, received):
        self.id, self.account, self.nonce = received["session"], received["account"], b64u(received["nonce"])
        self.jwk, self.key = sent["device_key"], key_of(sent["device_key"])
        self.action, self.personal_number, self.picture, self.code_until = sent["action"], None, None, None

    def challenge(self):
        return chip.challenge(self.id, self.nonce, self.action, self.account, thumbprint(self.jwk))

    def device(self):
        """What a message to the citizen calls the device: the first characters of its key's thumbprint."""
        return base64.urlsafe_b64encode(thumbprint(self.jwk)).decode()[:8]

    def chip_facts(self, sent, trust, registry, now):
        """`POST /activation/chip`: the chip's facts, then whether the registry knows this card as current."""
        evidence_bytes = b64u(sent["evidence"])
        said = statement(sent["proof"], self.key)
        digest = base64.urlsafe_b64encode(hashlib.sha256(evidence_bytes).digest()).rstrip(b"=").decode()
        evidence = cbor.loads(evidence_bytes)
        given = chip.of_evidence(evidence)
        good = said is not None and said.get("session") == self.id and said.get("evidence_sha256") == digest
        unsigned = None if good else "the device key did not sign for this evidence"
        facts = chip.judge(given, trust, now, "central", expected=self.challenge(), access=False, unsigned=unsigned)
        if any(fact.result == FAILED for fact in facts):
            return [*facts, Fact("account.factors", NOT_CHECKED, "card", "central")]
        zone = chip.machine_readable_zone(evidence[2])
        current = card_is_current(registry, zone, now)
        if current:
            self.personal_number, self.picture = zone["personal_number"], chip.face_picture(evidence[3])
        return [*facts, Fact("account.factors", PASSED if current else FAILED, "card", "central")]

    def code_facts(self, sent, message, registry, now):
        """`POST /activation/code/verify`: the code typed is the one that went to the citizen's telephone for this device and action."""
        person = registry.get(self.personal_number)
        good = (
            message is not None
            and person is not None
            and (message["to"], message["action"], message["device"]) == (person["phone"], self.action, self.device())
            and message["code"] == sent["code"]
            and 0 <= now - seconds(message["at"]) <= CODE_LIFE
        )
        return [Fact("account.factors", PASSED if good else FAILED, "code", "central")]

    def face_facts(self, sent):
        """`POST /activation/face`: the picture posted against the chip's, compared as the stand-in of the face service does."""
        same = same_face(self.picture, b64u(sent["image"]))
        result = NOT_CHECKED if same is None else PASSED if same else FAILED
        return [Fact("portrait.match", result, "face", "central")]


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def read_registry(data):
    return {citizen["personal_number"]: citizen for citizen in json.loads(data)["citizens"]}


def card_is_current(registry, zone, now):
    person = registry.get(zone["personal_number"])
    if person is None or person["card"]["document_number"] != zone["document_number"]:
        return False
    return datetime.fromtimestamp(now, timezone.utc).date() <= date.fromisoformat(person["card"]["expires"])


def same_face(one, other):
    """The stand-in compares how light and dark lie in two small versions, brought to one mean and contrast; None when a picture cannot be read."""
    small = [small_version(picture) for picture in (one, other)]
    if None in small:
        return None
    return sum(abs(a - b) for a, b in zip(*small)) / len(small[0]) <= 9.0


def small_version(picture):
    try:
        with Image.open(io.BytesIO(picture)) as image:
            values = list(image.convert("RGB").resize((24, 32), Image.Resampling.BILINEAR).convert("L").tobytes())
    except (UnidentifiedImageError, OSError, TypeError):
        return None
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return None if spread < 4 else [(value - mean) / spread * 48 for value in values]
