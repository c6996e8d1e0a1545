"""The story of a record, played again: each call of a device becomes the facts that the device must have found."""

import json
from collections import namedtuple

from .devices import Officer, Stranger, Wallet
from .facts import Unreadable
from .record import Exchange, Record

KINDS = {"wallet": Wallet, "officer": Officer, "stranger": Stranger}
Found = namedtuple("Found", "device fact")


class Call:
    """One call of a device, from `call` to `return`, with everything that belongs to it."""

    def __init__(self, record, device, what, events):
        self.device, self.what, self.events = device, what, events
        self.at = events[-1]["at"]
        self.exchanges = [Exchange(record, event) for event in events if event["kind"] == "http"]

    def posts(self, path):
        return [exchange for exchange in self.exchanges if exchange.path == path and exchange.method == "POST" and exchange.good]

    def pictures(self, kind, what):
        return [event["file"] for event in self.events if event["kind"] == kind and event["what"] == what]

    def files(self, kind):
        return [event["file"] for event in self.events if event["kind"] == kind]


def attributed(device, fact):
    """A fact about no document is about the device; what central found it found itself, wherever it was told."""
    return Found("central" if fact.by == "central" else device, fact._replace(about=fact.about or device))


class Story:
    def __init__(self, folder):
        self.record = Record(folder)
        self.devices = {one["id"]: KINDS[one["kind"]](self.record, one["id"]) for one in self.record.story["devices"]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.record.temporary.cleanup()

    def steps(self):
        """(name of the step, [Found]) in the order of the story. What cannot be read is a problem of the record, told by name."""
        for step in self.record.story["steps"]:
            found, problems = [], []
            for call in self.calls(step):
                try:
                    found += [attributed(call.device, fact) for fact in self.judge(call)]
                except Unreadable as problem:
                    problems.append(f"{call.device} {call.what}: {problem}")
                except (OSError, LookupError, ValueError, TypeError, AttributeError) as problem:
                    # A record that was tampered with may break anything; what breaks is told, never passed over.
                    problems.append(f"{call.device} {call.what}: cannot be judged ({type(problem).__name__}: {problem})")
            yield step["name"], found, problems

    def calls(self, step):
        """Calls in the order in which they ended; what happens outside of any call is looked at here."""
        open_calls = []
        for event in step["events"]:
            kind, device = event["kind"], event.get("device")
            if kind == "call":
                open_calls.append((device, event["what"], [event]))
                continue
            if kind == "message":
                self.devices[device].message = self.read_message(event["file"])
            elif kind == "cancelled":
                self.devices[device].cancel(event["file"])
            elif kind == "http" and not device:
                raise Unreadable("an exchange of nobody")
            mine = next((one for one in reversed(open_calls) if one[0] == device), None)
            if mine is not None:
                mine[2].append(event)
                if kind == "return":
                    open_calls.remove(mine)
                    yield Call(self.record, *mine)
        if open_calls:
            raise Unreadable("a call that never ended")

    def read_message(self, name):
        return json.loads(self.record.bytes(name))

    def judge(self, call):
        device = self.devices[call.device]
        if isinstance(device, Stranger):
            return device.straight(call, self.published()) if call.what == "straight" else []
        work = getattr(device, call.what.replace("-", "_"), None)
        return work(call) if work else []

    def published(self):
        """What central publishes about cards is what it believes itself: the newest trust that any device took."""
        known = [device.state for device in self.devices.values() if not isinstance(device, Stranger) and device.trust]
        return max(known, key=lambda state: state.version).trust
