"""Backup and restore: how long they take, what a loss costs, and whether everything is the same afterwards.

    python -m benchmarks.backup [--files 20000] [--kilobytes 100] [--cases 2000] [--json]

A data directory of its own with files of random bytes and read cases; a first backup, a second one with
1 % more, a check of all hashes, a restore into an empty directory. RPO is the interval at which backups are
asked for, the sweep's, and the time of the second one; RTO the time of the restore.
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
RPO_REACH, RTO_REACH = 300.0, 1800.0


@dataclass(frozen=True)
class Figures:
    """What was measured; seconds unless named otherwise."""

    files: int
    gigabytes: float
    cases: int
    first: float
    second: float
    verify: float
    rto: float
    rpo: float
    same_files: bool
    same_rows: bool
    load: float

    @property
    def is_reached(self) -> bool:
        """Whether both figures are within reach, and all is the same."""
        return self.rpo <= RPO_REACH and self.rto <= RTO_REACH and self.same_files and self.same_rows


def main() -> None:
    """Measure in folders of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fovea-backup-") as folder:
        figures = measured(Path(folder), options)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        print("\n".join(f"{name:12} {value}" for name, value in asdict(figures).items()))
    sys.exit(0 if figures.is_reached else 1)


def measured(folder: Path, options: argparse.Namespace) -> Figures:
    """Fill a system, back it up twice, check, restore, compare."""
    home, fresh, backups = folder / "home", folder / "fresh", folder / "backups"
    os.environ |= {"FOVEA_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    load = os.getloadavg()[0]
    fill(options.files, options.kilobytes, options.cases)
    first = timed(lambda: manage(home, "backup", str(backups)))
    fill(options.files // 100, options.kilobytes, options.cases // 100)
    time.sleep(1.0)  # a backup's name is its second
    second = timed(lambda: manage(home, "backup", str(backups)))
    verify = timed(lambda: manage(home, "backup", str(backups), "--verify"))
    rto = timed(lambda: manage(fresh, "restore", str(backups)))
    from django.conf import settings

    return Figures(
        files=options.files + options.files // 100,
        gigabytes=round(sum(one.stat().st_size for one in backups.glob("pool/*/*")) / 1e9, 2),
        cases=options.cases,
        first=first,
        second=second,
        verify=verify,
        rto=rto,
        rpo=round(settings.BACKUP_SECONDS + settings.JOB_SWEEP_SECONDS + second, 1),
        same_files=digests(home / "files") == digests(fresh / "files"),
        same_rows=rows(home) == rows(fresh),
        load=load,
    )


def fill(files: int, kilobytes: int, cases: int) -> None:
    """Store files of random bytes, and cases with a reading of each."""
    import django

    django.setup()
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.core.management import call_command

    from tests.factories import a_project, some_cases

    call_command("migrate", verbosity=0, interactive=False)
    for _ in range(files):
        content = secrets.token_bytes(1024 * kilobytes)
        digest = hashlib.sha256(content).hexdigest()
        default_storage.save(f"instances/{digest[:2]}/{digest}.dcm", ContentFile(content))
    project = a_project()
    some_cases(project, max(1, cases))
    read(project.pk, max(1, cases // 10))


def read(project_id: uuid.UUID, count: int) -> None:
    """Submit readings."""
    from django.utils import timezone

    from annotation.projects.models import Project
    from annotation.queue.services import lease_next
    from annotation.queue.submissions import submit
    from annotation.readings.services import Answered
    from tests.factories import a_reader

    reader, now = a_reader(Project.objects.get(pk=project_id)), timezone.now()
    work = lease_next(reader=reader, project_id=project_id, now=now)
    for _ in range(count):
        held = work.cases[0]
        answered = Answered({"finding": "normal"}, 1.0, 1, uuid.uuid4())
        work = submit(
            reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=now
        ).workload


def manage(home: Path, *arguments: str) -> None:
    """Run a command on a data directory, in a process of its own."""
    environment = os.environ | {"FOVEA_HOME": str(home)}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def timed(act: Callable[[], None]) -> float:
    """Do it; gives the seconds it took."""
    started = time.monotonic()
    act()
    return round(time.monotonic() - started, 1)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    found = sorted(one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in found}


def rows(home: Path) -> str:
    """SHA-256 over every row of every table."""
    import sqlite3

    told = hashlib.sha256()
    with sqlite3.connect(home / "fovea.sqlite3") as database:
        for line in database.iterdump():
            told.update(line.encode())
    return told.hexdigest()


if __name__ == "__main__":
    main()
