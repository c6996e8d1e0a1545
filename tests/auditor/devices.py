"""The devices of the story as the auditor plays them: what each one holds, and what it must find when it gets what the record says it got."""

from . import activation, answer, cbor, chip, cose, mdoc, pace, pictures, request, sdcwt, status
from .activation import Session, b64u, key_of
from .documents import TYPES
from .facts import FAILED, NOT_CHECKED, PASSED, Fact, Unreadable
from .updates import TrustState

BEHIND, NEAR = 120, 600
# A list that a wallet fetches for what it is about to store: hours for green and for caution.
WALLET_HOURS = (48, 14 * 24)
SKEW = 60


class Device:
    """What wallet and staff device have in common: trust, and the latest signed time."""

    by = ""

    def __init__(self, record, name):
        self.record, self.name = record, name
        self.state = TrustState(record.scratch / name, record.anchor("root"), record.story["trust"]["floor"])
        self.anchor = None

    @property
    def trust(self):
        return self.state.trust

    def observe(self, signed, now):
        """A verified signed time moves the anchor forward, never back."""
        if signed is not None and (self.anchor is None or signed > self.expected(now)):
            self.anchor = (signed, now)

    def expected(self, now):
        signed, seen = self.anchor
        return signed + max(0, now - seen)

    def clock(self, now):
        if self.anchor is None:
            return Fact("clock", NOT_CHECKED, "", self.by, False, "no signed time is known")
        if now + BEHIND < self.expected(now):
            return Fact("clock", FAILED, "", self.by, False, "before a signed time")
        return Fact("clock", PASSED if now <= self.expected(now) + NEAR else NOT_CHECKED, "", self.by)

    def update(self, exchanges, now):
        """Trust out of what was fetched; None when nothing was."""
        files = {e.path.removeprefix("/trust/"): e.received for e in exchanges if e.path.startswith("/trust/") and e.good}
        return self.adopt(files, now) if files else None

    def adopt(self, files, now):
        facts = self.state.update(files, now, self.by)
        if all(fact.result == PASSED for fact in facts):
            self.observe(self.state.signed_at, now)
        return facts

    def trust_freshness(self, now):
        problem = self.state.freshness_problem(now)
        return Fact("trust.freshness", FAILED if problem else PASSED, "", self.by, False, problem or "")


