"""Single frames again: what a view has just allowed is sent without asking Django anew.

Who may see what is decided in the views alone. Where a view has sent one frame, a request that differs from
it in nothing but the instance and the frame gets the same answer with its own pixels, for as long as nothing
at all was written to the database (to revoke a token, end a session, disable a person, end a membership or
delete an image is to write), and until Django would do more than answer: end a session or note that it is
used, note a token's use, audit a view. All else goes to Django: conditions, ranges, all that is refused.
"""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.cache import caches
from django.http import HttpRequest
from django.utils import timezone

from annotation.studies.files import Span
from jobs import metrics

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Mark = Callable[[], Awaitable[Hashable | None]]
Headers = list[tuple[bytes, bytes]]

KINDS_KEPT, MOST_INSTANCES = 64, 1000
WORTH_A_QUERY = 4
SECONDS = 60.0
MOST_BYTES = 4 * 1024 * 1024
OPENING = "fovea.opening"
ADDRESS = re.compile(
    r"(/api/(?:v1/cases/[0-9a-f-]{36}"
    r"|dicomweb/projects/[0-9a-f-]{36}/studies/[0-9.]{1,64}/series/[0-9.]{1,64})/instances/)"
    r"([0-9.]{1,64})/frames/([1-9][0-9]{0,6})"
)
NOT_PLAIN = re.compile(rb"range|if-.*|content-length|transfer-encoding")
OF_ONE_ANSWER = frozenset({b"content-type", b"content-length", b"etag"})


@dataclass(frozen=True)
class Envelope:
    """One answer: stored bytes, what stands before and after them, and the headers that are its own."""

    span: Span
    content_type: str
    name: str
    before: bytes = b""
    after: bytes = b""


class Leave(Protocol):
    """What a view allowed: the frames of a series, to who asks in the same way."""

    @property
    def ends(self) -> datetime:
        """From when on Django is to be asked again."""

    def is_counted(self) -> bool:
        """Count one more request; false where it is one too many, or something is due."""

    def envelope(self, sop_instance_uid: str, number: int) -> Envelope | None:
        """Describe a frame, from 1; None where there is none."""


@dataclass
class Opening:
    """Where a view leaves word of what it allows, and under which route it is counted."""

    leave: Leave | None = None
    route: str = ""


def leave_open(request: HttpRequest, leave: Callable[[], Leave | None]) -> None:
    """Say what the sender of a request for one frame may have as well, where somebody wants to know."""
    opening = getattr(request, "scope", {}).get(OPENING)
    if opening is not None and request.resolver_match is not None:
        opening.leave, opening.route = leave(), request.resolver_match.route


@dataclass(frozen=True)
class Asked:
    """A request for one frame. kind: all of it but the instance and the frame, hashed: it holds secrets."""

    kind: bytes
    sop_instance_uid: str
    number: int


