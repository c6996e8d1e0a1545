"""A checker's request (`CWQ1:`; core/middle/exchange/src/request.rs tells the form): COSE_Sign1 with one reader certificate in its protected header."""

import base64
import hashlib

from . import cbor, cose, pictures
from .certificates import READER, has_purpose, is_authority, link, load, named_by, sha256
from .facts import FAILED, PASSED, Ladder, Unreadable

PREFIX, TYPE = "CWQ1:", "application/cwq1"
VERSION, ROLE, PURPOSE, LEGAL_BASIS, DOCUMENTS, RETENTION, PLACE, NONCE, IAT, EXP, KEY = range(1, 12)
ROLE_EXTENSION = "1.3.6.1.4.1.99999.7.1"
LIFETIME, SKEW, CERTIFICATE_BYTES, CERTIFICATE_LIFE = 120, 60, 400, 7 * 86_400


class Request:
    """As it was read from the picture; nothing in it is believed yet."""

    def __init__(self, text):
        self.cose = pictures.inflate(pictures.body(text, PREFIX))
        self.hash = hashlib.sha256(self.cose).digest()
        self.sign1 = cose.Sign1(self.cose)
        if self.sign1.unprotected or self.sign1.protected.get(cose.TYP) != TYPE:
            raise Unreadable("not typed as a request")
        claims = cbor.loads(self.sign1.payload)
        try:
            self.der = self.sign1.protected[cose.X5CHAIN]
            self.certificate = load(self.der)
            self.role, self.purpose, self.retention, self.nonce = (claims[key] for key in (ROLE, PURPOSE, RETENTION, NONCE))
            self.issued, self.expires, self.documents = claims[IAT], claims[EXP], {name: fields for name, fields in claims[DOCUMENTS]}
            self.key = cose.public_key(claims[KEY])
            if claims[VERSION] != 1 or len(self.nonce) != 16 or not isinstance(self.issued, int) or not isinstance(self.expires, int):
                raise Unreadable("claims of a request")
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable("claims of a request") from error
        # OpenID4VP 1.0, 5.9.3: the client identifier of a verifier that is named by its certificate.
        digest = base64.urlsafe_b64encode(hashlib.sha256(self.der).digest()).rstrip(b"=").decode()
        self.audience = f"x509_hash:{digest}"

    def chain_problem(self, trust, now):
        """Directly under a listed reader authority, small, short-lived, for the role that asks."""
        leaf = self.certificate
        if len(self.der) > CERTIFICATE_BYTES:
            return "the certificate is too large"
        named = [one for one in trust.reader_authorities if named_by(leaf, one)]
        # A phone whose clock is a little behind takes a fresh certificate all the same.
        moment = max(now, min(now + SKEW, int(leaf.not_valid_before_utc.timestamp())))
        problems = {sha256(one): link(leaf, one, moment) for one in named}
        good = [digest for digest, problem in problems.items() if problem is None]
        if not good:
            return next(iter(problems.values()), "no listed reader authority")
        if {sha256(leaf), *good} & trust.readers_revoked:
            return "revoked"
        if is_authority(leaf) or not has_purpose(leaf, READER):
            return "not a reader certificate"
        if (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() > CERTIFICATE_LIFE:
            return "the certificate lives too long"
        return None if self.role_in_certificate() == self.role else "the certificate is for another role"

    def role_in_certificate(self):
        for extension in self.certificate.extensions:
            if extension.oid.dotted_string == ROLE_EXTENSION:
                value = extension.value.value
                if value[:1] == b"\x0c" and value[1] == len(value) - 2:
                    return value[2:].decode()
        return None

    def time_problem(self, now):
        if not 1 <= self.expires - self.issued <= LIFETIME:
            return "its lifetime is out of bounds"
        if self.issued > now + SKEW:
            return "from the future"
        return "stale" if now > self.expires + SKEW else None

    def role_problem(self, trust):
        """The table of roles: purpose, retention, and every single field."""
        role = trust.roles.get(self.role)
        if role is None:
            return "the role is not in the table"
        if self.purpose not in role["purposes"] or self.retention > role["max_retention_hours"]:
            return "another purpose, or kept too long"
        over = [f"{name}.{field}" for name, fields in self.documents.items() for field in fields if field not in role["documents"].get(name, [])]
        return f"may not ask for {', '.join(over)}" if over else None


def judge(request, trust, now):
    """The wallet's four facts about a request."""
    ladder = Ladder("wallet")
    good = request.sign1.verifies(request.certificate.public_key())
    ladder.check("request.signature", None if good else "does not verify")
    ladder.check("request.chain", request.chain_problem(trust, now))
    ladder.check("request.time", request.time_problem(now))
    problem = request.role_problem(trust)
    ladder.note("request.role", FAILED if problem else PASSED, problem or "")
    return ladder.facts
