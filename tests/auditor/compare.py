"""Fact by fact against the JSON of the demo: name, result, about, by, caution and device, and how often each stands in each step."""

import json
from collections import Counter


def key(device, fact):
    return (device, fact.name, fact.about, fact.by, fact.result, fact.caution)


def claimed(path):
    """[(step, Counter)] of the demo's JSON."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    members = ("device", "name", "about", "by", "result", "caution")
    return [(step["name"], Counter(tuple(fact[member] for member in members) for fact in step["facts"])) for step in report["steps"]]


def differences(audited, path):
    """Lines that tell every difference, and how many facts were compared. `audited`: [(step, [Found], problems)]."""
    theirs, lines, facts = claimed(path), [], 0
    if [name for name, _ in theirs] != [name for name, _, _ in audited]:
        lines.append("the steps differ")
    for (name, their), (_, found, _) in zip(theirs, audited):
        our = Counter(key(one.device, one.fact) for one in found)
        facts += sum((their | our).values())
        for which, more in (("the demo alone", their - our), ("the auditor alone", our - their)):
            for fact, count in sorted(more.items()):
                device, title, about, by, result, caution = fact
                how = f"{result} with caution" if caution else result
                lines.append(f"{name}: {which} says {count} x {title} {how} (about {about or '-'}, by {by}, on {device or '-'})")
    return lines, facts
