"""Wallet and central as real processes, killed inside each phase; both ledgers agree afterwards. The rig is in `tests/rig`.

WALLET_CRASH_HITS: hits in each phase (30). WALLET_CRASH_SEED: the seed, else one is drawn and printed.
"""

import os
import pathlib
import random
import sys
import unittest

import support

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rig"))

import crash  # noqa: E402
from world import PHASES  # noqa: E402

HITS = int(os.environ.get("WALLET_CRASH_HITS", "30"))
SEED = int(os.environ.get("WALLET_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"\nkills: seed {SEED}", flush=True)
        cls.hits, lengths = crash.run(str(support.BINARY), SEED, HITS, lanes=3)
        print(crash.table(crash.summary(cls.hits, lengths, PHASES)), flush=True)

    def inside(self, phase):
        of = [hit for hit in self.hits if hit.phase == phase]
        self.assertGreaterEqual(len(of), HITS, f"hits inside {phase}")
        found = [f"{hit.target} at {hit.at:.3f} s, {hit.reached}: {text}" for hit in of for text in hit.found]
        self.assertEqual(found, [], f"seed {SEED}")

    def test_kills_inside_activation(self):
        self.inside("activation")

    def test_kills_inside_issuance(self):
        self.inside("issuance")

    def test_kills_inside_presentation(self):
        self.inside("presentation")

    def test_kills_inside_sync(self):
        self.inside("sync")


if __name__ == "__main__":
    unittest.main()
