"""python -m auditor RECORD_DIR [--compare JSON] [--quiet]

Judges a record alone and prints the facts of every step. Ends with 0, or with 1 when the record cannot be judged whole or differs from the demo's
JSON, with 3 for wrong usage.
"""

import argparse
import sys
from collections import Counter

from . import compare
from .facts import Unreadable
from .story import Story

TAKEN = [
    "the times of story.json: when each thing happened, and that no device's own counter stood still (`clock` is judged with them)",
    "anchors/registry.json: what the ministries' registry says of a card (`account.factors` about `card`)",
    "card.random and keys/: they only open what was encrypted; a wrong one opens nothing",
]


def main(arguments):
    parser = argparse.ArgumentParser(prog="auditor", description="Judges the record of a demo from its files alone.")
    parser.add_argument("record", help="the folder record/ of a demo")
    parser.add_argument("--compare", metavar="JSON", help="what `citizen-wallet demo --json` printed")
    parser.add_argument("--quiet", action="store_true", help="only differences and the last line")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:
        return 3 if end.code else 0
    try:
        with Story(options.record) as story:
            audited = list(story.steps())
    except (Unreadable, OSError, ValueError, LookupError, TypeError) as problem:
        print(f"DIFFERS  the record cannot be read: {type(problem).__name__}: {problem}")
        return 1
    problems = [f"{name}: {problem}" for name, _, found in audited for problem in found]
    if not options.quiet:
        show(audited)
    facts = sum(len(found) for _, found, _ in audited)
    if options.compare:
        differing, facts = compare.differences(audited, options.compare)
        problems += differing
    for problem in problems:
        print(f"DIFFERS  {problem}")
    verb = "compared" if options.compare else "judged"
    print(f"{facts} facts {verb} in {len(audited)} steps, {len(problems)} problems; facts taken and not judged: none")
    return 1 if problems else 0


def show(audited):
    for name, found, _ in audited:
        print(f"== {name}")
        for (device, fact), count in Counter(found).items():
            about = f" ({fact.about})" if fact.about else ""
            times = f"  x{count}" if count > 1 else ""
            why = f"  {fact.why}" if fact.why else ""
            print(f"   {fact.result:<12}{'!' if fact.caution else ' '}{fact.name}{about}  by {fact.by} on {device}{times}{why}")
    print("taken on trust, since nothing in a record could show it:")
    for line in TAKEN:
        print(f"   {line}")


sys.exit(main(sys.argv[1:]))
