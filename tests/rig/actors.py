"""The processes of the crash rig: central, a chip card, an officer, and one command of the wallet that can be killed inside its phase.

Nothing here knows how the core works. What it looks at from outside: which files a process has open, which locks the kernel says it holds,
what it printed, how it ended.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

PASSCODE, CITIZEN, CAN = "482913", "001090000123", "000123"
PATIENCE = 120


class Trouble(Exception):
    """What the rig expected did not happen."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Binary:
    """The program under test."""

    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def run(self, *arguments, stdin=None, timeout=PATIENCE):
        return subprocess.run(
            [self.path, *map(str, arguments)],
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, text=True, timeout=timeout, check=False,
        )

    def expect(self, *arguments, stdin=None, codes=(0,)):
        done = self.run(*arguments, stdin=stdin)
        if done.returncode not in codes:
            raise Trouble(f"{' '.join(map(str, arguments[:2]))}: exit {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}")
        return done.stdout

    def spawn(self, *arguments):
        return subprocess.Popen(
            [self.path, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def alive(pid):
    """Running or stopped; not a zombie, not gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def has_open(pid, name):
    """Whether a process has a file of this name open."""
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(entry.path).endswith(name):
                    return True
            except OSError:
                continue
    except OSError:
        pass
    return False


# SQLite's lock on byte 120 of the index file of a write-ahead log is held for as long as a write transaction is open (walformat, 2.3.1).
WRITE_LOCK = 120


def in_transaction(pid):
    """Whether the kernel says that a process holds the write lock of a write-ahead log: it is in the middle of a transaction."""
    try:
        lines = pathlib.Path("/proc/locks").read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        part = line.split()
        if len(part) == 8 and part[1] == "POSIX" and part[3] == "WRITE" and part[4] == str(pid):
            end = part[7]
            if int(part[6]) <= WRITE_LOCK and (end == "EOF" or int(end) >= WRITE_LOCK):
                return True
    return False


class Helper:
    """A process that says `listening ADDRESS` when it is ready and ends when its standard input is closed."""

    def __init__(self, binary, log, *arguments):
        self._log = open(log, "ab")
        self.log = pathlib.Path(log)
        self.process = subprocess.Popen(
            [binary.path, *map(str, arguments), "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )
        self.address = None
        for line in self.process.stdout:
            if line.startswith("listening"):
                self.address = line.removeprefix("listening").strip()
                return
        code = self.end()
        raise Trouble(f"{arguments[:2]} ended before it was ready (exit {code}): {self.log.read_text()[-600:]}")

    @property
    def pid(self):
        return self.process.pid

    def end(self):
        """Asks it to end; after that kills it. Gives its exit code."""
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self._log.close()
        return self.process.returncode


class Central:
    """The central service of one folder, on one port for ever."""

    def __init__(self, binary, folder, port, behind=None):
        self.binary, self.folder, self.port, self.helper = binary, pathlib.Path(folder), port, None
        # The port it really listens on, when a proxy of the rig stands before it.
        self.behind = behind or port

    def start(self):
        if self.helper is None:
            self.helper = Helper(
                self.binary, self.folder.parent / f"{self.folder.name}.log",
                "central", "serve", "--dir", self.folder, "--listen", f"127.0.0.1:{self.behind}", "--allow-software-keys",
            )
        return self

    def stop(self):
        if self.helper is not None:
            helper, self.helper = self.helper, None
            return helper.end()
        return None

    def is_up(self):
        return self.helper is not None and alive(self.helper.pid)

    def reap(self):
        """After a kill: takes leave of the process."""
        self.stop()

    def ledger(self):
        return json.loads(self.binary.expect("central", "ledger", "--dir", self.folder, "--json"))

    def codes(self):
        return sorted((self.folder / "spool").glob("*.json"))

    def newest_code(self):
        """The last one-time code sent, as the citizen's telephone shows it; nothing when none came or one is just being written."""
        for message in reversed(self.codes()):
            try:
                code = json.loads(message.read_text()).get("code")
            except ValueError:
                return None
            if code:
                return code
        return None


class WalletRun:
    """One command of the wallet as a process, with what it printed; answers the question for the code by itself."""

    def __init__(self, binary, arguments, feed=None, at_once=False):
        self.process = binary.spawn(*arguments)
        self.started = time.monotonic()
        self._feed, self._out, self._err = feed, [], []
        self._threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self._threads:
            thread.start()
        if feed is None:
            self._write(None)
        elif at_once:
            self._write(feed())

    @property
    def pid(self):
        return self.process.pid

    def _write(self, text):
        try:
            if text:
                self.process.stdin.write(text + "\n")
            self.process.stdin.close()
        except (OSError, ValueError):
            pass

    def _read(self):
        for line in self.process.stdout:
            self._out.append(line)
            if self._feed and line.startswith("Step: code-sent"):
                self._write(self._feed())

    def _read_errors(self):
        for line in self.process.stderr:
            self._err.append(line)

    def wait_inside(self):
        """Waits until the wallet's store is open: the phase has begun. Gives the time of it, or nothing when the process ended before."""
        while self.process.poll() is None:
            if has_open(self.pid, "/wallet.db"):
                return time.monotonic()
            time.sleep(0.0005)
        return None

    def is_inside(self):
        return alive(self.pid) and has_open(self.pid, "/wallet.db")

    def finish(self, timeout=PATIENCE):
        """Waits for the end; gives the exit code (negative: the signal)."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Trouble(f"a wallet command hung: {self.text[-400:]}") from None
        for thread in self._threads:
            thread.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except (OSError, ValueError):
                pass
        return self.process.returncode

    @property
    def text(self):
        return "".join(self._out) + "".join(self._err)

    @property
    def errors(self):
        return "".join(self._err)


def freeze(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            pass


def thaw(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def slay(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Officer:
    """A staff device. Every request it draws and every answer that opened is kept: the durable ledger of answers shown."""

    def __init__(self, binary, folder, record):
        self.binary, self.folder, self.record = binary, pathlib.Path(folder), pathlib.Path(record)
        self.record.mkdir(parents=True, exist_ok=True)
        self.asking = None

    def ask(self, document, picture):
        """Draws a request and keeps it open in a process of its own."""
        self.end()
        self.asking = self.binary.spawn(
            "officer", "ask", "--dir", self.folder, "--document", document, "--out", picture, "--record", self.record
        )
        said = []
        for line in self.asking.stdout:
            said.append(line)
            if line.startswith("The request is open"):
                return
        raise Trouble(f"officer ask: {''.join(said)}{self.asking.stderr.read()}")

    def check(self, picture):
        """Whether the waiting request takes the answer; and what the check said."""
        before = set(self.record.iterdir())
        done = self.binary.run("officer", "check", "--dir", self.folder, "--answer", picture, "--json")
        new = sorted(set(self.record.iterdir()) - before)
        try:
            verdict = json.loads(done.stdout)
        except ValueError:
            return None, done.stderr.strip(), new
        failed = [fact["name"] for fact in verdict["facts"] if fact["result"] == "failed"]
        return not failed, verdict["verdict"], new

    def end(self):
        if self.asking is not None:
            process, self.asking = self.asking, None
            process.kill()
            process.communicate()
