"""Backups of a running system, and what they bring back into an empty one."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.utils import timezone

from accounts.models import User
from annotation.exchange.lifecycle.backup.archive import STAMP, Archive, BackupError, Manifest, kept
from annotation.exchange.lifecycle.backup.making import make_backup
from annotation.exchange.lifecycle.belongings import find
from annotation.exchange.lifecycle.erasing import request_erasure
from annotation.projects.models import Case
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from jobs.models import Job
from mlworker.backing_up import ask_backup
from mlworker.runtime import run
from tests.annotation.exchange.lifecycle.patients import ERASED, OTHER, deliver
from tests.factories import a_project, a_reader, a_user, some_cases
from tests.servers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def quiet(_fraction: float, _words: str) -> None:
    """Follow no progress."""


@pytest.fixture(autouse=True)
def own_files() -> Iterator[None]:
    """Start without what other tests left in the store."""
    shutil.rmtree(settings.HOME.files, ignore_errors=True)
    yield
    connections.close_all()


def read_cases(reader: User, project_id: uuid.UUID, count: int) -> list[str]:
    """Submit readings; gives the ids of those that were acknowledged."""
    acknowledged, now = [], timezone.now()
    work = lease_next(reader=reader, project_id=project_id, now=now)
    for _ in range(count):
        held = work.cases[0]
        answered = Answered({"finding": "normal"}, 1.0, 1, uuid.uuid4())
        done = submit(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=now)
        acknowledged.append(str(done.reading_id))
        work = done.workload
    return acknowledged


def restored_in(home: Path, source: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Restore into a data directory of its own, in a process of its own."""
    return manage_in(home, "restore", str(source), *arguments)


def manage_in(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a data directory of its own, in a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FOVEA_", "DJANGO_"))},
        "FOVEA_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)


def rows_in(home: Path, query: str) -> list[tuple[str, ...]]:
    """Ask a restored database."""
    with sqlite3.connect(home / "fovea.sqlite3") as database:
        return database.execute(query).fetchall()


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file with its content."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_every_reading_that_was_acknowledged_before_it_is_in_a_restored_backup(tmp_path: Path) -> None:
    project = a_project()
    some_cases(project, 60)
    readers = [a_reader(project) for _ in range(2)]
    acknowledged = read_cases(readers[0], project.pk, 5)
    stop = threading.Event()
    writer = threading.Thread(target=keep_reading, args=(readers[1], project.pk, stop))
    writer.start()
    try:
        made = make_backup(tmp_path / "backups", now=timezone.now(), progress=quiet)
        later = make_backup(tmp_path / "backups", now=timezone.now() + timedelta(seconds=2), progress=quiet)
    finally:
        stop.set()
        writer.join()
    done = restored_in(tmp_path / "fresh", tmp_path / "backups", "--at", made.stamp)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "chain intact" in done.stdout
    there = {row[0] for row in rows_in(tmp_path / "fresh", "SELECT id FROM annotation_reading")}
    assert {one.replace("-", "") for one in acknowledged} <= there
    assert rows_in(tmp_path / "fresh", "PRAGMA integrity_check") == [("ok",)]
    assert files_under(tmp_path / "fresh" / "files") == files_under(settings.HOME.files)
    secrets = tmp_path / "fresh" / "secrets.json"
    assert json.loads(secrets.read_text()) == json.loads((settings.HOME.root / "secrets.json").read_text())
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert (later.copied, later.files) == (0, made.files)


def keep_reading(reader: User, project_id: uuid.UUID, stop: threading.Event) -> None:
    """Write while a backup is made."""
    try:
        while not stop.is_set() and Case.objects.filter(project=project_id, entry__state="waiting").exists():
            read_cases(reader, project_id, 1)
    finally:
        connections.close_all()


def a_backup(root: Path) -> Manifest:
    """A small backup."""
    some_cases(a_project(), 3)
    make_backup(root, now=timezone.now(), progress=quiet)
    return Manifest.read(Archive(root).folder())


def test_a_restore_overwrites_nothing_unless_it_is_told_to(tmp_path: Path) -> None:
    a_backup(tmp_path / "backups")
    assert restored_in(tmp_path / "fresh", tmp_path / "backups").returncode == 0
    again = restored_in(tmp_path / "fresh", tmp_path / "backups")
    assert again.returncode != 0
    assert "--force" in again.stderr
    assert restored_in(tmp_path / "fresh", tmp_path / "backups", "--force").returncode == 0


def test_what_is_missing_or_corrupt_is_named_and_the_database_stays_out(tmp_path: Path) -> None:
    root = tmp_path / "backups"
    manifest = a_backup(root)
    archive = Archive(root)
    corrupt, missing, *_ = manifest.files
    archive.place(corrupt.digest).write_bytes(b"other")
    archive.place(missing.digest).unlink()
    with pytest.raises(CommandError) as raised:
        call_command("backup", str(root), verify=True)
    assert f"{corrupt.name} is corrupt" in str(raised.value)
    assert f"{missing.name} is missing" in str(raised.value)
    done = restored_in(tmp_path / "fresh", root)
    assert done.returncode != 0
    assert f"{corrupt.name} is corrupt" in done.stderr
    assert f"{missing.name} is missing" in done.stderr
    assert not (tmp_path / "fresh" / "fovea.sqlite3").exists()


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    a_backup(tmp_path)
    path = Archive(tmp_path).folder() / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"instances", b"elsewhere"))
    with pytest.raises(CommandError, match="not what manifest"):
        call_command("backup", str(tmp_path), verify=True)


