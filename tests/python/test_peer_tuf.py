"""Central's trust repository read by TUF's reference implementation, and refused after one changed byte in any file it uses."""

import json
import pathlib
import shutil
import tempfile
import unittest

from tuf.api.exceptions import RepositoryError

import support
import tuf_peer


class CentralsTrustByTheReferenceClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.repository = support.demo()[0] / "central" / "trust"
        cls.root = support.demo()[0] / "central" / "public" / "root.json"

    def test_it_is_accepted_from_the_root_that_the_app_pins(self):
        accepted = tuf_peer.load(self.repository, self.root)
        self.assertEqual(sorted(accepted["targets"]), ["cards.json", "issuers.json", "readers.json", "status.json"])

    def test_one_changed_byte_is_refused(self):
        used = ["timestamp.json", *(f"{tuf_peer.load(self.repository, self.root)['versions'][role]}.{role}.json" for role in ("snapshot", "targets"))]
        for name in used:
            with tempfile.TemporaryDirectory() as folder:
                copy = pathlib.Path(folder, "trust")
                shutil.copytree(self.repository, copy)
                path = copy / "metadata" / name
                data = bytearray(path.read_bytes())
                at = data.index(b'"expires"') + 14  # the year: still well-formed JSON
                data[at] ^= 1
                json.loads(data)
                path.write_bytes(data)
                with self.assertRaises(RepositoryError, msg=name):
                    tuf_peer.load(copy, self.root)

    def test_a_changed_target_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "trust")
            shutil.copytree(self.repository, copy)
            for path in (copy / "targets").iterdir():
                data = bytearray(path.read_bytes())
                data[len(data) // 2] ^= 1
                path.write_bytes(data)
            with self.assertRaises(RepositoryError):
                tuf_peer.load(copy, self.root)


if __name__ == "__main__":
    unittest.main()
