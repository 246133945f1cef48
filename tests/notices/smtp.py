"""A small SMTP server on loopback (RFC 5321): keeps what it takes, or refuses it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What the server took; while it is closed every message is refused for now (451)."""

    port: int = 0
    is_closed: bool = False
    messages: list[EmailMessage] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 loopback")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "QUIT":
                break
            if verb == "MAIL" and self.is_closed:
                await say("451 try again later")
            elif verb == "DATA":
                await say("354 go on")
                self.messages.append(await received(reader))
                await say("250 taken")
            else:
                await say("250 ok")
        await say("221 bye")
        writer.close()


async def received(reader: asyncio.StreamReader) -> EmailMessage:
    """Read a message to its end, a dot alone."""
    lines = []
    while (line := await reader.readline()) not in (b".\r\n", b""):
        lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
    found = message_from_bytes(b"".join(lines), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@contextmanager
def running_smtp() -> Iterator[Mailbox]:
    """Serve on a free port of loopback until the caller is done."""
    mailbox, loop, ready = Mailbox(), asyncio.new_event_loop(), threading.Event()

    async def begin() -> asyncio.Server:
        server = await asyncio.start_server(mailbox.serve, "127.0.0.1", 0)
        mailbox.port = server.sockets[0].getsockname()[1]
        ready.set()
        return server

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(begin())
        loop.run_forever()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield mailbox
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
