"""One trial: a phase is begun from its snapshot, something is killed inside it, the work is finished by ordinary commands, ledgers are compared."""

import dataclasses
import random
import time

import ledgers
from actors import Trouble, alive, freeze, in_transaction, slay, thaw
from world import BATCH, DOCUMENTS, LICENCE, SHOWN

# A command that cannot go on says so by this code; anything else but 0 is a finding.
SURROUNDINGS = 4
# How often a citizen tries before he gives up; one or two tries are expected.
TRIES = 4


@dataclasses.dataclass
class Hit:
    """What was killed, and where in the phase."""

    phase: str
    target: str
    at: float  # seconds after the phase began
    of: float  # measured length of the phase
    transaction: str = ""  # who was in the middle of a write transaction
    reached: str = ""  # how far the killed work had come
    tries: int = 0
    fault: str = "SIGKILL"
    found: list = dataclasses.field(default_factory=list)


def targets(world, run, target):
    pids = []
    if target in ("wallet", "both"):
        pids.append(run.pid)
    if target in ("central", "both"):
        pids.append(world.central.helper.pid)
    return pids


def strike(world, run, target, delay, aim):
    """Waits until `delay` seconds of the phase have gone by and kills. Gives the time and who was in a transaction; nothing when the phase was over.

    Whoever is to be killed is stopped first and looked at while it stands still, so that a hit is known to be one.
    """
    begun = run.wait_inside()
    if begun is None:
        return None
    end = begun + delay
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.002) if left > 0.003 else 0)
    pids = targets(world, run, target)
    late = time.monotonic() + 2
    while True:
        if aim:
            # Waits for the kernel to say that one of them holds the write lock.
            while not any(in_transaction(pid) for pid in pids) and run.is_inside() and time.monotonic() < late:
                pass
        freeze(*pids)
        at = time.monotonic() - begun
        inside = run.is_inside() and all(alive(pid) for pid in pids)
        names = [name for name, pid in (("wallet", run.pid), ("central", world.central.helper.pid if world.central.is_up() else 0)) if pid in pids]
        busy = [name for name, pid in zip(names, pids, strict=True) if in_transaction(pid)]
        if aim and inside and not busy and time.monotonic() < late:
            # The transaction ended while the signal was on its way.
            thaw(*pids)
            continue
        if inside:
            slay(*pids)
        thaw(*pids)
        break
    if "wallet" in target or target == "both":
        run.finish()
    if target != "wallet" and inside:
        world.central.reap()
    return (at, "+".join(busy)) if inside else None


def finish(world, phase, hit, step=None):
    """Runs the phase's command as a citizen does who was interrupted, until it is done."""
    for hit.tries in range(1, TRIES + 1):
        world.central.start()
        code, said = world.complete(phase, step=step)
        step = None
        if code == 0 and "did not come" not in said:
            return
    hit.found.append(f"the work does not complete: exit {code}: {said.strip()[-300:]}")


def judge(world, phase, before, hit, seen):
    """Everything that wallet and central must agree about once the work is done."""
    wallet, central = world.ledger(), world.central.ledger()
    found = hit.found
    found += seen.learn(wallet)
    found += ledgers.sound(wallet, central)
    found += ledgers.accounts(wallet, central, epoch=1)
    found += ledgers.copies(wallet, central, seen)
    found += ledgers.keys(wallet, central, world.wallet)
    found += ledgers.consents(before, wallet, begun=0)
    found += ledgers.spent(before, wallet)[0]
    mine = ledgers.account_of(wallet, central) or {"offers": [], "copies": []}
    if wallet["batches"]:
        found.append("a batch waits after the work is done")
    if phase == "activation":
        found += ledgers.stock(wallet, {})
        if len(mine["offers"]) != 1 or mine["copies"]:
            found.append(f"{len(mine['offers'])} offers, {len(mine['copies'])} credentials before any was asked for")
    elif phase == "issuance":
        found += ledgers.stock(wallet, dict.fromkeys(DOCUMENTS, BATCH))
        if len(mine["copies"]) != 2 * BATCH * len(DOCUMENTS):
            found.append(f"central issued {len(mine['copies'])} credentials")
        kinds = [(c["document"], c["kind"]) for c in mine["changes"]]
        if sorted(kinds) != sorted((d, "issued") for d in DOCUMENTS):
            found.append(f"the change feed tells {kinds}")
    else:
        found += ledgers.feed(wallet, central)
        # Half of the licences were shown and a batch came; the insurance card was revoked, the summary suspended.
        found += ledgers.stock(wallet, {"citizen-identity": BATCH, LICENCE: 2 * BATCH - SHOWN, "health-summary": BATCH})


