"""Whether anybody wrote to SQLite's file: seen at once, and also where another file takes its place."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.sqlite.changes import Changes


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(a_database(tmp_path / "one.sqlite3")) as connection:
        yield connection


@pytest.fixture
def changes(tmp_path: Path, writer: sqlite3.Connection) -> Changes:
    """Watch the writer's file."""
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    return Changes(tmp_path / "one.sqlite3")


def a_database(path: Path) -> sqlite3.Connection:
    """A database with a table, as the system has its own."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE facts (fact)")
    return connection


def test_every_commit_is_another_mark(changes: Changes, writer: sqlite3.Connection) -> None:
    marks = [changes()]
    for _ in range(3):
        writer.execute("INSERT INTO facts VALUES (1)")
        marks.append(changes())
    assert len(set(marks)) == 4
    assert changes() == marks[-1] is not None


def test_reading_and_what_is_rolled_back_change_nothing(changes: Changes, writer: sqlite3.Connection) -> None:
    before = changes()
    writer.execute("SELECT * FROM facts").fetchall()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO facts VALUES (1)")
    assert changes() == before
    writer.execute("ROLLBACK")
    assert changes() == before


def test_another_file_under_the_name_is_another_mark(
    changes: Changes, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    before = changes()
    with closing(a_database(tmp_path / "two.sqlite3")) as other:
        (tmp_path / "two.sqlite3").rename(tmp_path / "one.sqlite3")
        restored = changes()
        assert restored not in (None, before)
        assert other.execute("SELECT count(*) FROM facts").fetchone() == (0,)
    writer.execute("INSERT INTO facts VALUES (1)")
    assert changes() == restored


def test_no_mark_comes_again_after_an_error(
    changes: Changes, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    path, aside = tmp_path / "one.sqlite3", tmp_path / "aside"
    marks = [changes()]
    for _ in range(3):
        path.rename(aside)
        assert changes() is None
        aside.rename(path)
        writer.execute("INSERT INTO facts VALUES (1)")
        marks.append(changes())
    assert None not in marks
    assert len(set(marks)) == 4


def test_where_there_is_no_file_nobody_knows(tmp_path: Path) -> None:
    changes = Changes(tmp_path / "none.sqlite3")
    assert changes() is None
    with closing(a_database(tmp_path / "none.sqlite3")):
        assert changes() is not None
