"""Full disks and refused writes: the wallet's or central's folder on a small disk of its own in memory, filled up or made read-only.

Needs mounts: root, or a user that may make namespaces (then run it under `unshare -Urm`).
"""

import pathlib
import shutil
import subprocess

import ledgers
import trials
from actors import Trouble
from world import LICENCE

PAGE = 4096
SIZE = 16 << 20
# Room that is left, in bytes: none at all, a page, some pages, more than one transaction needs but less than the phase.
ROOM = (0, PAGE, 4 * PAGE, 16 * PAGE, 48 * PAGE, 160 * PAGE)
NAMES = ("full", "disk", "storage", "central could not be reached", "room")


def may_mount(folder):
    """Whether this process may mount; a reason when not."""
    place = pathlib.Path(folder) / "mount-try"
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip() or "mount failed"
    subprocess.run(["umount", place], check=True)
    return None


class Disk:
    """A small disk under one folder, which moves onto it and stays."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def __enter__(self):
        aside = self.folder.with_name(self.folder.name + ".aside")
        self.folder.rename(aside)
        self.folder.mkdir(mode=0o700)
        self._mount("-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs")
        shutil.copytree(aside, self.folder, dirs_exist_ok=True)
        shutil.rmtree(aside)
        return self

    def _mount(self, *how):
        subprocess.run(["mount", *how, str(self.folder)], check=True, capture_output=True)

    def fill(self, room):
        """Leaves `room` bytes."""
        with open(self.folder / "filler", "wb") as file:
            try:
                while True:
                    file.write(bytes(64 * PAGE))
                    file.flush()
            except OSError:
                pass
        with open(self.folder / "filler", "rb+", buffering=0) as file:
            end = file.seek(0, 2)
            while end % PAGE == 0:
                try:
                    file.write(bytes(PAGE))
                    end += PAGE
                except OSError:
                    break
            file.truncate(max(end - end % PAGE - room, 0))

    def make_room(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def refuse(self, writes):
        self._mount("-o", "remount,ro" if writes else "remount,rw")

    def __exit__(self, *_):
        aside = self.folder.with_name(self.folder.name + ".aside")
        subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=False, capture_output=True)
        shutil.copytree(self.folder, aside)
        done = subprocess.run(["umount", str(self.folder)], check=False, capture_output=True)
        if done.returncode:
            # Something still works in there: it goes when the last one leaves.
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
        self.folder.rmdir()
        aside.rename(self.folder)


def told(code, said):
    """A refusal that names its cause."""
    return code == trials.SURROUNDINGS and any(name in said for name in NAMES)


def network_phase(world, phase, where, fault):
    """Activation, issuance or sync with a disk in trouble; `fault` is a number of bytes left or `refused`."""
    world.restore(phase)
    seen, before = ledgers.Seen(), world.before(phase)
    hit = trials.Hit(phase, where, 0, 0)
    hit.found += seen.learn(before)
    with Disk(world.wallet if where == "wallet" else world.central.folder) as disk:
        world.central.start()
        disk.refuse(True) if fault == "refused" else disk.fill(fault)
        run = world.begin(phase)
        code, said = run.finish(), run.text
        if code != 0 and not told(code, said):
            hit.found.append(f"ended with {code} and does not name the cause: {said.strip()[-300:]}")
        disk.refuse(False) if fault == "refused" else disk.make_room()
        hit.reached = "done" if code == 0 else run.errors.strip().splitlines()[-1] if run.errors.strip() else "?"
        after = world.ledger()
        hit.found += seen.learn(after)
        trials.finish(world, phase, hit, after["step"])
        world.central.stop()
    world.central.start()
    trials.judge(world, phase, before, hit, seen)
    world.central.stop()
    return hit


def showing(world, fault):
    """A presentation with the wallet's disk in trouble."""
    show = trials.Showing(world)
    show.renew()
    before = show.last
    hit = trials.Hit("presentation", "wallet", 0, 0)
    request, out = world.picture("request"), world.picture("answer")
    world.officer.ask(LICENCE, request)
    with Disk(world.wallet) as disk:
        disk.refuse(True) if fault == "refused" else disk.fill(fault)
        run = world.begin("presentation", request=request, out=out)
        code, said = run.finish(), run.text
        if code != 0 and not told(code, said):
            hit.found.append(f"ended with {code} and does not name the cause: {said.strip()[-300:]}")
        left = show.check(out, hit)
        if left != (code == 0):
            hit.found.append(f"exit {code} and an answer {'left' if left else 'did not leave'}")
        disk.refuse(False) if fault == "refused" else disk.make_room()
        hit.reached = "done" if code == 0 else run.errors.strip().splitlines()[-1] if run.errors.strip() else "?"
        acts = 1
        if not left:
            show.finish(request, hit)
            acts = 2
        world.officer.end()
    show.judge(before, hit, acts)
    return hit


def run(world, rooms=ROOM, phases=("activation", "issuance", "presentation", "sync")):
    """Every phase with the wallet's disk, every phase that needs central with central's. Gives pairs of fault and hit."""
    reason = may_mount(world.folder)
    if reason:
        raise Trouble(f"this kernel lets the rig mount nothing: {reason}")
    hits = []
    for fault in (*rooms, "refused"):
        for phase in phases:
            if phase == "presentation":
                hits.append((fault, showing(world, fault)))
            else:
                hits += [(fault, network_phase(world, phase, where, fault)) for where in ("wallet", "central")]
    return hits
