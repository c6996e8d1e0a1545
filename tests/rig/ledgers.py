"""Compares what wallet, central and officers say happened. Each finding is one sentence; an empty list means that they agree."""

import base64
import collections
import hashlib
import json
import pathlib

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

# Code points of the drafts and of our own, as the description of the formats gives them.
KCWT, CNF, REQUEST_HASH = 13, 8, -65537


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Seen:
    """What the rig learned over one life of a wallet: every copy set it ever held, every answer that an officer opened."""

    def __init__(self):
        self.copies = {}  # id -> (document, thumbprint)
        self.answers = []  # (thumbprint, request hash)

    def learn(self, wallet):
        """Takes in a wallet's ledger; numbers and keys of copy sets are for ever."""
        found = []
        for copy in wallet["copies"]:
            known = self.copies.setdefault(copy["id"], (copy["document"], copy["thumbprint"]))
            if known != (copy["document"], copy["thumbprint"]):
                found.append(f"copy set {copy['id']} is another one than before")
        thumbprints = collections.Counter(thumbprint for _, thumbprint in self.copies.values())
        found += [f"{n} copy sets have one key" for n in thumbprints.values() if n > 1]
        return found


def account_of(wallet, central):
    """Central's account of this wallet, by the thumbprint of the device key."""
    if wallet["account"] is None:
        return None
    of = [a for a in central["accounts"] if a["device_key"] == wallet["account"]["thumbprint"]]
    return of[0] if len(of) == 1 else None


def sound(wallet, central):
    found = []
    if not wallet["sound"]:
        found.append("the wallet's database is not sound")
    if not central["sound"]:
        found.append("central's database is not sound")
    return found


def accounts(wallet, central, epoch):
    """One account, one device, activated exactly as often as the story says."""
    mine = account_of(wallet, central)
    if mine is None:
        return ["central knows no account of this device"]
    found = []
    if wallet["account"]["account"] != mine["account"]:
        found.append("wallet and central name different accounts")
    if (wallet["account"]["level"], wallet["account"]["ended"]) != (mine["level"], False):
        found.append("wallet and central disagree about the account's level or end")
    if mine["device_epoch"] != epoch:
        found.append(f"device epoch {mine['device_epoch']}, expected {epoch}")
    done = [a for a in mine["activations"] if a["completed_at"]]
    if len(done) != epoch or mine["evidence"] < epoch:
        found.append(f"{len(done)} completed activations, {mine['evidence']} pieces of evidence, expected {epoch}")
    if epoch == 1 and (mine["notices"] or any(c["kind"] == "device-replaced" for c in mine["changes"])):
        found.append("a device was replaced, though there was only one")
    if wallet["step"] != "complete":
        found.append(f"the activation stands at {wallet['step']}")
    return found


def formats(copy):
    return {"mso_mdoc": copy["mdoc"], "vn.sd-cwt": copy["sd_cwt"]}


def copies(wallet, central, seen):
    """Every credential that central issued is, or was, in the wallet, and the wallet holds nothing else."""
    mine = account_of(wallet, central)
    if mine is None:
        return []
    found = []
    issued = {(c["document"], c["thumbprint"], c["format"]): c for c in mine["copies"]}
    if len(issued) != len(mine["copies"]):
        found.append("central issued a credential twice")
    entries = collections.Counter((c["document"], c["week"], c["index"]) for c in mine["copies"])
    if any(n > 1 for n in entries.values()):
        found.append("two credentials share a status entry")
    if sum(len(a["copies"]) for a in central["accounts"]) != central["status_entries"]:
        found.append(f"{central['status_entries']} status entries for other credentials than were issued")
    held = {}
    for copy in wallet["copies"]:
        if copy["state"] == "reserved":
            found.append(f"copy set {copy['id']} stayed reserved")
        if copy["state"] != "fresh":
            if copy["mdoc"] or copy["sd_cwt"]:
                found.append(f"copy set {copy['id']} is {copy['state']} and keeps a credential")
            continue
        for name, credential in formats(copy).items():
            theirs = issued.get((copy["document"], copy["thumbprint"], name))
            held[(copy["document"], copy["thumbprint"], name)] = copy["id"]
            if credential is None or not credential["sound"]:
                found.append(f"copy set {copy['id']}: {name} is missing or not for its key")
            elif theirs is None:
                found.append(f"copy set {copy['id']}: central never issued its {name}")
            elif theirs["sha256"] != credential["sha256"]:
                found.append(f"copy set {copy['id']}: its {name} is not the one that central keeps")
            elif theirs["index"] != credential["status_index"] or not credential["status_list"].endswith(f"/status/{copy['document']}/{theirs['week']}"):
                found.append(f"copy set {copy['id']}: {name} names another status entry than central")
            elif theirs["ended"]:
                found.append(f"copy set {copy['id']}: central ended its {name}")
    ever = {(document, thumbprint) for document, thumbprint in seen.copies.values()}
    waiting = {(b["document"], k["thumbprint"]) for b in wallet["batches"] for k in b["keys"]}
    for document, thumbprint, name in issued:
        if (document, thumbprint) not in ever | waiting:
            found.append(f"lost: a {name} of {document} that central issued is in no copy set")
    return found


