"""The outside auditor (tests/auditor) over the demo and every attack: it agrees fact by fact; and it can fail, for every kind of file of a record."""

import ast
import base64
import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from concurrent.futures import ThreadPoolExecutor

import cbor2
import numpy
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image, ImageOps

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from auditor import cbor, certificates, chip, mdoc, pace, pictures, request, status  # noqa: E402  (the path comes first)
from auditor.facts import NAMES, Ladder  # noqa: E402
from auditor.sod import Sod  # noqa: E402
from auditor.story import Story  # noqa: E402

BINARY = os.environ["CITIZEN_WALLET"]
# What the auditor itself finds wrong in each attack: the fact, and words of its reason.
WHY = {
    "dg": ("chip.hashes", "DG1 differs"),
    "sod-signer": ("chip.chain", "does not verify under the listed authority"),
    "cloned-chip": ("chip.genuine", "does not hold the signed key"),
    "element": ("credential.digest", "a disclosure without a signed digest"),
    "device-key": ("credential.holder", "signed by another key"),
    "nonce": ("exchange.nonce", "opens with no key of an open request"),
    "status-signer": ("status.signature", "signer not listed"),
    "expired": ("credential.validity", "expired"),
    "status-frozen": ("status.freshness", "past its end"),
    "trust-rollback": ("trust.version", "must be >= "),
    "trust-frozen": ("trust.freshness", "expired"),
    "trust-mix": ("trust.signature", "targets"),
    "request-signer": ("request.chain", "does not verify under the listed authority"),
    "request-stale": ("request.time", "stale"),
    "request-swap": ("exchange.request", "answers another request"),
    "overask": ("request.role", "citizen-identity.resident_address"),
}
ALPHABET = pictures.ALPHABET


