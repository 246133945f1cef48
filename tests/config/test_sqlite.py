"""Who waits to write to SQLite: asked again soon, told after the time that the settings give."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

PATIENCE = 0.4


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: Any) -> Iterator[Any]:
    """A connection of the embedded default to a database of its own, which waits PATIENCE seconds."""
    options = {
        "timeout": PATIENCE,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;",
    }
    handler = ConnectionHandler(
        {"default": {"ENGINE": "config.sqlite", "NAME": str(tmp_path / "own.sqlite3"), "OPTIONS": options}}
    )
    connection = handler["default"]
    connection.inc_thread_sharing()
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE note (text)")
        yield connection
    connection.close()


@pytest.fixture
def writer(database: Any) -> Iterator[sqlite3.Connection]:
    """Another process that writes, and has not committed."""
    other = sqlite3.connect(database.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def write(connection: Any) -> float:
    """Write a row in a transaction. returns: the seconds that it took to begin."""
    began = time.monotonic()
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    waited = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO note VALUES ('here')")
    connection.commit()
    connection.set_autocommit(True)
    return waited


def test_a_writer_that_ends_is_followed_at_once(database: Any, writer: sqlite3.Connection) -> None:
    ends = threading.Timer(0.2, writer.execute, ["COMMIT"])
    ends.start()
    waited = write(database)
    ends.join()
    assert 0.15 < waited < PATIENCE


def test_a_writer_that_does_not_end_is_named_as_a_lock(database: Any, writer: sqlite3.Connection) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        write(database)
    assert time.monotonic() - began >= PATIENCE


def test_sqlite_waits_for_single_statements_as_before(database: Any) -> None:
    write(database)
    with database.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (int(1000 * PATIENCE),)