def keys(wallet, central, folder):
    """The key store's folder holds the key of each row, and no others."""
    named = {c["key_name"] for c in wallet["copies"] if c["state"] == "fresh"} | {k["key_name"] for b in wallet["batches"] for k in b["keys"]}
    if wallet["account"]:
        named.add(wallet["account"]["key_name"])
    held = {path.stem for path in (pathlib.Path(folder) / "device").glob("*.key") if len(path.stem) == 32}
    found = [f"{len(named - held)} keys are lost"] if named - held else []
    if held - named - set(wallet["dead_keys"]):
        found.append(f"{len(held - named - set(wallet['dead_keys']))} keys belong to nothing")
    if wallet["stray_keys"]:
        found.append(f"the wallet itself knows of {len(wallet['stray_keys'])} stray keys")
    mine = account_of(wallet, central)
    unused = [k for k in mine["keys"] if k["document"] is None] if mine else []
    waiting = {k["thumbprint"] for b in wallet["batches"] for k in b["keys"]}
    if [k for k in unused if k["thumbprint"] not in waiting]:
        found.append(f"{len(unused)} keys are attested at central and wait for nothing")
    return found


def consents(before, after, begun):
    """Nothing of the log is lost, doubled or changed; `begun` acts were added at most, each with a copy set of its own."""
    found = []
    old, new = before["consents"], after["consents"]
    if new[: len(old)] != old:
        found.append("an entry of the consent log is lost or changed")
    fresh = new[len(old) :]
    if len(fresh) > begun:
        found.append(f"{len(fresh)} new consent entries for {begun} acts")
    if any(entry["outcome"] == "open" for entry in new):
        found.append("a consent entry stayed open")
    taken = [entry["copy_set"] for entry in new if entry["copy_set"] is not None]
    if len(taken) != len(set(taken)):
        found.append("two consent entries have one copy set")
    asked = [entry["request_hash"] for entry in new if entry["outcome"] == "shown"]
    if len(asked) != len(set(asked)):
        found.append("one request was answered twice")
    states = {copy["id"]: copy["state"] for copy in after["copies"]}
    if any(states.get(entry["copy_set"], "spent") != "spent" for entry in new if entry["copy_set"] is not None):
        found.append("a copy set that the consent log names is not spent")
    return found


def spent(before, after):
    """Copy sets that were spent between two ledgers; one that was spent is never fresh again."""
    found, gone = [], []
    states = {copy["id"]: copy["state"] for copy in after["copies"]}
    for copy in before["copies"]:
        now = states.get(copy["id"], "spent")
        if copy["state"] != "fresh" and now == "fresh":
            found.append(f"copy set {copy['id']} was {copy['state']} and is fresh again")
        if copy["state"] == "fresh" and now == "spent":
            gone.append(copy["id"])
    return found, gone


def feed(wallet, central):
    """The change feed was taken whole and once, and the documents stand as central says."""
    mine = account_of(wallet, central)
    if mine is None:
        return []
    found = []
    numbers = [change["seq"] for change in mine["changes"]]
    if numbers != list(range(1, len(numbers) + 1)):
        found.append("central's change feed has gaps or repeats")
    if wallet["cursor"] != (numbers[-1] if numbers else 0) or wallet["notices"] != numbers:
        found.append(f"the wallet took {wallet['notices']} of the feed {numbers}")
    words = {"valid": "issued", "suspended": "suspended", "revoked": "ended"}
    theirs = {d["document"]: words[d["state"]] for d in mine["documents"]}
    for document in wallet["documents"]:
        if theirs.get(document["document"]) != document["state"]:
            found.append(f"{document['document']}: {document['state']} in the wallet, {theirs.get(document['document'])} at central")
    for copy in mine["copies"]:
        expected = {"issued": 0, "suspended": 2, "ended": 1}[theirs[copy["document"]]]
        if copy["status"] != expected:
            found.append(f"{copy['document']}: status {copy['status']} of a copy, {expected} expected")
            break
    issued = collections.Counter(c["document"] for c in mine["changes"] if c["kind"] == "issued")
    if any(n > 1 for n in issued.values()):
        found.append("the feed tells twice that a document was issued")
    return found


def stock(wallet, expected):
    """Fresh copies by document."""
    have = collections.Counter(copy["document"] for copy in wallet["copies"] if copy["state"] == "fresh")
    return [] if dict(have) == expected else [f"copies {dict(have)}, expected {expected}"]


def sign1(data):
    """The four parts of a COSE_Sign1, tagged or not."""
    value = cbor2.loads(data) if isinstance(data, bytes) else data
    return value.value if isinstance(value, cbor2.CBORTag) else value


def thumbprint_of(cose_key):
    """RFC 7638 thumbprint of a P-256 COSE_Key whose y may be a sign bit."""
    x, y = cose_key[-2], cose_key[-3]
    if isinstance(y, bool):
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes([2 + y]) + x)
        y = point.public_numbers().y.to_bytes(32, "big")
    jwk = {"crv": "P-256", "kty": "EC", "x": b64u(x), "y": b64u(y)}
    return b64u(hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest())


def opened_answer(file):
    """Thumbprint of the holder key and hash of the request in an answer that an officer opened: a key binding token around an SD-CWT."""
    protected, _, payload, _ = sign1(pathlib.Path(file).read_bytes())
    token = sign1(cbor2.loads(protected)[KCWT])
    return thumbprint_of(cbor2.loads(token[2])[CNF][1]), b64u(cbor2.loads(payload)[REQUEST_HASH])
