"""A folder that is watched: files that have come to rest are imported once, however often it begins anew.

What was taken is remembered by path, size and time of change in a file of ours; the folder is only read.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from annotation.exchange.arriving import arrived, delivery_of_the_hour
from annotation.exchange.deliveries import DeliveredFile, FolderFile, HeaderWithVoxels, listed_folder
from annotation.projects.models import Project
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import PROCESSES, Arrival, Treatment
from annotation.studies.models import Import

# What senders call a file that they are still writing.
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload")


@dataclass(frozen=True)
class State:
    """What a file was when it was looked at; any write or rename changes it."""

    size: int
    changed_ns: int

    @classmethod
    def of(cls, where: Path) -> "State | None":
        """Look at a file; None where it is gone."""
        try:
            found = where.lstat()
        except OSError:
            return None
        return cls(found.st_size, max(found.st_mtime_ns, found.st_ctime_ns))


class Memory:
    """Which files were taken, one line each, appended when their rows are there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: dict[str, State] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        try:
            name, size, changed = json.loads(line)
        except ValueError:  # the machine stopped in the middle of a line: that file is taken again
            return
        self._taken[str(name)] = State(int(size), int(changed))

    def knows(self, name: str, state: State) -> bool:
        """Whether a file was taken as it is now."""
        return self._taken.get(name) == state

    def add(self, states: Sequence[tuple[str, State]]) -> None:
        """Remember files, durably."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a") as stream:
            for name, state in states:
                stream.write(json.dumps([name, state.size, state.changed_ns]) + "\n")
                self._taken[name] = state
            stream.flush()
            os.fsync(stream.fileno())


def memory_of(root: Path, folder: Path, project: Project) -> Memory:
    """Open the memory of a folder that is watched for a project."""
    name = hashlib.sha256(f"{folder.resolve()}\0{project.pk}".encode()).hexdigest()[:32]
    return Memory(root / f"{name}.jsonl")


class Watch:
    """A folder, looked at again and again."""

    def __init__(self, folder: Path, project: Project, memory: Memory, treatment: Treatment) -> None:
        self._folder, self._project = folder, project
        self._memory, self._treatment = memory, treatment
        self._seen: dict[str, State] = {}

    def look(self) -> int:
        """Take in every file that is as it was at the look before this one; gives how many."""
        resting = [*self._resting()]
        if not resting:
            return 0
        now = timezone.now()
        delivery = self._delivery([file.path for file, _ in resting], now)
        states = {file.path: state for file, state in resting}
        arrivals = (Arrival(file) for file, _ in resting)
        with Sandbox(PROCESSES) as door:
            for batch in arrived(delivery, self._project, arrivals, treatment=self._treatment, door=door):
                names = [judged.arrival.file.path for judged in batch]
                self._memory.add([(name, states[name]) for name in names])
        return len(resting)

    def _resting(self) -> Iterator[tuple[DeliveredFile, State]]:
        before, self._seen = self._seen, {}
        for file in listed_folder(self._folder):
            state = None if is_unfinished(file.path) else state_of(file)
            if state is None or self._memory.knows(file.path, state):
                continue
            self._seen[file.path] = state
            if before.get(file.path) == state:
                yield file, state

    def _delivery(self, paths: Sequence[str], now: datetime) -> Import:
        """Find the hour's delivery; a file that came anew under an old name begins another one."""
        source = f"Folder: {self._folder.name}"
        delivery = delivery_of_the_hour(project=self._project, source_name=source, requested_by=None, now=now)
        if not delivery.files.filter(path__in=paths).exists():
            return delivery
        return Import.objects.create(
            dataset=delivery.dataset,
            project_id=delivery.project_id,
            source_name=delivery.source_name,
            pictures_cleared=delivery.pictures_cleared,
            options=delivery.options,
            state=delivery.state,
            created_at=now,
        )


def state_of(file: DeliveredFile) -> State | None:
    """Look at a file of a folder, or at both of a header with voxels; None where one is gone."""
    parts = (file.header, file.voxels) if isinstance(file, HeaderWithVoxels) else (file,)
    states = [State.of(part.where) for part in parts if isinstance(part, FolderFile)]
    if any(state is None for state in states):
        return None
    found = [state for state in states if state is not None]
    return State(sum(one.size for one in found), max(one.changed_ns for one in found))


def is_unfinished(path: str) -> bool:
    """Whether a name says that its file is still being written, or is none of the delivery's."""
    return path.rsplit("/", maxsplit=1)[-1].startswith(".") or path.lower().endswith(UNFINISHED)