def kill(world, phase, target, delay, length, aim):
    """A trial of activation, issuance or sync. Gives the hit, or nothing when the phase was over before."""
    world.restore(phase)
    world.central.start()
    seen = ledgers.Seen()
    before = world.before(phase)
    hit = Hit(phase, target, 0.0, length)
    hit.found += seen.learn(before)
    run = world.begin(phase)
    struck = strike(world, run, target, delay, aim)
    if struck is None or target == "central":
        code = run.finish()
        if struck is not None and code not in (0, SURROUNDINGS):
            hit.found.append(f"central was killed and the wallet ended with {code}: {run.text.strip()[-300:]}")
    if struck is None:
        return None
    hit.at, hit.transaction = struck
    world.central.start()
    after = world.ledger()
    hit.reached = reached(phase, after, world)
    hit.found += seen.learn(after) + ledgers.sound(after, world.central.ledger()) + ledgers.spent(before, after)[0]
    finish(world, phase, hit, after["step"])
    judge(world, phase, before, hit, seen)
    return hit


def reached(phase, ledger, world):
    """How far the killed work had come, in a few words."""
    if phase == "activation":
        return ledger["step"]
    held = {copy["document"] for copy in ledger["copies"] if copy["state"] == "fresh"}
    waiting = f"+{len(ledger['batches'])} batch" if ledger["batches"] else ""
    strays = f" {len(ledger['stray_keys'])} stray keys" if ledger["stray_keys"] else ""
    return (f"{len(held)} documents{waiting}" if phase == "issuance" else f"feed {ledger['cursor']}{waiting}") + strays


