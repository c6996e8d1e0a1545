"""Whom a device trusts: what the four targets of the trust repository mean. How they came is in `updates.py`."""

import base64
import json

from .certificates import DOCUMENT_SIGNER, has_purpose, link, load, sha256
from .facts import Unreadable

TARGETS = ("issuers.json", "readers.json", "status.json", "cards.json")


class Trust:
    """The four targets as the TUF client verified them."""

    def __init__(self, files):
        try:
            issuers, readers, status, cards = (json.loads(files[name]) for name in TARGETS)
            if {target["version"] for target in (issuers, readers, status, cards)} != {1}:
                raise Unreadable("a target of another version")
            self.issuers = [
                {
                    "root": certificate(issuer["root"]),
                    "signers": [certificate(text) for text in issuer["signers"]],
                    "documents": set(issuer["documents"]),
                    "revoked": hashes(issuer),
                }
                for issuer in issuers["issuers"]
            ]
            self.reader_authorities, self.readers_revoked = [certificate(text) for text in readers["authorities"]], hashes(readers)
            self.roles = {role["id"]: role for role in readers["roles"]["roles"]}
            self.status_signers, self.status_revoked = [certificate(text) for text in status["signers"]], hashes(status)
            self.csca, self.cards_revoked = [certificate(text) for text in cards["csca"]], hashes(cards)
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(f"a target of the trust repository: {error}") from error

    def signers(self):
        return [signer for issuer in self.issuers for signer in issuer["signers"]]

    def signer_problem(self, signer, document, now):
        """Listed, for this type of document (None: for any), under its issuer's root, a document signer, not revoked."""
        why = "signer not listed"
        for issuer in self.issuers:
            if signer not in issuer["signers"]:
                continue
            if document is not None and document not in issuer["documents"]:
                why = "signer not listed for this document"
            elif {sha256(signer), sha256(issuer["root"])} & issuer["revoked"]:
                why = "signer revoked"
            else:
                why = link(signer, issuer["root"], now)
                if why is None and has_purpose(signer, DOCUMENT_SIGNER):
                    return None
                why = why or "not a document signer"
        return why


def certificate(text):
    return load(base64.b64decode(text, validate=True))


def hashes(entry):
    found = {bytes.fromhex(text) for text in entry.get("revoked", [])}
    if any(len(one) != 32 for one in found):
        raise ValueError("a revoked hash")
    return found