def test_a_whole_backup_is_said_to_be_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_backup(tmp_path)
    call_command("backup", str(tmp_path), verify=True)
    assert "is whole" in capsys.readouterr().out


def test_a_backup_in_the_data_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="another disk"):
        make_backup(settings.HOME.root / "backups", now=timezone.now(), progress=quiet)


def test_keys_and_folders_are_for_the_owner_alone(tmp_path: Path) -> None:
    a_backup(tmp_path / "backups")
    folder = Archive(tmp_path / "backups").folder()
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "database.sqlite3").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_last_half_hour_and_a_backup_of_each_day_are_kept() -> None:
    times = [NOW - timedelta(minutes=4 * step) for step in range(2000)]
    stamps = [one.strftime(STAMP) for one in times]
    left = kept(stamps, NOW, 3)
    assert {one[:8] for one in left} == {"20260304", "20260303", "20260302"}
    assert len([one for one in left if one >= (NOW - timedelta(minutes=30)).strftime(STAMP)]) == 8
    assert len(left) == 8 + 2
    assert kept(["20200101T000000Z"], NOW, 3) == {"20200101T000000Z"}


def test_content_that_no_kept_backup_names_is_removed(tmp_path: Path) -> None:
    a_backup(tmp_path)
    pool = len(list((tmp_path / "pool").glob("*/*")))
    shutil.rmtree(settings.HOME.files)
    make_backup(tmp_path, now=timezone.now() + timedelta(days=40), progress=quiet)
    assert pool > 0
    assert list((tmp_path / "pool").glob("*/*")) == []


def test_who_was_erased_after_a_backup_stays_erased_when_it_is_restored(tmp_path: Path) -> None:
    project = a_project()
    deliver(project, tmp_path, "one", ERASED, 1)
    deliver(project, tmp_path, "two", OTHER, 2)
    first = make_backup(tmp_path / "backups", now=timezone.now(), progress=quiet)
    found = find(project.dataset, pseudonym="", patient_id=ERASED)
    asked = request_erasure(
        project=project, found=found, reason="asked", by=a_user(is_admin=True), now=timezone.now()
    )
    run(str(asked.job_id))
    make_backup(tmp_path / "backups", now=timezone.now() + timedelta(seconds=2), progress=quiet)
    done = restored_in(tmp_path / "fresh", tmp_path / "backups", "--at", first.stamp)
    assert done.returncode == 0, done.stderr
    assert "1 patients erased again" in done.stdout
    there = {row[0] for row in rows_in(tmp_path / "fresh", "SELECT pseudonym FROM annotation_patient")}
    assert there == {find(project.dataset, pseudonym="", patient_id=OTHER).pseudonym}


def test_backups_are_asked_for_as_often_as_the_settings_say(
    tmp_path: Path, settings: pytest.FixtureRequest
) -> None:
    now = timezone.now()
    assert ask_backup(now=now) is None
    settings.BACKUP_FOLDER = str(tmp_path / "backups")  # type: ignore[attr-defined]
    first = ask_backup(now=now)
    assert first is not None
    assert ask_backup(now=now + timedelta(seconds=500)) is None, "one is waiting"
    run(first.pk)
    assert Job.objects.get(pk=first.pk).error == ""
    assert ask_backup(now=now + timedelta(seconds=100)) is None
    assert ask_backup(now=now + timedelta(seconds=500)) is not None
    assert len(Archive(tmp_path / "backups").stamps()) == 1
