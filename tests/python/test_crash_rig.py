"""Wallet and central as real processes: killed inside each phase, cut off, with full and read-only disks. Both ledgers agree afterwards.

The rig is in `tests/rig`. WALLET_CRASH_HITS: hits in each phase (30). WALLET_CRASH_SEED: the seed, else one is drawn and printed.
"""

import os
import pathlib
import random
import sys
import tempfile
import unittest

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rig"))

import crash  # noqa: E402
import disk  # noqa: E402
from world import PHASES  # noqa: E402

HITS = int(os.environ.get("WALLET_CRASH_HITS", "30"))
SEED = int(os.environ.get("WALLET_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
# In the middle of a phase, which is where it hurts.
ROOMS = (16 * disk.PAGE,)
CUTS = 3
OUTCOME = NO_MOUNTS = None


def setUpModule():
    global OUTCOME, NO_MOUNTS
    with tempfile.TemporaryDirectory(prefix="citizen-wallet-mount-") as folder:
        NO_MOUNTS = disk.may_mount(folder)
    print(f"\ncrash rig: seed {SEED}", flush=True)
    OUTCOME = crash.run(str(support.BINARY), SEED, HITS, lanes=3, cuts=CUTS, rooms=() if NO_MOUNTS else ROOMS)
    print(crash.table(crash.summary(OUTCOME.kills, OUTCOME.lengths, PHASES)), flush=True)


class Faults(unittest.TestCase):
    def agree(self, hits):
        found = [f"{hit.phase}, {hit.target}, {hit.fault}, at {hit.at:.3f}, {hit.reached}: {text}" for hit in hits for text in hit.found]
        self.assertEqual(found, [], f"seed {SEED}")


class Kills(Faults):
    def inside(self, phase):
        of = [hit for hit in OUTCOME.kills if hit.phase == phase]
        self.assertGreaterEqual(len(of), HITS, f"hits inside {phase}")
        self.agree(of)

    def test_kills_inside_activation(self):
        self.inside("activation")

    def test_kills_inside_issuance(self):
        self.inside("issuance")

    def test_kills_inside_presentation(self):
        self.inside("presentation")

    def test_kills_inside_sync(self):
        self.inside("sync")


class Links(Faults):
    def test_bad_input_dropped_connections_lose_and_double_nothing(self):
        self.assertEqual(len(OUTCOME.cuts), 3 * CUTS)
        self.agree(OUTCOME.cuts)


class Disks(Faults):
    def of(self, kind, where):
        if NO_MOUNTS:
            # A chroot's root and every CI may mount; whoever may not is told what did not run.
            self.skipTest(f"this user may mount nothing ({NO_MOUNTS}); try: unshare -Urm ./test")
        hits = [hit for hit in OUTCOME.disks if (hit.fault == "writes refused") == (kind == "refused") and hit.target == where]
        self.assertTrue(hits)
        self.agree(hits)

    def test_bad_input_full_disk_of_the_wallet_is_told_and_loses_nothing(self):
        self.of("full", "wallet")

    def test_bad_input_full_disk_of_central_is_told_and_loses_nothing(self):
        self.of("full", "central")

    def test_bad_input_refused_writes_of_the_wallet_are_told_and_lose_nothing(self):
        self.of("refused", "wallet")

    def test_bad_input_refused_writes_of_central_are_told_and_lose_nothing(self):
        self.of("refused", "central")


if __name__ == "__main__":
    unittest.main()
