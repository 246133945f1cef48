"""A backup's folder: one pool of files by content for all backups, and a folder a backup with its manifest.

    DEST/lock                            held by who writes
    DEST/pool/ab/<SHA-256>               a stored file, once however many backups name it
    DEST/backups/<time>/manifest.json    what the backup holds, with SHA-256 of each
    DEST/backups/<time>/manifest.sha256  of the manifest itself
    DEST/backups/<time>/database.*       the database
    DEST/backups/<time>/secrets.json     the keys, readable by the owner only

A backup is there once its folder has its name: it is written under another one and renamed at the end.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from annotation.studies import durable

BLOCK_BYTES: Final = 1024 * 1024
STAMP: Final = "%Y%m%dT%H%M%SZ"
MANIFEST, SEAL, UNFINISHED = "manifest.json", "manifest.sha256", ".unfinished"
ALL_KEPT: Final = timedelta(minutes=30)


class BackupError(Exception):
    """A backup cannot be made or used; the message names what is missing, corrupt or in the way."""


@dataclass(frozen=True)
class Held:
    """One file: its name in the store or in the backup's folder, SHA-256, bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    head: of the audit chain, as `verify-audit --head` takes it. secrets: None where they come from elsewhere.
    """

    made_at: str
    vendor: str
    database: Held
    files: Sequence[Held]
    secrets: Held | None
    head: str
    version: int = 1

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read a backup's manifest.

        raises: BackupError where it is not what its seal says.
        """
        try:
            text = (folder / MANIFEST).read_bytes()
            sealed = (folder / SEAL).read_text().strip()
        except OSError as error:
            raise BackupError(f"{folder.name}: {Path(error.filename).name} is missing") from error
        if hashlib.sha256(text).hexdigest() != sealed:
            raise BackupError(f"{folder.name}: {MANIFEST} is not what {SEAL} says")
        told = json.loads(text)
        files = [Held(*row) for row in told.pop("files")]
        database, secrets = Held(**told.pop("database")), told.pop("secrets")
        return cls(files=files, database=database, secrets=Held(**secrets) if secrets else None, **told)

    def write(self, folder: Path) -> None:
        """Write it with its seal, durably."""
        plain = asdict(self) | {"files": [[one.name, one.digest, one.size] for one in self.files]}
        text = json.dumps(plain, separators=(",", ":")).encode()
        durable.write(folder / MANIFEST, text)
        durable.write(folder / SEAL, hashlib.sha256(text).hexdigest().encode() + b"\n")


class Archive:
    """The folder that all backups of a system share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pool, self.backups = root / "pool", root / "backups"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who writes; what a broken-off backup left is removed first.

        raises: BackupError where somebody else is at it.
        """
        for folder in (self.root, self.pool, self.backups):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BackupError(f"another backup is being written to {self.root}") from error
            for left in self.backups.glob(f"*{UNFINISHED}"):
                shutil.rmtree(left)
            yield

    def stamps(self) -> list[str]:
        """List the backups by time, the newest last."""
        if not self.backups.is_dir():
            return []
        return sorted(one.name for one in self.backups.iterdir() if not one.name.endswith(UNFINISHED))

    def folder(self, stamp: str = "") -> Path:
        """Find a backup, or the newest.

        raises: BackupError.
        """
        known = self.stamps()
        if not known or (stamp and stamp not in known):
            there = ", ".join(known[-5:]) or "none"
            raise BackupError(f"there is no backup {stamp or 'yet'} in {self.root}: there are {there}")
        return self.backups / (stamp or known[-1])

    def newest(self) -> Manifest | None:
        """Read the newest backup's manifest; none where it is damaged or there is none."""
        try:
            return Manifest.read(self.folder())
        except BackupError:
            return None

    @contextmanager
    def new(self, now: datetime) -> Iterator[Path]:
        """Give a folder that becomes the backup of now when all is in it."""
        stamp = now.astimezone(UTC).strftime(STAMP)
        folder = self.backups / f"{stamp}{UNFINISHED}"
        folder.mkdir(mode=0o700)
        yield folder
        os.sync()
        target = self.backups / stamp
        if target.exists():
            raise BackupError(f"a backup of {stamp} is there already: wait a second")
        folder.rename(target)
        durable.sync(self.backups)

    def place(self, digest: str) -> Path:
        """Say where content lies."""
        return self.pool / digest[:2] / digest

    def keep(self, name: str, source: IO[bytes]) -> Held:
        """Put a file's content into the pool, once."""
        fresh = self.pool / f"new-{os.getpid()}"
        digest, size = copied(source, fresh)
        target = self.place(digest)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        fresh.rename(target)
        return Held(name, digest, size)

    def problems_of(self, manifest: Manifest, folder: Path) -> list[str]:
        """Read everything again and say what is missing or is not what the manifest says."""
        own = [one for one in (manifest.database, manifest.secrets) if one is not None]
        problems = [problem for one in own if (problem := problem_of(one, folder / one.name))]
        known: dict[str, str] = {}
        for one in manifest.files:
            if one.digest not in known:
                known[one.digest] = problem_of(one, self.place(one.digest))
            if known[one.digest]:
                problems.append(known[one.digest])
        return problems

    def prune(self, now: datetime, days: int) -> int:
        """Remove backups that are not kept any more, and content that none names; returns how many."""
        gone = set(self.stamps()) - kept(self.stamps(), now, days)
        if not gone:
            return 0
        for stamp in gone:
            shutil.rmtree(self.backups / stamp)
        named = {one.digest for stamp in self.stamps() for one in Manifest.read(self.backups / stamp).files}
        for path in self.pool.glob("*/*"):
            if path.name not in named:
                path.unlink()
        return len(gone)


def kept(stamps: Sequence[str], now: datetime, days: int) -> set[str]:
    """Choose the backups to keep: all of the last half hour, the last of each day, and always the newest."""
    last_of_day: dict[str, str] = {}
    for stamp in sorted(stamps):
        last_of_day[stamp[:8]] = stamp
    first_day = (now.astimezone(UTC) - timedelta(days=days)).strftime(STAMP)[:8]
    recent = (now.astimezone(UTC) - ALL_KEPT).strftime(STAMP)
    chosen = {stamp for stamp in stamps if stamp >= recent}
    return chosen | {one for day, one in last_of_day.items() if day > first_day} | set(sorted(stamps)[-1:])


def problem_of(held: Held, path: Path) -> str:
    """Say what is wrong with a file of a backup; "" for nothing."""
    if not path.is_file():
        return f"{held.name} is missing"
    with path.open("rb") as stream:
        return "" if digest_of(stream) == held.digest else f"{held.name} is corrupt"


def digest_of(stream: IO[bytes]) -> str:
    """SHA-256 of what a stream gives from where it stands."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def copied(source: IO[bytes], target: Path) -> tuple[str, int]:
    """Write a stream to a file; gives SHA-256 and bytes."""
    told, size = hashlib.sha256(), 0
    with target.open("wb") as written:
        while block := source.read(BLOCK_BYTES):
            told.update(block)
            written.write(block)
            size += len(block)
    return told.hexdigest(), size


def held_in(folder: Path, name: str) -> Held:
    """Describe a file of a backup's own folder."""
    path = folder / name
    with path.open("rb") as stream:
        return Held(name, digest_of(stream), path.stat().st_size)


def merged(older: Sequence[Mapping[str, Any]], newer: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put two lists of erasures together, each once."""
    return list({one["erasure"]: dict(one) for one in [*older, *newer]}.values())
