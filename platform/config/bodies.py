"""How much a request may bring: Django puts a whole body on disk before any view asks who sends it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import close_old_connections
from django.utils import timezone

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "bearer "


class Limited:
    """An ASGI application whose large bodies are read from people and programs that it knows alone."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413 once it is known to bring too much."""
        small = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if scope["type"] != "http" or scope["method"] in WITHOUT_BODY or 0 <= announced(scope) <= small:
            await self._application(scope, receive, send)
            return
        known = await sync_to_async(is_sent_by_somebody_known)(headers_of(scope))
        most = settings.UPLOAD_MAX_BYTES if known else small
        if announced(scope) > most:
            await refuse(send, most)
            return
        counting = Counting(receive, send, most)
        await self._application(scope, counting.receive, counting.send)
        if counting.is_over and not counting.is_answered:
            await refuse(send, most)


class Counting:
    """A request whose length nobody announced: it is cut off where it is too long."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send, self._left = receive, send, most
        self.is_over = self.is_answered = False

    async def receive(self) -> Message:
        """Give the next piece, or the end of the connection."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_over = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on."""
        self.is_answered = True
        await self._send(message)


def headers_of(scope: Scope) -> dict[str, str]:
    """Name each header in small letters; the last one of a name counts."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def announced(scope: Scope) -> int:
    """Say how many bytes the body has; -1 where nothing is announced."""
    headers = headers_of(scope)
    length = headers.get("content-length", "")
    if length.isdecimal():
        return int(length)
    return -1 if "transfer-encoding" in headers else 0


def is_sent_by_somebody_known(headers: dict[str, str]) -> bool:
    """Whether a session or a token stands behind a request; what they may do is asked later."""
    from accounts.tokens import usable  # tables can be had only once Django is set up

    try:
        given = headers.get("authorization", "")
        if given.lower().startswith(BEARER):
            return usable(given[len(BEARER) :].strip(), now=timezone.now()) is not None
        return has_session(headers.get("cookie", ""))
    finally:
        close_old_connections()


def has_session(cookies: str) -> bool:
    """Whether cookies name a session of somebody who signed in."""
    try:
        cookie = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return cookie is not None and SESSION_KEY in store(cookie.value)


async def refuse(send: Send, most: int) -> None:
    """Answer that a request brings too much (RFC 9457)."""
    told = {
        "type": "about:blank",
        "title": "Too large",
        "status": 413,
        "code": "too_large",
        "detail": f"at most {most // 2**20} MiB are taken from this sender: sign in, or send less at once",
    }
    head = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": head})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
