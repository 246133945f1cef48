"""Whether anybody wrote to a PostgreSQL: seen by whoever asks after the commit, and by nobody before."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from config.changes import Shared
from config.postgresql.changes import Changes
from tests.servers import start_postgresql

pytestmark = pytest.mark.processes
Parameters = dict[str, Any]
Writer = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    """How to connect to a server that nobody else writes to."""
    return {"host": start_postgresql(), "user": "postgres", "dbname": "postgres"}


@pytest.fixture
def writer(parameters: Parameters) -> Iterator[Writer]:
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS facts (fact int)")
        yield connection


@pytest.fixture
def changes(parameters: Parameters) -> Iterator[Changes]:
    """Watch the writer's server."""
    with closing(Changes(parameters)) as changes:
        yield changes


def test_every_commit_is_another_mark(changes: Changes, writer: Writer) -> None:
    marks = [changes()]
    for _ in range(3):
        writer.execute("INSERT INTO facts VALUES (1)")
        marks.append(changes())
    assert None not in marks
    assert len(set(marks)) == 4
    assert changes() == marks[-1]


def test_what_is_read_or_not_committed_yet_changes_nothing(changes: Changes, writer: Writer) -> None:
    before = changes()
    writer.execute("SELECT * FROM facts").fetchall()
    with writer.transaction():
        writer.execute("INSERT INTO facts VALUES (2)")
        assert changes() == before
    assert changes() != before


def test_a_new_connection_is_another_mark(changes: Changes) -> None:
    before = changes()
    changes.close()
    assert changes() not in (None, before)


def test_where_no_server_answers_nobody_knows() -> None:
    assert Changes({"host": "/nowhere", "dbname": "none"})() is None


def test_who_comes_while_a_question_is_asked_gets_the_answer_to_the_next_one() -> None:
    asked, may_answer, begun = 0, threading.Semaphore(0), threading.Event()

    def question() -> int:
        nonlocal asked
        asked += 1
        told = asked
        begun.set()
        may_answer.acquire()
        return told

    async def seen() -> list[object]:
        shared = Shared(question)
        first = asyncio.create_task(shared())
        await asyncio.to_thread(begun.wait)
        others = [asyncio.create_task(shared()) for _ in range(25)]
        await asyncio.sleep(0)
        may_answer.release(2)
        return await asyncio.gather(first, *others)

    assert asyncio.run(seen()) == [1] + [2] * 25
    assert asked == 2


def test_who_leaves_takes_nobody_s_answer_away_nor_does_the_end_of_a_loop() -> None:
    shared = Shared(lambda: "mark")

    async def one_leaves() -> object:
        leaving, staying = asyncio.create_task(shared()), asyncio.create_task(shared())
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert [asyncio.run(one_leaves()) for _ in range(3)] == ["mark"] * 3
