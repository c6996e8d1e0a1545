"""The crash rig: kills wallet and central at seeded times inside each phase and compares what both sides say afterwards.

    crash.py --binary B [--seed S] [--hits N] [--phase P ...] [--lanes L] [--cuts N] [--disk] [--keep DIR] [--markdown FILE]

Each phase (activation, issuance, presentation, sync) is measured first without any fault. Then SIGKILL falls on the wallet, on central or on
both, at seeded times spread over the measured length. A hit counts only when everything that was killed was alive, and the wallet's store open,
while it stood still in front of the kill. With --cuts the link between wallet and central is cut at seeded byte counts; with --disk the disk of
the wallet or of central is filled up, or refuses writes. Ends with 0 when every phase had its hits and both ledgers agree after each, with 1 otherwise.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import cuts
import disk
import trials
from actors import Binary
from world import PHASES, World

# Trials for one hit at most: a kill that comes too late is no hit and is drawn again.
PATIENCE = 4


def lane(binary, folder, seed, number, orders):
    """Runs its share of the hits; `orders` says how many in each phase. Gives the hits and the measured lengths."""
    rng = random.Random(f"{seed} {number}")
    world = World(Binary(binary), folder)
    hits, lengths = [], {}
    try:
        world.prepare(orders)
        for phase, wanted in orders.items():
            lengths[phase] = trials.length(world, phase)
            showing = trials.Showing(world)
            # Spread: each hit has a slice of the length of its own.
            slices = [trials.spread(phase, (n + rng.random()) / wanted) for n in range(wanted)]
            rng.shuffle(slices)
            missed = 0
            while slices and missed < PATIENCE * wanted:
                delay = slices[-1] * lengths[phase]
                target, aim = trials.chosen(rng, phase)
                if phase == "presentation":
                    hit = showing.kill(delay, lengths[phase], aim)
                else:
                    hit = trials.kill(world, phase, target, delay, lengths[phase], aim)
                if hit is None:
                    missed += 1
                    slices[-1] = trials.spread(phase, rng.random() * 0.95)
                    continue
                slices.pop()
                hits.append(hit)
                tell(number, hit)
    finally:
        world.close()
    return hits, lengths


def tell(number, hit):
    where = f" in a transaction of {hit.transaction}" if hit.transaction else ""
    print(
        f"lane {number}  {hit.phase:<12} killed {hit.target:<7} at {hit.at:6.3f} s of {hit.of:6.3f} s{where}; reached: {hit.reached}; "
        f"done after {hit.tries} more" + "".join(f"\n    FOUND: {text}" for text in hit.found),
        flush=True,
    )


def cut_lane(binary, folder, seed, wanted):
    hits = []
    for hit in cuts.run(Binary(binary), folder, seed, wanted):
        hits.append(hit)
        tell_fault("cuts", hit)
    return hits


def disk_lane(binary, folder, rooms):
    world = World(Binary(binary), folder)
    hits = []
    try:
        world.prepare(PHASES)
        for hit in disk.run(world, rooms):
            hits.append(hit)
            tell_fault("disk", hit)
    finally:
        world.close()
    return hits


def tell_fault(lane, hit):
    print(
        f"{lane}    {hit.phase:<12} {hit.target}: {hit.fault}; {hit.reached}; done after {hit.tries} more"
        + "".join(f"\n    FOUND: {text}" for text in hit.found),
        flush=True,
    )


def ground():
    """Where the folders of a run are made: in memory when there is room for them, else where temporary files are.

    A killed process leaves what it wrote to the kernel, whatever the disk is made of; what only a power cut loses is not shown by a kill anyway,
    and a disk in memory does not make hundreds of trials wait for it.
    """
    memory = pathlib.Path("/dev/shm")
    try:
        if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30:
            return memory
    except OSError:
        pass
    return None


def shares(total, lanes):
    return [total // lanes + (1 if number < total % lanes else 0) for number in range(lanes)]


@dataclasses.dataclass
class Outcome:
    """Everything a run found."""

    kills: list
    lengths: list
    cuts: list
    disks: list

    @property
    def hits(self):
        return self.kills + self.cuts + self.disks


def run(binary, seed, hits, phases=PHASES, lanes=2, cuts=0, rooms=(), keep=None):
    """Runs the rig. `cuts`: in each phase with a network; `rooms`: bytes left on a disk, besides refused writes; without them no disk is touched."""
    folder = pathlib.Path(keep) if keep else pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-crash-", dir=ground()))
    folder.mkdir(parents=True, exist_ok=True)
    orders = [{phase: part for phase in phases} for part in shares(hits, lanes) if part]
    outcome = Outcome([], [], [], [])
    try:
        with concurrent.futures.ProcessPoolExecutor(len(orders) + 2, mp_context=multiprocessing.get_context("spawn")) as pool:
            killing = [pool.submit(lane, binary, folder / f"lane{n}", seed, n, order) for n, order in enumerate(orders)]
            cutting = pool.submit(cut_lane, binary, folder / "cuts", seed, cuts) if cuts else None
            filling = pool.submit(disk_lane, binary, folder / "disk", rooms) if rooms else None
            for future in killing:
                found, measured = future.result()
                outcome.kills += found
                outcome.lengths.append(measured)
            outcome.cuts = cutting.result() if cutting else []
            outcome.disks = filling.result() if filling else []
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


def summary(hits, lengths, phases):
    """One row a phase."""
    rows = []
    for phase in phases:
        of = [hit for hit in hits if hit.phase == phase]
        row = {
            "phase": phase,
            "length": [round(measured[phase], 3) for measured in lengths],
            "hits": len(of),
            "targets": dict(collections.Counter(hit.target for hit in of)),
            "first": round(min((hit.at for hit in of), default=0), 3),
            "last": round(max((hit.at for hit in of), default=0), 3),
            "transactions": sum(bool(hit.transaction) for hit in of),
            "central_transactions": sum("central" in hit.transaction for hit in of),
            "tries": max((hit.tries for hit in of), default=0),
            "reached": dict(collections.Counter(hit.reached for hit in of).most_common()),
            "found": sum(bool(hit.found) for hit in of),
        }
        rows.append(row)
    return rows


def table(rows):
    lines = [
        "| phase | measured length (s) | hits | wallet / central / both | first and last (s) | in a write transaction (of central) | more commands at most | disagreements |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        targets = " / ".join(str(row["targets"].get(name, 0)) for name in ("wallet", "central", "both"))
        length = ", ".join(f"{value:.2f}" for value in row["length"])
        lines.append(
            f"| {row['phase']} | {length} | {row['hits']} | {targets} | {row['first']:.3f}, {row['last']:.3f} | "
            f"{row['transactions']} ({row['central_transactions']}) | {row['tries']} | {row['found']} |"
        )
    lines += ["", "How far the killed work had come:", ""]
    for row in rows:
        lines.append(f"- {row['phase']}: " + "; ".join(f"{name} ({count})" for name, count in row["reached"].items()))
    return "\n".join(lines)


def faults(hits):
    """One row for each phase and side of cuts or disks."""
    lines = ["| phase | where | faults | completed at once | told and completed afterwards | disagreements |", "| --- | --- | --- | --- | --- | --- |"]
    for phase, where in dict.fromkeys((hit.phase, hit.target) for hit in hits):
        of = [hit for hit in hits if (hit.phase, hit.target) == (phase, where)]
        done = sum(hit.reached.startswith("done") for hit in of)
        lines.append(f"| {phase} | {where} | {len(of)} | {done} | {len(of) - done} | {sum(bool(hit.found) for hit in of)} |")
    said = collections.Counter(hit.reached for hit in hits)
    return "\n".join(lines + ["", "What was said, or how far it had come: " + "; ".join(f"{text} ({n})" for text, n in said.most_common())])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--hits", type=int, default=30, help="in each phase")
    parser.add_argument("--phase", action="append", choices=PHASES)
    parser.add_argument("--lanes", type=int, default=2, help="worlds at once")
    parser.add_argument("--cuts", type=int, default=0, help="cut connections in each phase with a network")
    parser.add_argument("--disk", action="store_true", help="full disks and refused writes (needs mounts)")
    parser.add_argument("--keep", help="keep the folders here")
    parser.add_argument("--markdown", help="append the figures to this file")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    phases = tuple(phase for phase in PHASES if not arguments.phase or phase in arguments.phase)
    print(f"seed {seed}", flush=True)
    # Told to end, it ends as after Ctrl-C: folders go, processes follow.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    rooms = disk.ROOM if arguments.disk else ()
    outcome = run(arguments.binary, seed, arguments.hits, phases, arguments.lanes, arguments.cuts, rooms, arguments.keep)
    rows = summary(outcome.kills, outcome.lengths, phases)
    text = f"Seed {seed}, {time.monotonic() - begun:.0f} s, {arguments.lanes} lanes.\n\n## Kills\n\n{table(rows)}\n"
    if outcome.cuts:
        text += f"\n## Cut connections\n\n{faults(outcome.cuts)}\n"
    if outcome.disks:
        text += f"\n## Full disks and refused writes\n\n{faults(outcome.disks)}\n"
    print("\n" + text)
    if arguments.markdown:
        with open(arguments.markdown, "a", encoding="utf-8") as file:
            file.write(text)
    return 0 if all(row["hits"] >= arguments.hits for row in rows) and not any(hit.found for hit in outcome.hits) else 1


if __name__ == "__main__":
    sys.exit(main())
