"""Central's trust repository read by TUF's reference implementation, also after rotations, and refused after one changed byte in any file it uses;
and the other way round: a repository of the reference implementation's making read by `citizen-wallet trust`, the client of wallets and staff devices."""

import functools
import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest
from datetime import datetime, timedelta, timezone

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

    def test_it_is_accepted_through_two_rotations_and_refused_when_one_lacks_the_old_signatures(self):
        with tempfile.TemporaryDirectory() as folder:
            central = pathlib.Path(folder, "central")
            shutil.copytree(self.repository.parent, central)
            for replaced in ("timestamp", "snapshot"):
                first = json.loads(wallet("central", "trust", "status", "--dir", central, "--json").stdout)["roles"][0]["keys"][0]
                done = wallet("central", "trust", "rotate", "--dir", central, "--root-keys", central / "offline", "--replace-root", first, "--replace", replaced)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(tuf_peer.load(central / "trust", self.root)["versions"]["root"], 3)
            path = central / "trust" / "metadata" / "2.root.json"
            root = json.loads(path.read_text())
            own = root["signed"]["roles"]["root"]["keyids"]
            root["signatures"] = [signature for signature in root["signatures"] if signature["keyid"] in own][:2]
            root["signatures"] = [s for s in root["signatures"] if s["keyid"] not in json.loads(self.root.read_text())["signed"]["roles"]["root"]["keyids"]]
            path.write_text(json.dumps(root))
            with self.assertRaises(RepositoryError):
                tuf_peer.load(central / "trust", self.root)


def wallet(*arguments):
    return subprocess.run([support.BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


class TheReferenceRepositoryByOurClient(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.repository, self.state = pathlib.Path(self.folder.name, "repository"), pathlib.Path(self.folder.name, "state")
        handler = functools.partial(Quiet, directory=self.repository)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def trust(self, *command, **options):
        base = f"http://127.0.0.1:{self.server.server_port}"
        given = ["--metadata-dir", self.state, "--metadata-url", f"{base}/metadata/", "--target-base-url", f"{base}/targets/"]
        for name, value in options.items():
            given += [f"--{name.replace('_', '-')}", value]
        return wallet("trust", *given, *command)

    def begin(self, **how):
        tuf_peer.make(self.repository, **how)
        self.assertEqual(self.trust("init", self.repository / "metadata" / "1.root.json").returncode, 0)

    def test_a_root_rotated_twice_is_reached_and_a_target_fetched(self):
        self.begin(rotations=2)
        self.assertEqual(self.trust("refresh").returncode, 0)
        self.assertEqual(json.loads((self.state / "root.json").read_text())["signed"]["version"], 3)
        targets = pathlib.Path(self.folder.name, "targets")
        targets.mkdir()
        done = self.trust("download", target_name="issuers.json", target_dir=targets)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path.read_bytes() for path in targets.iterdir()], [b'{"version":2}'])

    def test_bad_input_targets_of_another_version_are_refused(self):
        self.begin()
        metadata = self.repository / "metadata"
        shutil.copy(metadata / "1.targets.json", metadata / "2.targets.json")
        refused = self.trust("refresh")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("trust.signature", refused.stderr)

    def test_bad_input_a_repository_that_brings_no_news_is_refused_in_the_end(self):
        self.begin(now=datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=31))
        refused = self.trust("refresh")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("trust.freshness", refused.stderr)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    unittest.main()
