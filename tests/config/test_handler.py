"""Django in threads that are kept: what it answers, and what it lets go of."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installed
from django.contrib.staticfiles.finders import find
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import include, path
from pytest_django import Settings

from accounts.models import User
from config.handler import Handler, Threads
from tests.asking import Question, ask

pytestmark = pytest.mark.django_db(transaction=True)
BLOCK = b"x" * 1000
closed: list[str] = []
threads: list[tuple[threading.Thread, Any]] = []


def counted(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{User.objects.count()} {connection.connection is not None}")


def long(_request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(endless())


def longer(_request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(endless_too())


def some(_request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"one ", b"", b"two"]))


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on our side")


def endless() -> Iterator[bytes]:
    try:
        while True:
            yield BLOCK
    finally:
        closed.append("long")


def of_rows() -> Iterator[bytes]:
    for number in range(5):
        yield f"{number} {User.objects.count()} ".encode()
        threads.append((threading.current_thread(), connection.connection))


def rows(_request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(of_rows())


async def endless_too() -> AsyncIterator[bytes]:
    try:
        while True:
            yield BLOCK
            await asyncio.sleep(0)
    finally:
        closed.append("longer")


urlpatterns = [
    path("counted", counted),
    path("rows", rows),
    path("long", long),
    path("longer", longer),
    path("some", some),
    path("broken", broken),
    path("", include("config.urls")),
]


@pytest.fixture
def handler(settings: Settings) -> Handler:
    """A handler of the views above; it keeps no thread, and with it no connection to the database."""
    settings.ROOT_URLCONF = __name__
    closed.clear()
    threads.clear()
    return Handler(threads_kept=0)


def test_a_view_answers_with_its_connection_open(handler: Handler) -> None:
    [answer] = ask(handler, Question("/counted", {}))
    assert (answer.status, answer.body) == (200, b"0 True")
    assert answer.headers["x-frame-options"] == installed.X_FRAME_OPTIONS


def test_what_is_streamed_comes_whole_also_past_an_empty_block(handler: Handler) -> None:
    assert ask(handler, Question("/some", {}))[0].body == b"one two"


def test_rows_are_streamed_in_one_thread_and_its_connection_is_closed(handler: Handler) -> None:
    assert ask(handler, Question("/rows", {}))[0].body == b"0 0 1 0 2 0 3 0 4 0 "
    ((thread, used),) = set(threads)
    thread.join(timeout=30)
    assert not thread.is_alive()
    with pytest.raises(Exception, match=r"[Cc]losed"):
        used.cursor()


def test_a_static_file_comes_whole(handler: Handler) -> None:
    [answer] = ask(handler, Question("/static/css/data.css", {}))
    assert answer.body == Path(str(find("css/data.css"))).read_bytes()


@pytest.mark.parametrize("name", ["long", "longer"])
def test_a_stream_ends_where_nobody_listens_any_more(handler: Handler, name: str) -> None:
    [answer] = ask(handler, Question(f"/{name}", {}, leaves_after=5000))
    assert len(answer.body) > 5000
    assert closed == [name]


def test_an_error_is_an_answer(handler: Handler, settings: Settings) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    assert ask(handler, Question("/broken", {}))[0].status == 500


def test_an_address_that_is_none_is_not_found(handler: Handler) -> None:
    assert ask(handler, Question("/nowhere", {}))[0].status == 404


def test_a_websocket_is_refused(handler: Handler) -> None:
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(handler({"type": "websocket"}, nothing, nothing))


async def nothing(*_: Any) -> Any:
    """Neither sends nor receives."""


def test_a_thread_is_used_again_and_nobody_waits_for_another_s() -> None:
    threads = Threads(kept=1)
    meeting = threading.Barrier(2, timeout=60)

    def meet() -> int:
        meeting.wait()
        return threading.get_ident()

    async def three() -> tuple[int, int, int]:
        one, two = await asyncio.gather(threads.run(meet), threads.run(meet))
        return one, two, await threads.run(threading.get_ident)

    one, two, again = asyncio.run(three())
    assert one != two
    assert again in (one, two)


def test_a_thread_is_nobody_else_s_until_it_is_done_also_where_its_asker_left() -> None:
    threads, begun, may_end = Threads(kept=1), threading.Event(), threading.Event()
    busy: list[int] = []

    def wait() -> None:
        busy.append(threading.get_ident())
        begun.set()
        may_end.wait(60)

    async def leave() -> int:
        waiting = asyncio.create_task(threads.run(wait))
        await asyncio.to_thread(begun.wait, 60)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        meanwhile = await threads.run(threading.get_ident)
        may_end.set()
        return meanwhile

    assert asyncio.run(leave()) not in busy