class Showing:
    """Trials of the presentation phase: one wallet lives through kill after kill until its copies run low."""

    def __init__(self, world):
        self.world, self.seen, self.last = world, None, None

    def renew(self):
        self.world.restore("presentation")
        self.seen, self.last = ledgers.Seen(), self.world.before("presentation")
        self.seen.learn(self.last)

    def ready(self):
        fresh = [c for c in self.last["copies"] if c["document"] == LICENCE and c["state"] == "fresh"] if self.last else []
        if len(fresh) < 3:
            self.renew()

    def show(self, request, hit):
        """One `wallet answer`, and the officer's check of what it drew."""
        out = self.world.picture("answer")
        code, said = self.world.complete("presentation", request=request, out=out)
        return (code, said, self.check(out, hit))

    def check(self, out, hit):
        """Whether a whole answer is in the picture; notes whose key it carries."""
        if not out.exists() or out.stat().st_size == 0:
            return False
        taken, said, opened = self.world.officer.check(out)
        if taken is None:
            return False
        if not taken or len(opened) != 1:
            hit.found.append(f"the officer refused an answer: {said}")
        for file in opened:
            answer = ledgers.opened_answer(file)
            if answer[0] in [thumbprint for thumbprint, _ in self.seen.answers]:
                hit.found.append("a spent copy set was shown again")
            if answer[1] in [request for _, request in self.seen.answers]:
                hit.found.append("one request had two answers")
            self.seen.answers.append(answer)
        return True

    def kill(self, delay, length, aim):
        self.ready()
        world, before = self.world, self.last
        hit = Hit("presentation", "wallet", 0.0, length)
        request, out = world.picture("request"), world.picture("answer")
        world.officer.ask(LICENCE, request)
        run = world.begin("presentation", request=request, out=out)
        struck = strike(world, run, "wallet", delay, aim)
        if struck is None:
            run.finish()
            self.check(out, hit)
            self.last = world.ledger()
            return None
        hit.at, hit.transaction = struck
        left = self.check(out, hit)
        after = world.ledger()
        new = after["consents"][len(before["consents"]) :]
        hit.reached = (f"{new[0]['outcome']} {new[0]['reason']}".strip() if new else "nothing reserved") + (", answer drawn" if left else "")
        acts = 1
        if left and [entry["outcome"] for entry in new] != ["shown"]:
            hit.found.append(f"an answer left and the log says {[entry['outcome'] for entry in new]}")
        if not left:
            self.finish(request, hit)
            acts = 2 if new else 1
        world.officer.end()
        self.judge(before, hit, acts)
        return hit

    def finish(self, request, hit):
        """The citizen shows once more: the same request when nothing was reserved for it, else the officer asks anew."""
        hit.tries = 1
        code, said, left = self.show(request, hit)
        if code == 0 and left:
            return
        if "answered before" not in said:
            hit.found.append(f"the work does not complete: exit {code}: {said.strip()[-300:]}")
            return
        hit.tries = 2
        request = self.world.picture("request")
        self.world.officer.ask(LICENCE, request)
        code, said, left = self.show(request, hit)
        if code != 0 or not left:
            hit.found.append(f"a new request is not answered: exit {code}: {said.strip()[-300:]}")

    def judge(self, before, hit, acts):
        world, found = self.world, hit.found
        wallet, central = world.ledger(), world.central.ledger()
        found += self.seen.learn(wallet)
        found += ledgers.sound(wallet, central) + ledgers.accounts(wallet, central, epoch=1)
        found += ledgers.copies(wallet, central, self.seen) + ledgers.keys(wallet, central, world.wallet)
        found += ledgers.consents(before, wallet, acts)
        wrong, gone = ledgers.spent(before, wallet)
        found += wrong
        new = wallet["consents"][len(before["consents"]) :]
        if sorted(gone) != sorted(entry["copy_set"] for entry in new):
            found.append(f"copy sets {gone} were spent and the log names {[entry['copy_set'] for entry in new]}")
        logged = {(self.seen.copies[e["copy_set"]][1], e["request_hash"]) for e in wallet["consents"] if e["outcome"] == "shown"}
        for answer in self.seen.answers:
            if answer not in logged:
                found.append("an answer left and no consent entry names its key and request")
        self.last = wallet


def spread(phase, share):
    """Where in a phase a share of 0 to 1 lies. Most of a presentation is the drawing of pictures; its beginning is where copies are spent."""
    return share * share if phase == "presentation" else share


def chosen(rng: random.Random, phase):
    """What is killed, and whether the kill waits for a transaction."""
    if phase == "presentation":
        return "wallet", rng.random() < 0.4
    return rng.choice(("wallet", "wallet", "central", "both")), rng.random() < 0.33


def length(world, phase, times=3):
    """The phase without any fault: from the moment the store is open to the end of the process. The median of a few runs."""
    measured = []
    for _ in range(times):
        world.restore(phase)
        if phase == "presentation":
            request = world.picture("request")
            world.officer.ask(LICENCE, request)
            run = world.begin(phase, request=request, out=world.picture("answer"))
        else:
            world.central.start()
            run = world.begin(phase)
        begun = run.wait_inside()
        code = run.finish()
        if begun is None or code != 0:
            raise Trouble(f"{phase} does not work without any fault: exit {code}: {run.text[-600:]}")
        measured.append(time.monotonic() - begun)
    world.officer.end()
    return sorted(measured)[len(measured) // 2]