class Officer(Device):
    by = "verifier"

    def __init__(self, record, name):
        super().__init__(record, name)
        self.lists, self.open = {}, []

    def sync(self, call):
        facts = self.update(call.exchanges, call.at) or []
        fetched = [(e.path, e.received) for e in call.exchanges if e.path.startswith("/status/") and e.good]
        return [*facts, *self.take_lists(fetched, call.at), self.clock(call.at)]

    def enrol(self, call):
        self.sync(call)
        return []

    def take(self, call):
        """Public lists that came by hand as one file (core/ground/platform/src/carried.rs tells its form): judged as a sync is."""
        facts = []
        for event in call.events:
            if event["kind"] == "carried" and event["what"] == "taken":
                members = cbor.loads(self.record.bytes(event["file"]))
                if members.keys() != {0, 1, 2, 3, 4} or members[0] != "citizen-wallet/carried" or members[1] != 1:
                    raise Unreadable("a carried file")
                files = {f"{folder}/{name}": data for folder, key in (("metadata", 2), ("targets", 3)) for name, data in members[key].items()}
                facts += self.adopt(files, call.at)
                facts += self.take_lists([(None, token) for token in members[4]], call.at)
        return [*facts, self.clock(call.at)]

    def take_lists(self, fetched, now):
        """One `status.signature` and one `status.freshness` for the whole set; what verifies is kept unless a newer one is held."""
        if self.trust is None:
            return [Fact(name, NOT_CHECKED, "", self.by) for name in ("status.signature", "status.freshness")]
        unsigned, stale, older, signed = [], [], 0, []
        for path, token in fetched:
            try:
                one = status.read(token)
            except Unreadable as problem:
                unsigned.append(str(problem))
                continue
            if path is not None and not one.uri.endswith(path):
                unsigned.append("a list for another address")
                continue
            facts, good = status.fetched(token, one.uri, self.trust, now, self.by)
            unsigned += [fact.why for fact in facts if fact == facts[0] and fact.result == FAILED]
            stale += [fact.why for fact in facts if fact == facts[1] and fact.result == FAILED]
            if good is None or good.issued > now + SKEW:
                continue
            signed.append(good.issued)
            held = self.lists.get(good.uri)
            if held is not None and held.issued > good.issued:
                older += 1
            else:
                self.lists[good.uri] = good
        for issued in signed:
            self.observe(issued, now)
        if fetched and len(unsigned) == len(fetched):
            freshness = Fact("status.freshness", NOT_CHECKED, "", self.by)
        else:
            freshness = Fact("status.freshness", FAILED if stale else PASSED, "", self.by, not stale and older > 0, "; ".join(stale[:1]))
        return [Fact("status.signature", FAILED if unsigned else PASSED, "", self.by, False, "; ".join(unsigned[:1])), freshness]

    def ask(self, call):
        for picture in call.pictures("picture", "request"):
            self.open.append((picture, request.Request(pictures.text_of(self.record.path(picture)))))
        return []

    def cancel(self, picture):
        self.open = [(name, one) for name, one in self.open if name != picture]

    def check(self, call):
        facts = []
        for picture in call.pictures("seen", "answer"):
            facts += self.judge(picture, call)
        return facts

    def judge(self, picture, call):
        now = call.at
        common = [self.trust_freshness(now), self.clock(now)]
        envelope = answer.Envelope(pictures.text_of(self.record.path(picture)))
        for name, asked in self.open:
            private = answer.private_key(self.record.key_of(asked.hash))
            if not cose.same_key(private.public_key(), asked.key):
                raise Unreadable("the recorded key is not that of the request")
            token = envelope.opened(private, asked.hash)
            if token is not None:
                break
        else:
            return [*answer.broken_at("exchange.nonce", "opens with no key of an open request", ""), *common]
        self.cancel(name)
        if asked.time_problem(now):
            return [*answer.broken_at("exchange.nonce", "the request is past its time", ""), *common]
        opened = call.files("opened")
        if opened and self.record.bytes(opened[0]) != token:
            raise Unreadable("the record holds another token than the picture")
        return [*answer.judge(token, asked, self.trust, self.lists, now), *common]


class Wallet(Device):
    by = "wallet"

    def __init__(self, record, name):
        super().__init__(record, name)
        self.session, self.read, self.central, self.message = None, [], {}, None
        self.registry = activation.read_registry(record.anchor("registry"))

    def begin_activation(self, call):
        self.update(call.exchanges, call.at)
        for exchange in call.posts("/activation/open"):
            self.session, self.central = Session(exchange.sent_json(), exchange.received_json()), {}
        return []

    def read_card(self, call):
        facts = []
        for event in call.events:
            if event["kind"] == "apdu":
                trace = self.record.bytes(event["file"]).decode()
                reading = pace.Reading(pace.lines_of(trace, event["first_line"], event["last_line"]), self.record.draws())
                facts = self.judge_reading(reading, call.at)
        return facts

    def judge_reading(self, reading, now):
        given = chip.of_reading(reading)
        facts = chip.judge(given, self.trust, now, self.by, expected=self.session.challenge())
        if 1 in given["groups"] and facts[0].result == PASSED:
            number = chip.machine_readable_zone(given["groups"][1])["personal_number"]
            if reading.opened_with(number[-6:]) is False:
                raise Unreadable("the card was opened with another access number than its own")
        self.read = [*facts, self.clock(now)]
        return self.read

    def submit_chip(self, call):
        for exchange in call.posts("/activation/chip"):
            self.keep(self.session.chip_facts(exchange.sent_json(), self.trust, self.registry, call.at))
        return []

    def submit_code(self, call):
        for exchange in call.posts("/activation/code/verify"):
            self.keep(self.session.code_facts(exchange.sent_json(), self.message, self.registry, call.at))
        return []

    def submit_face(self, call):
        for exchange in call.posts("/activation/face"):
            self.keep(self.session.face_facts(exchange.sent_json()))
        return []

    def keep(self, facts):
        """A later answer about the same thing takes the place of the earlier one."""
        self.central.update({(fact.name, fact.about): fact for fact in facts})

    def complete_activation(self, call):
        return [*self.read, *self.central.values()]

    def sync(self, call):
        return [*(self.update(call.exchanges, call.at) or []), *self.issued(call), self.clock(call.at)]

    def obtain_documents(self, call):
        self.update(call.exchanges, call.at)
        return self.issued(call)

    def issued(self, call):
        """Batches in the order in which they passed: keys, both formats, then the lists that the copies name."""
        facts, batch, keys = [], None, []
        for exchange in call.exchanges:
            if not exchange.good:
                continue
            if exchange.path == "/wallet-provider/attestation":
                keys = [key_of(jwk) for jwk in exchange.sent_json()["keys"]]
            elif exchange.path == "/credential":
                document, kind = exchange.sent_json()["credential_configuration_id"].rsplit(".", 1)
                if batch is None or batch.document != document:
                    facts += batch.judge(self, call.at) if batch else []
                    batch = Batch(document)
                batch.keys = keys
                batch.formats[kind] = [b64u(entry["credential"]) for entry in exchange.received_json()["credentials"]]
            elif exchange.path.startswith("/status/") and batch:
                batch.lists.append((exchange.path, exchange.received))
        return facts + (batch.judge(self, call.at) if batch else [])

    def open_request(self, call):
        facts = []
        for picture in call.pictures("seen", "request"):
            one, clock = request.Request(pictures.text_of(self.record.path(picture))), self.clock(call.at)
            found = request.judge(one, self.trust, call.at)
            if clock.result == FAILED:
                # With a clock that is known to be wrong nothing that depends on the time can be said.
                found = [fact if fact.name == "request.signature" else fact._replace(result=NOT_CHECKED) for fact in found]
            expired = self.state.freshness_problem(call.at)
            # Expiry stops an update; a citizen without a network must not be without papers.
            facts += [*found, Fact("trust.freshness", PASSED, "", self.by, bool(expired), expired or ""), clock]
        return facts


