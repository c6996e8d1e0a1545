"""The language of the verdicts: names of one closed registry, three results, who found it, what it is about."""

from collections import namedtuple

PASSED, FAILED, NOT_CHECKED = "passed", "failed", "not-checked"

NAMES = frozenset(
    """chip.hashes chip.signature chip.chain chip.revocation chip.genuine chip.access
    request.signature request.chain request.time request.role
    exchange.nonce exchange.request exchange.audience
    credential.chain credential.signature credential.digest credential.holder credential.validity credential.status credential.type
    status.signature status.freshness trust.signature trust.version trust.freshness
    account.factors portrait.match name.match clock""".split()
)

Fact = namedtuple("Fact", "name result about by caution why", defaults=(False, ""))


class Ladder:
    """Rungs in a fixed order: after the first one that does not hold, what stands above it is not-checked, so that one fault is one failed fact."""

    def __init__(self, by, about=""):
        self.by, self.about, self.facts, self.broken = by, about, [], None

    def note(self, name, result, why="", caution=False):
        """A fact beside the ladder: it breaks nothing, but below a broken rung it is not-checked."""
        assert name in NAMES, name
        if self.broken:
            result, why, caution = NOT_CHECKED, f"depends on {self.broken}", False
        self.facts.append(Fact(name, result, self.about, self.by, caution, why))

    def check(self, name, problem):
        """A rung: `problem` is None when it holds, the reason when it does not, or a `NotJudged`."""
        result = PASSED if problem is None else NOT_CHECKED if isinstance(problem, NotJudged) else FAILED
        self.note(name, result, "" if problem is None else str(problem))
        if problem is not None and not self.broken:
            self.broken = name
        return self.broken is None

    @property
    def whole(self):
        return self.broken is None


class NotJudged(str):
    """A reason why nothing can be said: neither passed nor failed."""


class Unreadable(Exception):
    """The bytes are not what they have to be: nothing in them can be judged."""
