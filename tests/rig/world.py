"""A lane of the rig: one central, one wallet, one officer and one card, with a snapshot of their folders at the beginning of each phase."""

import json
import pathlib
import shutil

from actors import CAN, CITIZEN, PASSCODE, Central, Helper, Officer, Trouble, WalletRun, free_port

PHASES = ("activation", "issuance", "presentation", "sync")
DOCUMENTS = ("citizen-identity", "driving-licence", "health-insurance-card", "health-summary")
LICENCE = "driving-licence"
BATCH = 8
# Shown before the sync phase begins: then half are left, and the sync has something to refill.
SHOWN = 4


class World:
    """Folders of a lane. `now` is the one that is worked on; `at/<phase>` are the snapshots."""

    def __init__(self, binary, folder, proxied=False):
        self.binary, self.folder = binary, pathlib.Path(folder)
        self.now, self.at = self.folder / "now", self.folder / "at"
        self.now.mkdir(parents=True)
        port = free_port()
        self.central = Central(binary, self.now / "central", port, behind=free_port() if proxied else None)
        self.wallet = self.now / "wallet"
        self.officer = Officer(binary, self.folder / "officer", self.folder / "answers")
        self.card = Helper(binary, self.folder / "card.log", "chip", "sim")
        self.face = self.folder / "face.png"
        self.pictures = 0
        self._before = {}

    def close(self):
        self.officer.end()
        self.central.stop()
        self.card.end()

    def picture(self, name):
        self.pictures += 1
        return self.folder / f"{name}{self.pictures}.png"

    # What a citizen types.

    def command(self, phase, **more):
        wallet = ("--dir", self.wallet, "--passcode", PASSCODE)
        if phase == "activation":
            return ("wallet", "activate", *wallet, "--card", self.card.address, "--can", CAN, "--code", "-", "--face", self.face)
        if phase == "issuance":
            return ("wallet", "issue", *wallet)
        if phase == "sync":
            return ("wallet", "sync", *wallet)
        return ("wallet", "answer", *wallet, "--request", more["request"], "--out", more["out"], "--yes")

    def begin(self, phase, code_was_sent=False, **more):
        """Starts the phase's command."""
        if phase != "activation":
            return WalletRun(self.binary, self.command(phase, **more))
        return WalletRun(self.binary, self.command(phase), feed=self.central.newest_code, at_once=code_was_sent)

    def complete(self, phase, step=None, **more):
        """Runs the phase's command to its end; gives its exit code and what it said. `step`: where the activation stands, when that is known."""
        if phase == "activation":
            step = step or self.ledger()["step"]
        run = self.begin(phase, code_was_sent=step == "code-sent", **more)
        return run.finish(), run.text

    def ledger(self):
        return json.loads(self.binary.expect("wallet", "ledger", "--dir", self.wallet, "--passcode", PASSCODE, "--json"))

    def before(self, phase):
        """The wallet's ledger at the beginning of a phase; the folders have just been put back."""
        if phase not in self._before:
            self._before[phase] = self.ledger()
        return self._before[phase]

    # Snapshots.

    def keep(self, phase):
        """Remembers the folders as they are; every process that works on them has ended."""
        shutil.copytree(self.now, self.at / phase)

    def restore(self, phase):
        """Puts the folders back to the beginning of a phase."""
        self.central.stop()
        shutil.rmtree(self.now)
        shutil.copytree(self.at / phase, self.now)

    def prepare(self, phases):
        """Goes through the story once and takes the snapshots that are asked for."""
        run, central = self.binary.expect, self.central
        run("central", "init", "--dir", central.folder, "--public-url", f"https://localhost:{central.port}")
        run("chip", "selfie", "--out", self.face)
        run("wallet", "create", "--dir", self.wallet, "--central", central.folder, "--passcode", PASSCODE)
        self.keep("activation")
        if set(phases) == {"activation"}:
            return
        self.done("activation")
        self.keep("issuance")
        if not {"presentation", "sync"} & set(phases):
            return
        self.done("issuance")
        central.start()
        code = run("central", "staff-code", "--dir", central.folder, "--role", "traffic-police", "--organisation", "CSGT", "--place", "Quốc lộ 5")
        run("officer", "enrol", "--dir", self.officer.folder, "--central", central.folder, "--code", "-", stdin=code)
        run("officer", "sync", "--dir", self.officer.folder)
        central.stop()
        self.keep("presentation")
        if "sync" not in phases:
            return
        for _ in range(SHOWN):
            request, out = self.picture("request"), self.picture("answer")
            self.officer.ask(LICENCE, request)
            run(*self.command("presentation", request=request, out=out))
            self.officer.check(out)
        self.officer.end()
        for change, document in (("suspend", "health-summary"), ("revoke", "health-insurance-card")):
            run("central", change, "--dir", central.folder, "--citizen", CITIZEN, "--document", document)
        run("central", "republish", "--dir", central.folder)
        self.keep("sync")

    def done(self, phase):
        self.central.start()
        code, said = self.complete(phase)
        self.central.stop()
        if code != 0:
            raise Trouble(f"{phase} does not work without any fault: exit {code}: {said[-600:]}")