class Batch:
    """Copies of one document: every one of them is judged; the first one's facts stand for all, one that fails speaks for itself."""

    def __init__(self, document):
        self.document, self.keys, self.formats, self.lists = document, [], {}, []

    def judge(self, wallet, now):
        facts, held = [], {}
        named = {}
        for data in self.formats["mdoc"]:
            named.setdefault(mdoc.IssuerSigned(data).status[0])
        for data in self.formats["sd-cwt"]:
            named.setdefault(sdcwt.SdCwt(data).status[0])
        for path, token in self.lists:
            uri = next((uri for uri in named if uri.endswith(path)), path)
            found, good = status.fetched(token, uri, wallet.trust, now, "wallet")
            facts += [fact._replace(about=path.removeprefix("/status/")) for fact in found]
            if good is not None:
                held[uri] = good
                wallet.observe(good.issued, now)
        doctype, vct = TYPES[self.document]
        if not len(self.keys) == len(self.formats["mdoc"]) == len(self.formats["sd-cwt"]):
            raise Unreadable("keys and copies of a batch")
        for number, key in enumerate(self.keys):
            about = f"{self.document}.mdoc"
            copy = mdoc.issued(self.formats["mdoc"][number], self.document, doctype, key, wallet.trust, held, now, WALLET_HOURS, about)
            about = f"{self.document}.sd-cwt"
            copy += sdcwt.issued(self.formats["sd-cwt"][number], self.document, vct, key, wallet.trust, held, now, WALLET_HOURS, about)
            if number == 0 or any(fact.result != PASSED for fact in copy):
                facts += copy
        return facts


class Stranger:
    """Follows no rule and finds nothing; but central judges what it sends."""

    def __init__(self, record, name):
        self.record, self.name, self.sessions = record, name, {}
        self.registry = activation.read_registry(record.anchor("registry"))

    def straight(self, call, trust):
        facts = []
        for exchange in call.exchanges:
            if exchange.path == "/activation/open" and exchange.good:
                session = Session(exchange.sent_json(), exchange.received_json())
                self.sessions[session.id] = session
            elif exchange.path == "/activation/chip" and exchange.good:
                sent = exchange.sent_json()
                facts += self.sessions[sent["session"]].chip_facts(sent, trust, self.registry, call.at)
        return facts
