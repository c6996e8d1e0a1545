"""Updates of a device's trust by the reference client of TUF (PyPI `tuf`), over the files that the device got, with the clock of that moment.

The client's own state is kept for each device, so that rollback and freeze are judged against what that device had. What a failed update
left behind is thrown away: a device takes an update whole or not at all.
"""

import json
import pathlib
import shutil
import tempfile
from datetime import datetime

from securesystemslib.exceptions import StorageError
from tuf.api.exceptions import BadVersionNumberError, DownloadError, DownloadHTTPError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from .certificates import moment
from .facts import Ladder, Unreadable
from .trust import TARGETS, Trust

BASE = "https://trust.invalid/"


class Given(FetcherInterface):
    """Files by their path (`metadata/...`, `targets/...`) as if they came from a server; what was not given is not there."""

    def __init__(self, files):
        self.files = files

    def _fetch(self, url):
        name = url.removeprefix(BASE)
        if name not in self.files:
            raise DownloadHTTPError("not given", 404)
        yield self.files[name]


class TrustState:
    """The trust of one device: the pinned root, the lowest version taken, the last good state."""

    def __init__(self, folder, root, floor=0):
        self.root, self.floor, self.path = root, floor, pathlib.Path(folder)
        for name in ("metadata", "targets"):
            (self.path / name).mkdir(parents=True)
        self.trust, self.version, self.expires, self.signed_at, self.versions = None, 0, None, None, {}

    def update(self, files, now, by, about=""):
        """Takes what was given; gives `trust.signature`, `trust.version`, `trust.freshness`."""
        work = tempfile.mkdtemp(prefix="auditor-trust-")
        try:
            shutil.copytree(self.path, work, dirs_exist_ok=True, symlinks=True)
            problems, loaded = self._refresh(pathlib.Path(work), files, now)
            ladder = Ladder(by, about)
            for name in ("trust.signature", "trust.version", "trust.freshness"):
                ladder.check(name, problems.get(name))
            if ladder.whole:
                shutil.rmtree(self.path)
                shutil.copytree(work, self.path, symlinks=True)
                self.trust, self.version, self.expires, self.signed_at, self.versions = loaded
            return ladder.facts
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _refresh(self, work, files, now):
        metadata, targets = work / "metadata", work / "targets"
        try:
            newest = metadata / "root.json"
            updater = Updater(
                str(metadata), BASE + "metadata/", str(targets), BASE + "targets/", Given(files), UpdaterConfig(),
                bootstrap=newest.read_bytes() if newest.exists() else self.root,
            )
            updater._trusted_set.reference_time = moment(now)
            updater.refresh()
            found = {}
            for name in Metadata[Targets].from_file(str(metadata / "targets.json")).signed.targets:
                info = updater.get_targetinfo(name)
                path = updater.find_cached_target(info) or updater.download_target(info)
                found[name] = pathlib.Path(path).read_bytes()
        except ExpiredMetadataError as problem:
            return self._expired(files, now, problem)
        except DownloadHTTPError as problem:
            # After an unchanged timestamp that has expired this client puts its own snapshot aside and asks for one that our device,
            # which stopped at the timestamp, never fetched. At the moment before, nothing is missing; else something is.
            return self._expired(files, now, "the timestamp expired") if now > 0 else ({"trust.signature": str(problem)}, None)
        except BadVersionNumberError as problem:
            return {self._which(files): str(problem)}, None
        except (RepositoryError, DownloadError, StorageError, ValueError, KeyError) as problem:
            return {"trust.signature": str(problem)}, None
        signed = {role: Metadata.from_file(str(metadata / f"{role}.json")).signed for role in ("root", "timestamp", "snapshot", "targets")}
        version = signed["snapshot"].version
        if version < self.floor:
            return {"trust.version": f"below the floor {self.floor}"}, None
        try:
            trust = Trust({name: found[name] for name in TARGETS})
        except (KeyError, Unreadable) as problem:
            return {"trust.signature": str(problem)}, None
        expires = int(min(one.expires.timestamp() for one in signed.values()))
        said = signed["timestamp"].unrecognized_fields.get("signed_at")
        return {}, (trust, version, expires, rfc3339(said), {role: one.version for role, one in signed.items()})

    def _expired(self, files, now, problem):
        """The client stops at the first expired file; what stands below it in our ladder is judged at the moment before."""
        if now <= 0:
            return {"trust.freshness": str(problem)}, None
        work = tempfile.mkdtemp(prefix="auditor-trust-")
        try:
            shutil.copytree(self.path, work, dirs_exist_ok=True, symlinks=True)
            problems, _ = self._refresh(pathlib.Path(work), files, 0)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return ({"trust.freshness": str(problem)} if not problems else problems), None

    def _which(self, files):
        """A version below one that this device had is a rollback; versions that do not fit each other are a mixture, which nobody signed."""
        for role in ("timestamp", "snapshot", "targets"):
            for name, data in files.items():
                if name.split("/")[-1].split(".", 1)[-1] == f"{role}.json" or name == f"metadata/{role}.json":
                    try:
                        signed = json.loads(data)["signed"]
                        version = signed["version"]
                    except (KeyError, TypeError, ValueError):
                        continue
                    listed = min([meta["version"] for meta in signed.get("meta", {}).values()], default=None)
                    below = {"timestamp": "snapshot", "snapshot": "targets"}.get(role)
                    if version < self.versions.get(role, 0) or (listed is not None and listed < self.versions.get(below, 0)):
                        return "trust.version"
        return "trust.signature"

    def freshness_problem(self, now):
        return None if now < self.expires else "the trust data expired"


def rfc3339(text):
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
    except (AttributeError, ValueError):
        return None
