"""Another build of SQLCipher (PyPI `sqlcipher3-binary`, over OpenSSL) reads what the wallet wrote, and the wallet reads what that build wrote.

Ours calls AWS-LC through a header of our own; this is what says that the files are SQLCipher's all the same.
"""

import hmac
import pathlib
import shutil
import tempfile
import unittest

from sqlcipher3 import dbapi2

import support
from test_memory import DEMO_PASSCODE, database_key


def opened(path, key):
    """The database, opened by the peer with the raw key and the wallet's salt."""
    database = dbapi2.connect(str(path))
    database.execute(f"PRAGMA key = \"{spelled(key)}\"")
    return database


def spelled(key):
    salt = hmac.digest(key, b"wallet-database-salt-v1", "sha256")[:16]
    return f"x'{key.hex()}{salt.hex()}'"


class PeerSqlcipher(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-sqlcipher-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.home = folder / "wallet"
        shutil.copytree(support.demo()[0] / "wallet", self.home)
        self.key = database_key(self.home, DEMO_PASSCODE)

    def listed(self):
        done = support.run("wallet", "documents", "--dir", self.home, "--passcode", "-", stdin=DEMO_PASSCODE + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_peer_is_another_build(self):
        database = opened(self.home / "wallet.db", self.key)
        (provider,) = database.execute("PRAGMA cipher_provider_version").fetchone()
        self.assertNotIn("AWS-LC", provider)

    def test_the_peer_reads_what_the_wallet_wrote(self):
        database = opened(self.home / "wallet.db", self.key)
        self.assertEqual(database.execute("PRAGMA cipher_integrity_check").fetchall(), [])
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        self.assertGreater(sum(rows.values()), 20, rows)

    def test_the_peer_refuses_another_key(self):
        wrong = bytes([self.key[0] ^ 1]) + self.key[1:]
        with self.assertRaises(dbapi2.DatabaseError):
            opened(self.home / "wallet.db", wrong).execute("SELECT count(*) FROM sqlite_master")

    def test_the_wallet_reads_what_the_peer_wrote(self):
        before, ours = self.listed(), self.home / "wallet.db"
        theirs = self.home / "peer.db"
        database = opened(ours, self.key)
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"ATTACH DATABASE '{theirs}' AS peer KEY \"{spelled(self.key)}\"")
        database.execute("SELECT sqlcipher_export('peer')")
        database.execute(f"PRAGMA peer.user_version = {version}")
        database.close()
        first = theirs.read_bytes()
        self.assertNotEqual(first, ours.read_bytes())
        for leftover in ("wallet.db-wal", "wallet.db-shm"):
            (self.home / leftover).unlink(missing_ok=True)
        theirs.replace(ours)
        self.assertEqual(self.listed(), before)
        self.assertIn("citizen-identity", before)

    def test_the_wallet_refuses_one_changed_byte(self):
        before = self.listed()
        database = opened(self.home / "wallet.db", self.key)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        path = self.home / "wallet.db"
        data = bytearray(path.read_bytes())
        data[200] ^= 1
        path.write_bytes(data)
        done = support.run("wallet", "documents", "--dir", self.home, "--passcode", "-", stdin=DEMO_PASSCODE + "\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotEqual(done.stdout, before)


if __name__ == "__main__":
    unittest.main()
