"""From a chip card to an offline check, through the generated bindings, with every port written in Python.

Usage: spine.py BINARY      (the `citizen-wallet` binary; the generated module and its library must be importable)

Central and the card are processes of their own; central is stopped before the checks and started again for the sync.
"""

import json
import pathlib
import socket
import sys
import tempfile
import time

import blocking  # noqa: F401  (acts wait)
import wallet_bindings as wb
from ports import PythonClock, PythonKeyStore, PythonListener, PythonSealer, SocketCard, released
from processes import Helper, run

CITIZEN = "001090000123"
CAN = CITIZEN[-6:]
PASSCODE = b"528491"


class CallsBack(PythonListener):
    """A listener that calls into the object it listens to, which it is told it may not."""

    def __init__(self):
        super().__init__()
        self.wallet = None
        self.told = None

    def state_changed(self, subject, state):
        super().state_changed(subject, state)
        if self.wallet is not None and self.told is None:
            try:
                self.wallet.documents()
            except wb.WalletError.Invalid as error:
                self.told = error.reason


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Central:
    """The central service: its folder, its address, its process while it runs."""

    def __init__(self, binary, directory):
        self.binary, self.directory, self.port, self.helper = binary, directory, free_port(), None
        self.url = f"https://localhost:{self.port}"
        run(binary, "central", "init", "--dir", directory, "--public-url", self.url)

    def start(self):
        if self.helper is None:
            self.helper = Helper(
                self.binary, "central", "serve", "--dir", self.directory, "--allow-software-keys", log=self.directory / "serve.log"
            )

    def stop(self):
        if self.helper is not None:
            self.helper.stop()
            self.helper = None

    def config(self, kind, directory):
        public = self.directory / "public"
        return kind(
            directory=str(directory),
            service_url=self.url,
            tls_root=(public / "tls-root.der").read_bytes(),
            trust_root=(public / "root.json").read_bytes(),
            trust_floor=1,
        )

    def staff_code(self, role, organisation, place):
        printed = run(
            self.binary, "central", "staff-code", "--dir", self.directory, "--role", role, "--organisation", organisation, "--place", place
        )
        return printed.split()[-1]

    def suspend(self, document):
        run(self.binary, "central", "suspend", "--dir", self.directory, "--citizen", CITIZEN, "--document", document)

    def newest_code(self):
        """The one-time code, as the citizen's telephone gets it."""
        for _ in range(200):
            messages = sorted((self.directory / "spool").glob("*.json"))
            if messages:
                return json.loads(messages[-1].read_text())["code"]
            time.sleep(0.05)
        raise AssertionError("no code came")


def say(step, verdict=None):
    print(f"{step}: {verdict.conclusion}" if verdict else step, flush=True)


def expect(step, verdict, conclusion):
    say(step, verdict)
    assert verdict.conclusion == conclusion, (step, verdict)


def expect_error(step, kind, act):
    try:
        act()
    except kind as error:
        say(f"{step}: {type(error).__name__}")
        return error
    raise AssertionError(f"{step}: no error")


def activate(wallet, binary, central, directory):
    """Card, code, face. The card is lost once in the middle of the reading and held again."""
    wallet.begin_activation()
    with Helper(binary, "chip", "sim", "--listen", "127.0.0.1:0", log=directory / "card.log") as card:
        host, port = card.address.rsplit(":", 1)
        wrong = wb.CardPassword.CAN(can="000000")
        # The simulated reader has room for one: the first is let go before the second is held.
        first = SocketCard(host, int(port))
        expect_error("wrong CAN", wb.WalletError.WrongCardKey, lambda: wallet.read_card(first, wrong))
        first.cancel()
        channel = SocketCard(host, int(port), lose_after=30)
        report = wallet.read_card(channel, wb.CardPassword.CAN(can=CAN))
    expect("card read, lost once", report.verdict, "verified")
    assert report.display.personal_number == CITIZEN
    wallet.submit_chip()
    wallet.request_code()
    view = expect_wrong_code(wallet)
    view = wallet.submit_code(central.newest_code())
    selfie = directory / "selfie.png"
    run(binary, "chip", "selfie", "--out", selfie)
    view = wallet.submit_face(selfie.read_bytes())
    view = wallet.complete_activation()
    expect("activation", view.verdict, "verified")
    assert view.step == "complete", view.step


