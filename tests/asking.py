"""Requests to an ASGI application, without a server."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.bodies import Application, Message, Scope

NEVER = 3600.0


@dataclass(frozen=True)
class Answer:
    """What came back; headers: by their names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Question:
    """One request; a peer that leaves after some bytes says how many."""

    path: str
    headers: Mapping[str, str]
    query: str = ""
    method: str = "GET"
    leaves_after: int = -1

    @property
    def scope(self) -> Scope:
        """The request as a server passes it on."""
        named = {"host": "localhost", **self.headers}
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }


def ask(application: Application, *questions: Question) -> list[Answer]:
    """Ask one after the other, in one event loop."""

    async def each() -> list[Answer]:
        return [await asked(application, one) for one in questions]

    return asyncio.run(each())


def ask_at_once(application: Application, *questions: Question) -> list[Answer]:
    """Ask all at the same moment, in one event loop."""

    async def together() -> list[Answer]:
        return await asyncio.gather(*(asked(application, one) for one in questions))

    return asyncio.run(together())


async def asked(application: Application, question: Question) -> Answer:
    """Ask once."""
    start: list[Message] = []
    body, begun, gone = bytearray(), asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        if not begun.is_set():
            begun.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.wait_for(gone.wait(), NEVER)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body.extend(message.get("body", b""))
        if 0 <= question.leaves_after < len(body):
            gone.set()
            await asyncio.sleep(0)

    await application(question.scope, receive, send)
    head = start[0]
    named = {name.decode().lower(): value.decode() for name, value in head["headers"]}
    return Answer(head["status"], named, bytes(body))


def bodies(answers: Sequence[Answer]) -> list[bytes]:
    """Bodies of answers that went well."""
    assert [one.status for one in answers] == [200] * len(answers)
    return [one.body for one in answers]
