"""Large bodies are taken from people and programs that are known, and from nobody else."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as installed
from django.utils import timezone
from pytest_django import Settings

from accounts.scopes import Scope as TokenScope
from accounts.tokens import Wish, make_token
from config.bodies import Limited, Message, Receive, Scope, Send
from tests.factories import a_client, a_user

pytestmark = pytest.mark.django_db(transaction=True)
SMALL, LARGE = 1000, 5000


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.UPLOAD_MAX_BYTES = SMALL, LARGE


async def reading(_scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads everything before it answers, as Django does."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def sent(size: int, *, announced: bool = True, method: str = "POST", **headers: str) -> tuple[int, bytes]:
    """What is answered to a body of a size, in pieces of 100 bytes."""
    named = headers | ({"content-length": str(size)} if announced else {"transfer-encoding": "chunked"})
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    pieces = pieces_of(size)
    answers: list[Message] = []

    async def receive() -> Message:
        return next(pieces)

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(Limited(reading)(scope, receive, send))
    return answers[0]["status"], answers[1]["body"]


def pieces_of(size: int) -> Iterator[Message]:
    for start in range(0, size, 100):
        yield {"type": "http.request", "body": b"x" * min(100, size - start), "more_body": start + 100 < size}


def bearer() -> str:
    wish = Wish(name="viewer", scopes=[TokenScope.DICOMWEB_WRITE], days=1)
    return f"Bearer {make_token(user=a_user(is_admin=True), wish=wish, now=timezone.now())[1]}"


def session() -> str:
    name = installed.SESSION_COOKIE_NAME
    return f"other=1; {name}={a_client(a_user()).cookies[name].value}"


@pytest.mark.parametrize("announced", [True, False])
def test_a_stranger_brings_little(announced: bool) -> None:
    assert sent(SMALL, announced=announced) == (200, b"1000")
    status, body = sent(SMALL + 100, announced=announced)
    assert (status, json.loads(body)["code"]) == (413, "too_large")


@pytest.mark.parametrize("announced", [True, False])
def test_a_token_or_a_session_brings_much_and_not_everything(announced: bool) -> None:
    token, cookie = bearer(), session()
    assert sent(LARGE, announced=announced, authorization=token) == (200, b"5000")
    assert sent(LARGE, announced=announced, cookie=cookie) == (200, b"5000")
    assert sent(LARGE + 100, announced=announced, authorization=token)[0] == 413
    assert sent(LARGE + 100, announced=announced, cookie=cookie)[0] == 413


def test_made_up_credentials_are_a_stranger_s() -> None:
    assert sent(SMALL + 100, authorization="Bearer made-up")[0] == 413
    assert sent(SMALL + 100, cookie=f"{installed.SESSION_COOKIE_NAME}=made-up")[0] == 413