def attacks():
    """The attacks that this build knows, by its own help."""
    text = subprocess.run([BINARY, "demo", "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    return re.findall(r"^\s+- ([a-z-]+):", text, re.MULTILINE)


def play(folder, attack=None):
    """Runs the demo or one attack; gives its folder, the JSON it printed as a file, and its exit code."""
    name = attack or "whole"
    json_file = folder / f"{name}.json"
    command = [BINARY, "demo", "--dir", str(folder / name), "--json", *(["--tamper", attack] if attack else [])]
    with open(json_file, "w", encoding="utf-8") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, timeout=300, check=False).returncode
    return folder / name / "record", json_file, code


def audit(record, json_file):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "auditor", str(record), "--compare", str(json_file)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


class Agreement(unittest.TestCase):
    """Auditor and demo say the same of every fact of every step."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="wallet-audit-")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def agree(self, attack):
        record, json_file, code = play(pathlib.Path(self.folder.name), attack)
        told = audit(record, json_file)
        failed = {fact["name"] for step in json.loads(json_file.read_text())["steps"] for fact in step["facts"] if fact["result"] == "failed"}
        shutil.rmtree(record.parent, ignore_errors=True)
        return attack, code, failed, told

    def test_the_demo_and_every_attack(self):
        names = attacks()
        # A new attack needs a reason here.
        # A new attack needs a reason in the table above.
        self.assertEqual(set(names), WHY.keys())
        begun, facts = time.monotonic(), 0
        with ThreadPoolExecutor(3) as pool:
            for attack, code, failed, told in pool.map(self.agree, [None, *names]):
                with self.subTest(attack=attack):
                    self.assertEqual(code, 1 if attack else 0, attack)
                    self.assertEqual(told.returncode, 0, f"{attack}: {told.stdout}{told.stderr}")
                    lines = [line.split(maxsplit=1)[1] for line in told.stdout.splitlines() if line.strip().startswith("failed ")]
                    self.assertTrue(lines)
                    if attack:
                        fact, words = WHY[attack]
                        self.assertEqual(failed, {fact})
                        self.assertTrue(all(line.startswith(f"{fact} ") and words in line for line in lines), lines)
                    facts += int(told.stdout.rsplit("\n", 2)[-2].split()[0])
        print(f"auditor: {facts} facts of the demo and {len(names)} attacks agree, {time.monotonic() - begun:.0f} s", file=sys.stderr)


class Alone(unittest.TestCase):
    """The auditor has nothing of ours but the names."""

    def test_it_imports_other_peoples_code_only(self):
        allowed = {*sys.stdlib_module_names, "asn1crypto", "cbor2", "cryptography", "PIL", "pycose", "securesystemslib", "tuf", "zxingcpp"}
        for path in sorted((ROOT / "tests" / "auditor").glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names.append(node.module)
                for name in names:
                    self.assertIn(name.partition(".")[0], allowed, path.name)
                self.assertNotIn(getattr(node, "id", ""), {"subprocess", "ctypes"}, path.name)

    def test_its_names_are_the_registry(self):
        text = (ROOT / "core" / "ground" / "base" / "src" / "fact.rs").read_text(encoding="utf-8")
        registry = text.partition("registry! {")[2].partition("\n}")[0]
        self.assertEqual(set(re.findall(r'= "([a-z.]+)"', registry)), NAMES)


def base45(data):
    """RFC 9285, 4."""
    out = []
    for at in range(0, len(data), 2):
        chunk = data[at : at + 2]
        number = int.from_bytes(chunk, "big")
        for _ in range(len(chunk) + 1):
            number, digit = divmod(number, 45)
            out.append(ALPHABET[digit])
    return "".join(out)


def flipped(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Changed(unittest.TestCase):
    """One byte changed in each kind of recorded file: the auditor's own fact turns, and nothing it was compared with does it for it."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="wallet-audit-")
        folder = pathlib.Path(cls.temporary.name)
        # A short run that holds every kind of file: two checks, the second with a filmed answer.
        cls.record, cls.json_file, code = play(folder, "nonce")
        assert code == 1
        cls.whole = cls.facts()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def facts(cls):
        with Story(cls.record) as story:
            steps = list(story.steps())
            cls.trust = story.devices["wallet"].trust
            return steps

    def files(self, pattern):
        found = sorted(self.record.glob(pattern))
        self.assertTrue(found, pattern)
        return found

    def changed(self, path, change):
        """(step, fact) of every fact that turned and every problem of a run with one file changed; the file is put back."""
        before = path.read_bytes()
        after = change(before)
        self.assertNotEqual(before, after)
        path.write_bytes(after)
        try:
            now = self.facts()
        finally:
            path.write_bytes(before)
        turned, problems = [], []
        for (name, old, _), (_, new, told) in zip(self.whole, now):
            problems += told
            left = list(old)
            for one in new:
                if one in left:
                    left.remove(one)
                else:
                    turned.append((name, one.fact.name, one.fact.about, one.fact.result))
        return turned, problems

    def failed(self, path, change):
        turned, problems = self.changed(path, change)
        self.assertEqual(problems, [])
        return {(name, about) for _, name, about, result in turned if result == "failed"}

    def test_unchanged_it_is_whole(self):
        self.assertTrue(all(not problems for _, _, problems in self.whole))
        self.assertEqual(audit(self.record, self.json_file).returncode, 0)

    def evidence(self, change):
        """A change of the evidence that a phone posted."""

        def apply(body):
            body = json.loads(body)
            evidence = cbor2.loads(unb64u(body["evidence"]))
            change(evidence)
            body["evidence"] = b64u(cbor2.dumps(evidence))
            return json.dumps(body).encode()

        [path, *_] = self.files("http/*post-activation-chip.request")
        return self.failed(path, apply)

    def test_sod(self):
        def signature(evidence):
            evidence[1] = flipped(evidence[1], -1)

        def listed_hash(evidence):
            [[digest]] = [[entry for number, entry in self.listed(evidence[1]) if number == 1]]
            at = evidence[1].index(digest)
            evidence[1] = flipped(evidence[1], at)

        self.assertIn(("chip.signature", "citizen-identity"), self.evidence(signature))
        self.assertIn(("chip.hashes", "citizen-identity"), self.evidence(listed_hash))

    @staticmethod
    def listed(data):
        return sorted(Sod(data).groups.items())

    def test_data_group_and_active_authentication(self):
        def group(evidence):
            evidence[2] = flipped(evidence[2], -1)

        def signature(evidence):
            evidence[7] = flipped(evidence[7], -1)

        self.assertIn(("chip.hashes", "citizen-identity"), self.evidence(group))
        self.assertIn(("chip.genuine", "citizen-identity"), self.evidence(signature))

    def test_challenge_is_bound_to_nonce_session_account_and_device_key(self):
        [path, *_] = self.files("http/*post-activation-open.response")
        for member in ("nonce", "account", "session"):

            def apply(body, member=member):
                body = json.loads(body)
                body[member] = b64u(flipped(unb64u(body[member]), 0))
                return json.dumps(body).encode()

            self.assertIn(("chip.genuine", "citizen-identity"), self.failed(path, apply), member)
        base = chip.challenge("s", bytes(32), "activate", "a", bytes(32))
        self.assertNotEqual(base, chip.challenge("s", bytes(32), "activate", "a", flipped(bytes(32), 0)))

    def test_clauses_of_the_chip_that_no_attack_touches(self):
        story = json.loads((self.record / "story.json").read_bytes())
        events = [event for step in story["steps"] for event in step["events"] if event["kind"] == "apdu"]
        lines = pace.lines_of((self.record / "card.apdu").read_text(), events[0]["first_line"], events[0]["last_line"])
        draws = [bytes.fromhex(line) for line in (self.record / "card.random").read_text().split()]
        reading, now = pace.Reading(lines, draws), events[0]["at"]

        def failed(given=None, trust=self.trust, now=now, expected=None, **changes):
            facts = chip.judge({**chip.of_reading(reading), **(given or {}), **changes}, trust, now, "wallet", expected=expected)
            return {fact.name for fact in facts if fact.result == "failed"}

        groups = chip.of_reading(reading)["groups"]
        self.assertEqual(failed(), set())
        self.assertEqual(failed(groups={n: data for n, data in groups.items() if n != 15}), {"chip.genuine"})
        self.assertEqual(failed(groups={n: data for n, data in groups.items() if n != 14}), {"chip.genuine"})
        self.assertEqual(failed(groups={**groups, 13: flipped(groups[13], -1)}), {"chip.hashes"})
        self.assertEqual(failed(challenge=None, signature=None), set())
        self.assertEqual(failed(signature=None), {"chip.genuine"})
        self.assertEqual(failed(expected=bytes(8)), {"chip.genuine"})
        self.assertEqual(failed(card_access=flipped(chip.of_reading(reading)["card_access"], -1)), {"chip.access"})
        self.assertEqual(failed(protocol=b""), {"chip.access"})
        self.assertEqual(failed(now=now + 100 * 366 * 86_400), {"chip.chain"})
        revoked = copy.copy(self.trust)
        revoked.cards_revoked = {certificates.sha256(Sod(chip.of_reading(reading)["sod"]).signer)}
        self.assertEqual(failed(trust=revoked), {"chip.revocation"})
        revoked.cards_revoked = {certificates.sha256(one) for one in self.trust.csca}
        self.assertEqual(failed(trust=revoked), {"chip.revocation"})
        unknown = copy.copy(self.trust)
        unknown.csca = []
        self.assertEqual(failed(trust=unknown), {"chip.chain"})
        # The card was opened with its own access number, and with no other.
        self.assertTrue(reading.opened_with("000123"))
        self.assertFalse(reading.opened_with("000124"))

    def test_clauses_of_a_credential_that_no_attack_touches(self):
        [path, *_] = [p for p in self.files("http/*post-credential.request") if b"driving-licence.mdoc" in p.read_bytes()]
        data = unb64u(json.loads(path.with_suffix(".response").read_bytes())["credentials"][0]["credential"])
        one = mdoc.IssuerSigned(data)
        lists = {}
        for file in self.files("http/*get-status-driving-licence-*.response"):
            held = status.read(file.read_bytes())
            lists[held.uri] = held
        now = lists[one.status[0]].issued + 60

        def told(document="driving-licence", doctype=one.doctype, holder=one.device_key, trust=self.trust, lists=lists, now=now):
            facts = mdoc.issued(data, document, doctype, holder, trust, lists, now, (48, 336), document)
            return {fact.name: fact.result for fact in facts if fact.result != "passed"}

        self.assertEqual(told(), {})
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        self.assertEqual(told(holder=other)["credential.holder"], "failed")
        self.assertEqual(told(doctype="another"), {"credential.type": "failed"})
        self.assertEqual(told(document="health-summary")["credential.chain"], "failed")
        self.assertEqual(told(lists={}), {"status.freshness": "not-checked", "credential.status": "not-checked"})
        self.assertEqual(told(now=one.start - 3600)["credential.validity"], "failed")
        self.assertEqual(told(now=one.end)["credential.validity"], "failed")
        revoked = copy.copy(self.trust)
        revoked.issuers = [{**issuer, "revoked": {certificates.sha256(one.signer)}} for issuer in self.trust.issuers]
        self.assertEqual(told(trust=revoked)["credential.chain"], "failed")

    def test_clauses_of_a_status_list(self):
        [*_, path] = self.files("http/*get-status-driving-licence-*.response")
        one = status.read(path.read_bytes())

        def told(index, age, hours=(24, 72)):
            ladder = Ladder("verifier")
            status.judge(ladder, (one.uri, index), {one.uri: one}, one.issued + age, *hours)
            return [(fact.result, fact.caution) for fact in ladder.facts]

        self.assertEqual(told(0, 0), [("passed", False), ("passed", False)])
        self.assertEqual(told(0, 25 * 3600), [("passed", True), ("passed", False)])
        self.assertEqual(told(0, 73 * 3600), [("not-checked", False), ("not-checked", False)])
        self.assertEqual(told(1 << 40, 0), [("passed", False), ("failed", False)])
        self.assertEqual(told(1 << 40, 73 * 3600), [("not-checked", False), ("failed", False)])
        self.assertEqual(told(0, one.expires - one.issued), [("failed", False), ("not-checked", False)])
        self.assertEqual(told(0, -3600), [("failed", False), ("not-checked", False)])
        self.assertIsNone(one.signature_problem(self.trust, one.uri, one.issued))
        self.assertIsNotNone(one.signature_problem(self.trust, one.uri + "x", one.issued))
        revoked = copy.copy(self.trust)
        revoked.status_revoked = {certificates.sha256(signer) for signer in self.trust.status_signers}
        self.assertEqual(one.signature_problem(revoked, one.uri, one.issued), "signer revoked")

    def test_clauses_of_a_request_that_no_attack_touches(self):
        [path, *_] = self.files("qr/*-request.png")
        one = request.Request(pictures.text_of(path))

        def failed(trust=self.trust, now=one.issued, **changes):
            asked = copy.copy(one)
            asked.__dict__.update(changes)
            return {fact.name for fact in request.judge(asked, trust, now) if fact.result == "failed"}

        self.assertEqual(failed(), set())
        self.assertEqual(failed(now=one.expires + 60), set())
        self.assertEqual(failed(now=one.expires + 61), {"request.time"})
        self.assertEqual(failed(now=one.issued - 61), {"request.time"})
        self.assertEqual(failed(expires=one.issued + 121), {"request.time"})
        self.assertEqual(failed(role="flight"), {"request.chain"})
        self.assertEqual(failed(now=one.issued + 8 * 86_400), {"request.chain"})
        self.assertEqual(failed(purpose="boarding"), {"request.role"})
        self.assertEqual(failed(retention=100_000), {"request.role"})
        self.assertEqual(failed(documents={"health-summary": ["full_name"]}), {"request.role"})
        for revoked in (one.certificate, *self.trust.reader_authorities):
            trust = copy.copy(self.trust)
            trust.readers_revoked = {certificates.sha256(revoked)}
            self.assertEqual(failed(trust=trust), {"request.chain"})

    def test_apdu(self):
        lines = (self.record / "card.apdu").read_text().splitlines()
        longest = max(range(len(lines)), key=lambda n: len(lines[n]) if lines[n].startswith("<") else 0)

        def apply(data):
            lines = data.decode().splitlines()
            place = len(lines[longest]) // 2
            lines[longest] = lines[longest][:place] + ("1" if lines[longest][place] == "0" else "0") + lines[longest][place + 1 :]
            return "\n".join(lines).encode() + b"\n"

        _, problems = self.changed(self.record / "card.apdu", apply)
        self.assertIn("a checksum of secure messaging", problems[0])

    def credential(self, kind, change):
        for path in self.files("http/*post-credential.request"):
            if json.loads(path.read_bytes())["credential_configuration_id"].endswith(kind):
                break

        def apply(body):
            body = json.loads(body)
            entry = body["credentials"][0]
            entry["credential"] = b64u(change(unb64u(entry["credential"])))
            return json.dumps(body).encode()

        failed = self.failed(path.with_suffix(".response"), apply)
        return {name for name, _ in failed}

    def test_credential(self):
        def element(data):
            return flipped(data, data.index(b"elementValue") + 14)

        self.assertEqual(self.credential(".mdoc", element), {"credential.digest"})
        self.assertEqual(self.credential(".mdoc", lambda data: self.resigned(data, "issuerAuth")), {"credential.signature"})
        self.assertEqual(self.credential(".sd-cwt", lambda data: self.redisclosed(data)), {"credential.digest"})
        self.assertEqual(self.credential(".sd-cwt", lambda data: flipped(data, -1)), {"credential.signature"})

    @staticmethod
    def resigned(data, member):
        """Another last byte of the signature, wherever it stands."""
        signature = cbor.loads(data)[member][3]
        at = data.index(signature)
        return flipped(data, at + len(signature) - 1)

    @staticmethod
    def redisclosed(data):
        """Another salt in the first disclosure."""
        disclosure = cbor.loads(data).value[1][17][0]
        return flipped(data, data.index(disclosure) + 3)

    @staticmethod
    def drawn(text, path):
        """A picture of another text, as bytes."""
        image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4)
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            Image.fromarray(numpy.array(image)).save(file.name)
            return pathlib.Path(file.name).read_bytes()

    def picture(self, name, prefix, change, compressed):
        [path, *_] = self.files(f"qr/*{name}.png")
        content = pictures.body(pictures.text_of(path), prefix)
        pictures.text_of.cache_clear()
        content = base45(zlib.compress(change(zlib.decompress(content)), 9) if compressed else change(content))

        def apply(_):
            return self.drawn(prefix + content, path)

        try:
            return self.changed(path, apply)
        finally:
            pictures.text_of.cache_clear()

    def test_request_picture(self):
        turned, problems = self.picture("-request", "CWQ1:", lambda data: flipped(data, -1), True)
        self.assertIn(("request.signature", "failed"), {(name, result) for _, name, _, result in turned})
        # The officer never made that request: no key of its can be found, and that is told.
        self.assertTrue(problems)

    def test_answer_picture(self):
        turned, problems = self.picture("-answer", "CWA1:", lambda data: flipped(data, len(data) // 3), False)
        self.assertEqual(problems, [])
        self.assertEqual({name for _, name, _, result in turned if result == "failed"}, {"exchange.nonce"})

    def test_opened_answer(self):
        [path, *_] = self.files("answers/*.cbor")
        _, problems = self.changed(path, lambda data: flipped(data, len(data) // 2))
        self.assertIn("another token", problems[0])

    def test_status_list(self):
        # The last one, which a phone fetched: the first ones come while a device enrols, which nobody reports.
        [*_, path] = self.files("http/*get-status-citizen-identity-*.response")
        self.assertIn("status.signature", {name for name, _ in self.failed(path, lambda data: flipped(data, -1))})

    def test_trust_metadata_and_targets(self):
        for pattern in ("http/*get-trust-metadata-timestamp.json.response", "http/*snapshot.json.response", "http/*targets.json.response"):
            [path, *_] = self.files(pattern)
            # A digit of the version: the content that the keys signed is another.
            self.assertIn("trust.signature", {name for name, _ in self.trusted(path, rb'"version": ?(\d)')}, pattern)
        [path, *_] = self.files("http/*get-trust-targets-*.response")
        self.assertIn("trust.signature", {name for name, _ in self.trusted(path, rb'"version": ?(\d)')})

    def trusted(self, path, pattern):
        def apply(data):
            at = re.search(pattern, data).start(1)
            return flipped(data, at)

        turned, _ = self.changed(path, apply)
        return {(name, about) for _, name, about, result in turned if result == "failed"}

    def test_code_face_and_registry(self):
        def code(data):
            message = json.loads(data)
            message["code"] = f"{(int(message['code']) + 1) % 1_000_000:06}"
            return json.dumps(message).encode()

        [path, *_] = self.files("messages/*.json")
        self.assertEqual(self.failed(path, code), {("account.factors", "code")})

        def face(data):
            body = json.loads(data)
            with tempfile.NamedTemporaryFile(suffix=".png") as file:
                pathlib.Path(file.name).write_bytes(unb64u(body["image"]))
                with Image.open(file.name) as image:
                    ImageOps.flip(image.convert("RGB")).save(file.name)
                body["image"] = b64u(pathlib.Path(file.name).read_bytes())
            return json.dumps(body).encode()

        [path, *_] = self.files("http/*post-activation-face.request")
        self.assertEqual(self.failed(path, face), {("portrait.match", "face")})
        turned, _ = self.changed(self.record / "anchors" / "registry.json", lambda data: data.replace(b"090000123", b"090000124"))
        self.assertIn(("account.factors", "card", "failed"), {(name, about, result) for _, name, about, result in turned})

    def test_times(self):
        def later(data):
            before, mark, rest = data.partition(b'"name": "roadside check"')
            return before + mark + re.sub(rb'"at": (\d+)', lambda found: b'"at": %d' % (int(found[1]) + 86_400 * 400), rest)

        turned, _ = self.changed(self.record / "story.json", later)
        self.assertIn(("trust.freshness", "failed"), {(name, result) for _, name, _, result in turned})

    def test_the_command_says_so(self):
        [path, *_] = self.files("messages/*.json")
        before = path.read_bytes()
        try:
            path.write_bytes(before.replace(b'"code":"', b'"code":"0'))
            told = audit(self.record, self.json_file)
        finally:
            path.write_bytes(before)
        self.assertEqual(told.returncode, 1)
        self.assertIn("account.factors failed (about code", told.stdout)


if __name__ == "__main__":
    unittest.main()
