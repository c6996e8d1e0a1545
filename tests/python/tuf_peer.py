"""TUF's reference implementation (PyPI `tuf`) as the other side of our trust updater.

    tuf_peer.py load DIR [ROOT]   update from the repository DIR (metadata/, targets/) with ngclient, starting at the root file ROOT
                                  (DIR/metadata/1.root.json); prints versions and targets as JSON; exit 1 when it is refused
    tuf_peer.py make DIR          write a repository: P-256 keys, root 2 of 3, consistent snapshots, one root rotation, two versions
"""

import hashlib
import json
import pathlib
import sys
import tempfile
from datetime import datetime, timedelta, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig


class Folder(FetcherInterface):
    """Gives the files of a directory as if they came from a server."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def _fetch(self, url):
        path = self.folder / url.removeprefix("folder:///")
        if not path.is_file():
            raise DownloadHTTPError("no such file", 404)
        yield path.read_bytes()


def load(folder, root=None):
    """Runs the reference client over a repository directory; gives what it accepted. Raises RepositoryError when it refuses."""
    folder = pathlib.Path(folder)
    root = pathlib.Path(root or folder / "metadata" / "1.root.json")
    with tempfile.TemporaryDirectory() as state:
        kept, targets = pathlib.Path(state, "metadata"), pathlib.Path(state, "targets")
        kept.mkdir()
        targets.mkdir()
        updater = Updater(
            str(kept), "folder:///metadata/", str(targets), "folder:///targets/", Folder(folder), UpdaterConfig(), bootstrap=root.read_bytes()
        )
        updater.refresh()
        found = {}
        for name in sorted(Metadata[Targets].from_file(str(kept / "targets.json")).signed.targets):
            path = updater.download_target(updater.get_targetinfo(name))
            found[name] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        versions = {role: Metadata.from_file(str(kept / f"{role}.json")).signed.version for role in ("root", "timestamp", "snapshot", "targets")}
        return {"versions": versions, "targets": found}


def make(folder, now=None, rotations=1):
    """Writes a repository of the reference implementation's making; everything lives 30 days. Each rotation replaces a root key and the timestamp key."""
    folder = pathlib.Path(folder)
    now = now or datetime.now(timezone.utc).replace(microsecond=0)
    expires = now + timedelta(days=30)
    for name in ("metadata", "targets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    roots = [CryptoSigner.generate_ecdsa() for _ in range(3)]
    online = {role: CryptoSigner.generate_ecdsa() for role in ("timestamp", "snapshot", "targets")}

    root = Root(expires=expires, consistent_snapshot=True)
    for signer in roots:
        root.add_key(signer.public_key, "root")
    root.roles["root"].threshold = 2
    for role, signer in online.items():
        root.add_key(signer.public_key, role)
    write(folder, "1.root.json", Metadata(root), roots[:2])

    # The owners replace one root key and the timestamp key.
    for version in range(2, 2 + rotations):
        gone, fresh, old = roots.pop(0), CryptoSigner.generate_ecdsa(), online["timestamp"]
        online["timestamp"] = CryptoSigner.generate_ecdsa()
        root.version = version
        root.revoke_key(gone.public_key.keyid, "root")
        root.add_key(fresh.public_key, "root")
        root.revoke_key(old.public_key.keyid, "timestamp")
        root.add_key(online["timestamp"].public_key, "timestamp")
        write(folder, f"{version}.root.json", Metadata(root), [gone, roots[0], fresh])
        roots.append(fresh)

    for version, contents in enumerate(({"issuers.json": b'{"version":1}'}, {"issuers.json": b'{"version":2}', "readers.json": b"{}"}), 1):
        targets = Targets(version=version, expires=expires)
        for name, data in contents.items():
            targets.targets[name] = TargetFile.from_data(name, data, ["sha256"])
            digest = targets.targets[name].hashes["sha256"]
            (folder / "targets" / f"{digest}.{name}").write_bytes(data)
        write(folder, f"{version}.targets.json", Metadata(targets), [online["targets"]])
        snapshot = Snapshot(version=version, expires=expires, meta={"targets.json": MetaFile(version)})
        data = write(folder, f"{version}.snapshot.json", Metadata(snapshot), [online["snapshot"]])
        described = MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})
        timestamp = Timestamp(version=version, expires=expires, snapshot_meta=described)
        timestamp.unrecognized_fields["signed_at"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        write(folder, "timestamp.json", Metadata(timestamp), [online["timestamp"]])


def write(folder, name, metadata, signers):
    for signer in signers:
        metadata.sign(signer, append=True)
    data = metadata.to_bytes()
    (folder / "metadata" / name).write_bytes(data)
    return data


def main(arguments):
    if arguments[:1] == ["make"] and len(arguments) == 2:
        make(arguments[1])
        return 0
    if arguments[:1] == ["load"] and len(arguments) in (2, 3):
        try:
            print(json.dumps(load(*arguments[1:])))
        except RepositoryError as refused:
            print(json.dumps({"refused": type(refused).__name__}))
            return 1
        return 0
    print(__doc__, file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