def expect_wrong_code(wallet):
    """A wrong code costs a try and nothing else, whether it is told as an error or as a view."""
    try:
        wallet.submit_code("000000")
    except wb.WalletError as error:
        say(f"wrong code: {type(error).__name__}")
    tries = wallet.activation().tries_left
    assert tries is not None and tries < 5, tries


def by_picture(text):
    """The text as the other side's camera reads it from pixels."""
    texts = wb.qr_decode_png(wb.qr_draw(text).png)
    assert len(texts) == 1
    return texts[0]


def check(wallet, verifier, document, conclusion):
    asked = verifier.ask(document, None, "", "")
    pending = wallet.open_request(by_picture(asked.text()))
    assert pending.verdict().conclusion == "verified", pending.verdict()
    selection = pending.default_selection()
    answer = pending.answer(selection.document, selection.fields)
    result = verifier.check(by_picture(answer.text))
    expect(f"check of {document}", result.verdict(), conclusion)
    again = verifier.check(by_picture(answer.text))
    assert again.verdict().conclusion == "rejected:exchange.nonce", again.verdict()
    return result


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="wallet-spine-") as folder:
        directory = pathlib.Path(folder)
        central = Central(binary, directory / "central")
        try:
            spine(binary, directory, central)
        finally:
            central.stop()
    say("spine: done")


def spine(binary, directory, central):
    central.start()
    listener = CallsBack()
    officer_ports = (PythonKeyStore(), PythonSealer(), PythonClock())
    officer = wb.Verifier.open(central.config(wb.VerifierConfig, directory / "officer"), *officer_ports, None)
    expect_error("not enrolled", wb.WalletError.Invalid, lambda: officer.ask("driving-licence", None, "", ""))
    staff = officer.enrol(central.staff_code("traffic-police", "Đội CSGT số 1", "Quốc lộ 5, km 32"))
    assert staff.role == "traffic-police", staff
    expect("officer syncs", officer.sync().verdict, "verified")

    keys, sealer, clock = PythonKeyStore(), PythonSealer(), PythonClock()
    config = central.config(wb.WalletConfig, directory / "wallet")
    wallet = wb.Wallet.open(config, keys, sealer, clock, listener)
    listener.wallet = wallet
    wallet.create(PASSCODE)
    wallet.lock()
    error = expect_error("wrong passcode", wb.WalletError.WrongPasscode, lambda: wallet.unlock(b"000000"))
    assert error.tries_left == 4, error
    wallet.unlock(PASSCODE)
    activate(wallet, binary, central, directory)
    report = wallet.obtain_documents()
    expect("issuance", report.verdict, "verified")
    assert len(report.documents) == 4, report.documents
    assert any(step == "DG2" or "DG2" in step for step, _, _ in listener.steps), listener.steps[:20]

    assert listener.told == "re-entry", (listener.told, listener.states)
    listener.wallet = None  # a cycle between an app's object and the core's is never collected

    # A new process of the app: the same folder, the same ports.
    wallet.close()
    expect_error("closed", wb.WalletError.Closed, wallet.documents)
    wallet = wb.Wallet.open(config, keys, sealer, clock, None)
    wallet.unlock(PASSCODE)

    central.stop()
    result = check(wallet, officer, "driving-licence", "undetermined:portrait.match")
    shown = [item.field for group in result.display().groups for item in group.items]
    assert "full_name" in shown and "privileges" in shown, shown
    expect_error("no portrait to compare", wb.WalletError.Invalid, lambda: result.confirm_face(True))
    before = result.status_issued_at()
    entry = wallet.consent_log()[0]
    assert (entry.outcome, entry.document, entry.organisation) == ("shown", "driving-licence", "Đội CSGT số 1"), entry

    time.sleep(1.1)  # lists are dated in seconds
    central.suspend("driving-licence")
    central.start()
    expect("officer syncs again", officer.sync().verdict, "verified")
    central.stop()
    result = check(wallet, officer, "driving-licence", "rejected:credential.status")
    assert result.status_issued_at() > before
    assert result.display() is None

    # Over-asking: the wallet raises the alarm and proposes nothing.
    asked = officer.ask("citizen-identity", ["full_name", "resident_address"], "", "")
    pending = wallet.open_request(asked.text())
    expect("over-ask", pending.verdict(), "rejected:request.role")
    assert [item.field for item in pending.items() if item.over_ask] == ["resident_address"]
    pending.decline()
    assert wallet.consent_log()[0].outcome == "declined"


if __name__ == "__main__":
    main()
    kept = released()
    assert not kept, f"the core still holds {kept}"
