"""How the machine is: queues, workers, disk, database, versions. Reads only; no domain, no torch."""

import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count, Min, Q
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from jobs import broker
from jobs.models import Job, Lane, Outbox, State

PING_SECONDS: Final = 1.0
LONG_WAIT: Final = timedelta(minutes=5)
UNSENT: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
LITTLE_ROOM: Final = 0.10
NO_ROOM: Final = 0.03
PACKAGES: Final = ("Django", "celery", "pydicom", "highdicom", "numpy", "torch", "monai")


@dataclass(frozen=True)
class LaneState:
    """What one kind of worker has before it. waits_seconds: of the oldest job, None where none waits."""

    lane: str
    waiting: int
    running: int
    failed_today: int
    waits_seconds: float | None

    @property
    def is_stuck(self) -> bool:
        """Whether work waits long and nobody does any."""
        return (self.waits_seconds or 0) > LONG_WAIT.total_seconds() and not self.running


@dataclass(frozen=True)
class Disk:
    """Room where the data directory lies, in bytes."""

    total: int
    free: int

    @property
    def share(self) -> float:
        """What is free, from 0 to 1."""
        return self.free / self.total

    @property
    def used(self) -> float:
        """What is used, from 0 to 1."""
        return 1 - self.share

    @property
    def look(self) -> str:
        """How alarming it is: ok, warn or bad."""
        return "bad" if self.share < NO_ROOM else "warn" if self.share < LITTLE_ROOM else "ok"


@dataclass(frozen=True)
class Database:
    """Which one, how large in bytes, and how long it takes to answer."""

    vendor: str
    version: str
    size: int
    answer_ms: float


@dataclass(frozen=True)
class Workers:
    """Who answers: names, or why nobody can be asked."""

    names: list[str]
    problem: str = ""

    def missing(self) -> list[str]:
        """Lanes that no worker of the usual name serves."""
        served = {name.partition("@")[0] for name in self.names}
        return [lane for lane in Lane.values if lane not in served]


def lanes(now: datetime) -> list[LaneState]:
    """Count what waits, runs and failed in each lane; one query."""
    waiting, running = Q(state=State.QUEUED), Q(state=State.RUNNING)
    failed = Q(state=State.FAILED, finished_at__gt=now - DAY)
    counted = {
        row["lane"]: row
        for row in Job.objects.filter(waiting | running | failed)
        .order_by()
        .values("lane")
        .annotate(
            waiting=Count("pk", filter=waiting),
            running=Count("pk", filter=running),
            failed=Count("pk", filter=failed),
            oldest=Min("created_at", filter=waiting),
        )
    }
    return [lane_state(lane, counted.get(lane, {}), now) for lane in Lane.values]


def lane_state(lane: str, row: Mapping[str, object], now: datetime) -> LaneState:
    """Read one row of counts."""
    oldest = row.get("oldest")
    waits = (now - oldest).total_seconds() if isinstance(oldest, datetime) else None
    waiting, running, failed = (int(str(row.get(name, 0))) for name in ("waiting", "running", "failed"))
    return LaneState(lane, waiting, running, failed, waits)


def unsent(now: datetime) -> int:
    """Count messages that should have reached the broker by now."""
    return Outbox.objects.filter(
        sent_at=None, job__state=State.QUEUED, job__created_at__lt=now - UNSENT
    ).count()


def last_done(name: str) -> datetime | None:
    """Say when a kind of job was done last."""
    done = Job.objects.filter(name=name, state=State.DONE).order_by("-finished_at")
    return done.values_list("finished_at", flat=True).first()


def disk() -> Disk:
    """Measure the data directory's file system."""
    usage = shutil.disk_usage(settings.HOME.root)
    return Disk(usage.total, usage.free)


def database() -> Database:
    """Ask the database for its version and size."""
    size_of = {
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchone()
        answer_ms = 1000 * (time.perf_counter() - began)
        cursor.execute(size_of[connection.vendor])
        (size,) = cursor.fetchone()
    told = ".".join(map(str, connection.get_database_version()))
    return Database(connection.display_name, told, int(size), answer_ms)


def unapplied() -> list[str]:
    """Name migrations that the code has and the database has not."""
    loader = MigrationLoader(connection)
    missing = set(loader.graph.nodes) - set(loader.applied_migrations)
    return sorted(f"{app}.{name}" for app, name in missing)


def workers() -> Workers:
    """Ask every worker for a sign of life; waits a second for the answers."""
    try:
        with broker.connection() as asked:
            answers = current_app.control.ping(timeout=PING_SECONDS, connection=asked)
    except (OSError, KombuError, RedisError) as error:
        return Workers([], f"the broker does not answer ({type(error).__name__})")
    return Workers(sorted(name for answer in answers or [] for name in answer))


def versions() -> dict[str, str]:
    """Versions of what matters to who looks for a fault; nothing is imported for it."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def home() -> Path:
    """Where the data directory lies."""
    return Path(settings.HOME.root)
