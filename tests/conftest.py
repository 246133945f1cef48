"""Fixtures for every test."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.triggers import CREATE, DROP
from tests.real import real_images
from tests.servers import Redis, running_redis
from tests.tables import put_tables

LAST_SECONDS = 60


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Begin an SQLite test database with the tables that are made already."""
    if connection.vendor == "sqlite":
        put_tables(Path(connection.settings_dict["TEST"]["NAME"]))


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Take SQLite's file as it lies there; it goes with the data directory."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """Let the end of a transactional test empty the audit table, which the database refuses to others."""
    plain_flush = connection.ops.sql_flush

    def flush(*args: Any, **options: Any) -> list[str]:
        return [*DROP[connection.vendor], *plain_flush(*args, **options), *CREATE[connection.vendor]]

    connection.ops.sql_flush = flush  # type: ignore[method-assign]


def seconds_to_midnight(now: datetime) -> float:
    """How long the day lasts still."""
    return (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds()


def pytest_runtest_setup() -> None:
    """Begin no test in the last minute of a day (UTC): what it counts as today's would be yesterday's."""
    left = seconds_to_midnight(timezone.now())
    if left < LAST_SECONDS:
        time.sleep(left)


@pytest.fixture
def broker() -> Iterator[Redis]:
    """Start a Redis for one test."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Find the folder of real images."""
    found = real_images()
    assert found.is_dir(), f"{found} is not there: set FOVEA_DATA to the folder of real images"
    return found