def asked_in(scope: Scope) -> Asked | None:
    """Read a request; None where it is not for a single frame, or may be answered otherwise than with 200."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("root_path"):
        return None
    found = ADDRESS.fullmatch(scope["path"])
    if found is None or any(NOT_PLAIN.fullmatch(name) for name, _ in scope["headers"]):
        return None
    series, sop_instance_uid, number = found.groups()
    client = (scope.get("client") or ("",))[0]
    rest = (series, client, scope["scheme"], scope.get("server"), scope["query_string"], scope["headers"])
    return Asked(hashlib.sha256(repr(rest).encode()).digest(), sop_instance_uid, int(number))


@dataclass(frozen=True)
class Known:
    """What is sent again; head: the headers that every answer has."""

    leave: Leave
    route: str
    head: Headers
    until: float

    def is_in_force(self) -> bool:
        """Whether it is not over yet."""
        in_time = time.monotonic() < self.until and timezone.now() < self.leave.ends
        return in_time and self.leave.is_counted()

    async def answer(self, asked: Asked) -> tuple[Headers, bytearray] | None:
        """Give the headers and the body of an answer; None where Django must be asked."""
        found = self.leave.envelope(asked.sop_instance_uid, asked.number)
        if found is None or found.span.length > MOST_BYTES:
            return None
        begin, length = len(found.before), found.span.length
        body = bytearray(begin + length + len(found.after))
        body[:begin], body[begin + length :] = found.before, found.after
        if not await filled(found.span, memoryview(body)[begin : begin + length]):
            return None
        own = {
            b"Content-Type": found.content_type,
            b"ETag": f'"{found.name}"',
            b"Content-Length": str(len(body)),
        }
        return [*self.head, *((key, value.encode("ascii")) for key, value in own.items())], body


async def filled(span: Span, target: memoryview) -> bool:
    """Read stored bytes, in a thread where the disk must be waited for; false where there are too few."""
    if span.fill(target):
        return True
    try:
        content = await asyncio.to_thread(span.read)
    except OSError:
        return False
    if len(content) < len(target):
        return False
    target[:] = content
    return True


@dataclass
class Seen:
    """A kind of request since a write: whether it is worth a query, what came of it, how often it served."""

    mark: Hashable
    is_wanted: bool
    learnt: asyncio.Event | None = None
    known: Known | None = None
    used: int = 0


class Again:
    """An ASGI application in front of Django's. mark: another one after each write; None: nobody knows."""

    def __init__(self, application: Application, mark: Mark) -> None:
        self._application, self._mark = application, mark
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        _ = caches["default"]  # made here, it is in the context of every request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a frame, or pass the request on."""
        asked = asked_in(scope)
        mark = None if asked is None else await self._mark()
        if asked is None or mark is None:
            await self._application(scope, receive, send)
            return
        seen = self._seen_since(mark, asked.kind)
        if seen.learnt is None:
            await self._ask(seen, scope, receive, send)
            return
        if not seen.learnt.is_set():
            await seen.learnt.wait()
            mark = await self._mark()
        if seen.known is None or seen.mark != mark:
            await self._application(scope, receive, send)
            return
        seen.used += 1
        await self._send_again(seen.known, asked, scope, receive, send)

    def _seen_since(self, mark: Hashable, kind: bytes) -> Seen:
        """Find a kind of request, or begin it anew after a write; what began longest ago is forgotten."""
        seen = self._seen.get(kind)
        if seen is None or seen.mark != mark:
            seen = Seen(mark, is_wanted=seen is not None and seen.used >= WORTH_A_QUERY)
            self._seen.pop(kind, None)
            self._seen[kind] = seen
            if len(self._seen) > KINDS_KEPT:
                self._seen.popitem(last=False)
        return seen

    async def _ask(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; of the second one learn what is allowed, as soon as Django begins to answer."""
        if not seen.is_wanted:
            seen.is_wanted = True
            await self._application(scope, receive, send)
            return
        opening, learnt = Opening(), asyncio.Event()

        async def listening(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.known = known_of(opening, message)
                learnt.set()
            await send(message)

        seen.learnt = learnt
        try:
            await self._application(scope | {OPENING: opening}, receive, listening)
        finally:
            learnt.set()

    async def _send_again(
        self, known: Known, asked: Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send a frame; where that is over, or not for this one, pass the request on."""
        began, found = time.perf_counter(), None
        if known.is_in_force():
            found = await known.answer(asked)
        else:
            self._seen.pop(asked.kind, None)
        if found is None:
            await self._application(scope, receive, send)
            return
        head, body = found
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})
        metrics.count(known.route, "GET", 200, time.perf_counter() - began)


def known_of(opening: Opening, start: Message) -> Known | None:
    """Put together what is sent again; None where nothing is, or an answer was no plain one."""
    head = [(name, value) for name, value in start["headers"] if name.lower() not in OF_ONE_ANSWER]
    if opening.leave is None or start["status"] != 200:
        return None
    if any(name.lower() == b"set-cookie" for name, _ in head):
        return None
    return Known(opening.leave, opening.route, head, time.monotonic() + SECONDS)
