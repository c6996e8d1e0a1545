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
# Words of which one has to be in what the wallet says, and in what central says or logs.
NAMES = {"wallet": ("storage: full", "storage: disk"), "central": ("central could not be reached",)}
LOG = ("disk full", "no storage space", "read-only")


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


def told(where, code, said):
    """A refusal that names its cause."""
    return code == trials.SURROUNDINGS and any(name in said for name in NAMES[where])


def word(fault):
    return "writes refused" if fault == "refused" else f"{fault} bytes left"


def logged(world):
    """Whether central's log names the cause; the citizen's screen only says that central could not do its work."""
    return any(name in (world.now / "central.log").read_text() for name in LOG)


def network_phase(world, phase, where, fault):
    """Activation, issuance or sync with a disk in trouble; `fault` is a number of bytes left or `refused`."""
    world.restore(phase)
    seen, before = ledgers.Seen(), world.before(phase)
    hit = trials.Hit(phase, where, 0, 0, fault=word(fault))
    hit.found += seen.learn(before)
    with Disk(world.wallet if where == "wallet" else world.central.folder) as disk:
        if fault != "refused":
            world.central.start()
            disk.fill(fault)
        else:
            # The kernel makes nothing read-only that is open for writing: central has to start on such a disk, and says that it cannot.
            disk.refuse(True)
            start_refused(world, where, hit)
        run = world.begin(phase)
        code, said = run.finish(), run.text
        if code != 0 and not told(where, code, said):
            hit.found.append(f"ended with {code} and does not name the cause: {said.strip()[-300:]}")
        if code != 0 and where == "central" and not logged(world):
            hit.found.append("central does not say that its disk is the cause")
        disk.refuse(False) if fault == "refused" else disk.make_room()
        hit.reached = "done" if code == 0 else short(run.errors)
        after = world.ledger()
        hit.found += seen.learn(after)
        trials.finish(world, phase, hit, after["step"])
        world.central.stop()
    world.central.start()
    trials.judge(world, phase, before, hit, seen)
    world.central.stop()
    return hit


def short(errors):
    """The last line of what was complained about, without its advice."""
    lines = errors.strip().splitlines()
    return lines[-1].removeprefix("citizen-wallet: ").split(";")[0] if lines else "?"


def start_refused(world, where, hit):
    """Starts central; on a read-only disk of its own it may not, and names the cause."""
    try:
        world.central.start()
    except Trouble as trouble:
        said = str(trouble)
        if where != "central" or f"exit {trials.SURROUNDINGS}" not in said or not any(name in said for name in LOG):
            hit.found.append(f"central does not start: {said[-300:]}")


def showing(world, fault):
    """A presentation with the wallet's disk in trouble."""
    show = trials.Showing(world)
    show.renew()
    before = show.last
    hit = trials.Hit("presentation", "wallet", 0, 0, fault=word(fault))
    request, out = world.picture("request"), world.picture("answer")
    world.officer.ask(LICENCE, request)
    with Disk(world.wallet) as disk:
        disk.refuse(True) if fault == "refused" else disk.fill(fault)
        run = world.begin("presentation", request=request, out=out)
        code, said = run.finish(), run.text
        if code != 0 and not told("wallet", code, said):
            hit.found.append(f"ended with {code} and does not name the cause: {said.strip()[-300:]}")
        left = show.check(out, hit)
        if left != (code == 0):
            hit.found.append(f"exit {code} and an answer {'left' if left else 'did not leave'}")
        disk.refuse(False) if fault == "refused" else disk.make_room()
        hit.reached = "done" if code == 0 else short(run.errors)
        acts = 1
        if not left:
            show.finish(request, hit)
            acts = 2
        world.officer.end()
    show.judge(before, hit, acts)
    return hit


def run(world, rooms=ROOM, phases=("activation", "issuance", "presentation", "sync")):
    """Every phase with the wallet's disk, every phase that needs central with central's. Gives the hits as they come."""
    reason = may_mount(world.folder)
    if reason:
        raise Trouble(f"this kernel lets the rig mount nothing: {reason}")
    for fault in (*rooms, "refused"):
        for phase in phases:
            if phase == "presentation":
                yield showing(world, fault)
            else:
                for where in ("wallet", "central"):
                    yield network_phase(world, phase, where, fault)
