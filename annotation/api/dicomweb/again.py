"""Single frames of a series again: what a view has just allowed is sent without asking Django anew.

Who may see what is decided in the views alone. Where a view has sent one frame to a token's holder, a request
that differs from that one in nothing but the instance and the frame gets the same answer with its own pixels,
for as long as nothing at all was written to the database (to revoke a token, disable a person, end a
membership or delete an image is to write), the token lives, and neither the note of its last use nor the
hourly audit event is due. All else goes to Django: sessions, HEAD, conditions, ranges, all that is refused.
"""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache, caches
from django.utils import timezone

from accounts.tokens import TooManyError, count_request
from annotation.api.dicomweb.accept import OCTETS, Offer
from annotation.api.dicomweb.access import Visit
from annotation.api.dicomweb.answers import Part, boundary_of, closed, described, opened, part_of, related
from annotation.exchange.dicomweb_retrieve import Stored, Target, name_of, stored
from annotation.studies.files import Span

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Mark = Callable[[], Hashable | None]

SERIES_KEPT, INSTANCES_A_SERIES = 64, 1000
SECONDS = 60.0
MOST_BYTES = 4 * 1024 * 1024
OPENING = "fovea.opening"
ADDRESS = re.compile(
    r"(/api/dicomweb/projects/[0-9a-f-]{36}/studies/[0-9.]{1,64}/series/[0-9.]{1,64}/instances/)"
    r"([0-9.]{1,64})/frames/([1-9][0-9]{0,6})"
)
NOT_PLAIN = re.compile(rb"cookie|range|if-.*|content-length|transfer-encoding")
OF_ONE_ANSWER = frozenset({b"content-type", b"content-length", b"etag"})


def frame_part(one: Stored, number: int, root: str) -> Part:
    """Make a part of a frame, from 1.

    raises: NotFoundError where there is no such frame.
    """
    return part_of(OCTETS, one.frame(number), f"{one.address(root)}/frames/{number}")


def frames_name(one: Stored, numbers: str, root: str, offer: Offer) -> str:
    """Name the content of an answer with frames of an instance."""
    return name_of([one], numbers, root, str(offer))


@dataclass(frozen=True)
class Leave:
    """What a view allowed: single frames of a series, to a token's holder. view: as Visit.view_name."""

    token_id: UUID
    ends: datetime
    view: str
    root: str
    offer: Offer
    instances: dict[str, Stored]


@dataclass
class Opening:
    """Where a view leaves word that the frames of a series may be sent again."""

    leave: Leave | None = None


def leave_open(visit: Visit, offer: Offer, series: Target) -> None:
    """Say that who asked for a frame of a series may have its other ones, where somebody wants to know."""
    opening = getattr(visit.request, "scope", {}).get(OPENING)
    if opening is None or visit.key is None:
        return
    listed = stored(visit.scope, series, most=INSTANCES_A_SERIES + 1)
    if len(listed) <= INSTANCES_A_SERIES:
        opening.leave = Leave(
            token_id=visit.key.pk,
            ends=visit.key.expires_at,
            view=visit.view_name(series.study),
            root=visit.root,
            offer=offer,
            instances={one.sop_instance_uid: one for one in listed},
        )


@dataclass(frozen=True)
class Asked:
    """A request for one frame. key: all of it but the instance and the frame, hashed: it holds a token."""

    key: bytes
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
    head: list[tuple[bytes, bytes]]
    until: float

    def is_in_force(self) -> bool:
        """Whether the token lives and may ask once more, which is counted, and the view is audited."""
        if time.monotonic() > self.until or timezone.now() >= self.leave.ends:
            return False
        try:
            count_request(self.leave.token_id)
        except TooManyError:
            return False
        return bool(cache.has_key(self.leave.view))

    async def answer(self, asked: Asked) -> tuple[list[tuple[bytes, bytes]], bytearray] | None:
        """Give the headers and the body of an answer; None where Django must be asked."""
        one = self.leave.instances.get(asked.sop_instance_uid)
        if one is None or asked.number > one.frames or one.frame_bytes > MOST_BYTES:
            return None
        offer, root = self.leave.offer, self.leave.root
        part = frame_part(one, asked.number, root)
        name = frames_name(one, str(asked.number), root, offer)
        before, after, content_type = enclosing(part, offer, name)
        body = bytearray(len(before) + one.frame_bytes + len(after))
        body[: len(before)], body[len(body) - len(after) :] = before, after
        target = memoryview(body)[len(before) : len(before) + one.frame_bytes]
        if not await filled(one.frame(asked.number), target):
            return None
        told = {b"Content-Type": content_type, b"ETag": f'"{name}"', b"Content-Length": str(len(body))}
        return [*self.head, *((key, value.encode("ascii")) for key, value in told.items())], body


def enclosing(part: Part, offer: Offer, name: str) -> tuple[bytes, bytes, str]:
    """Give what stands before and after a part's content, and the media type of all."""
    if not offer.in_parts:
        return b"", b"", described(part.media_type)
    boundary = boundary_of(name)
    return opened(part, boundary), b"\r\n" + closed(boundary), related(offer.media_type, boundary)


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
    """A kind of request since the database changed last."""

    mark: Hashable
    known: Known | None = None
    is_opening: bool = False


class Again:
    """An ASGI application in front of Django's. mark: another one after each write; None: nobody knows."""

    def __init__(self, application: Application, mark: Mark) -> None:
        self._application, self._mark = application, mark
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        _ = caches["default"]  # made here, it is in the context of every request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a frame, or pass the request on."""
        asked = asked_in(scope)
        mark = None if asked is None else self._mark()
        if asked is None or mark is None:
            await self._application(scope, receive, send)
            return
        seen = self._seen.get(asked.key)
        if seen is None or seen.mark != mark:  # asked for twice between two writes, it is worth a query
            self._note(asked.key, mark)
            await self._application(scope, receive, send)
        elif seen.known is None:
            await self._learn(seen, scope, receive, send)
        else:
            await self._send_again(seen, asked, scope, receive, send)

    def _note(self, key: bytes, mark: Hashable) -> None:
        """Remember a kind of request; the one that was new longest ago is forgotten."""
        self._seen.pop(key, None)
        self._seen[key] = Seen(mark)
        if len(self._seen) > SERIES_KEPT:
            self._seen.popitem(last=False)

    async def _learn(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and listen to what is allowed and how it is answered."""
        if seen.is_opening:
            await self._application(scope, receive, send)
            return
        opening, starts = Opening(), []

        async def listening(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            await send(message)

        seen.is_opening = True
        try:
            await self._application(scope | {OPENING: opening}, receive, listening)
        finally:
            seen.is_opening = False
        if opening.leave is not None and starts:
            seen.known = known_of(opening.leave, starts[0])

    async def _send_again(self, seen: Seen, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a frame; where that is over, or not for this one, pass the request on."""
        found = None
        if seen.known is not None and seen.known.is_in_force():
            found = await seen.known.answer(asked)
        else:
            seen.known = None
        if found is None:
            await self._application(scope, receive, send)
            return
        head, body = found
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


def known_of(leave: Leave, start: Message) -> Known | None:
    """Put together what is sent again; None where an answer was no plain one."""
    head = [(name, value) for name, value in start["headers"] if name.lower() not in OF_ONE_ANSWER]
    if start["status"] != 200 or any(name.lower() == b"set-cookie" for name, _ in head):
        return None
    return Known(leave, head, time.monotonic() + SECONDS)
