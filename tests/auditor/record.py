"""The files of a record: `story.json` (what happened, when, on which device) and what lies beside it. No facts and no verdicts stand in it."""

import json
import pathlib
import tempfile

from .facts import Unreadable


class Record:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.temporary = tempfile.TemporaryDirectory(prefix="auditor-")
        self.scratch = pathlib.Path(self.temporary.name)
        self.story = json.loads(self.bytes("story.json"))
        if self.story["version"] != 1:
            raise Unreadable("a manifest of another version")

    def path(self, name):
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise Unreadable(f"{name} lies outside the record")
        return path

    def bytes(self, name):
        return self.path(name).read_bytes()

    def anchor(self, name):
        return self.bytes(self.story["trust"][name])

    def key_of(self, request_hash):
        """The private scalar of a request's ephemeral key."""
        entry = json.loads(self.bytes(f"answers/keys/{request_hash.hex()}.json"))
        if entry["request"] != request_hash.hex():
            raise Unreadable("a key for another request")
        return bytes.fromhex(entry["key"])

    def draws(self):
        """What the simulated cards drew at random, in order."""
        return [bytes.fromhex(line) for line in self.bytes("card.random").decode().split()]


class Exchange:
    """One HTTP request and the answer as the device got it: replaced, when somebody stood in between."""

    def __init__(self, record, event):
        head = json.loads(record.bytes(event["file"]))
        stem = event["file"].removesuffix(".json")
        self.at, self.method, self.path, self.replaced = event["at"], head["method"], head["path"], head["replaced"]
        # What was replaced was replaced by something the device took for an answer.
        self.status = 200 if self.replaced else head["status"]

        def body(kind):
            path = record.path(f"{stem}.{kind}")
            return path.read_bytes() if path.exists() else b""

        self.sent, self.received = body("request"), body("replaced" if self.replaced else "response")

    @property
    def good(self):
        return self.status == 200

    def sent_json(self):
        return json.loads(self.sent)

    def received_json(self):
        return json.loads(self.received)
