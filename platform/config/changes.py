"""Whether anybody wrote to the database since one looked last, whichever database it is."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from django.db import connection

from config.sqlite.changes import Changes as ChangesOfFile

Mark = Hashable | None


class Changes(Protocol):
    """What is asked for a mark, and closed in the end."""

    def __call__(self) -> Mark:
        """Give the mark."""

    def close(self) -> None:
        """Let go of the database."""


class Shared:
    """A question that takes a moment, asked in a thread of its own.

    Whoever comes while it is asked waits for the next time, which all who wait share: no answer is older than
    the call.
    """

    def __init__(self, question: Callable[[], Mark]) -> None:
        self._question = question
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changes")
        self._asking: asyncio.Task[Mark] | None = None
        self._next: asyncio.Task[Mark] | None = None

    async def __call__(self) -> Mark:
        """Give the answer."""
        if self._next is None or self._next.done():
            before = self._asking if self._asking and not self._asking.done() else None
            self._next = asyncio.create_task(self._after(before))
        return await asyncio.shield(self._next)

    async def _after(self, before: "asyncio.Task[Mark] | None") -> Mark:
        if before is not None:
            await asyncio.wait([before])
        self._asking, self._next = self._next, None
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._question)


def watched() -> Changes:
    """Watch the database: a mark that is another one after each commit, None where nobody knows."""
    if connection.vendor == "sqlite":
        return ChangesOfFile(Path(str(connection.settings_dict["NAME"])))
    from config.postgresql.changes import Changes as ChangesOfServer  # its driver is not needed elsewhere

    asked = connection.get_connection_params()
    return ChangesOfServer({name: value for name, value in asked.items() if name != "cursor_factory"})


def asked_of(changes: Changes) -> Callable[[], Awaitable[Mark]]:
    """Ask for the mark: a file's at once, a server's in a thread."""
    return changes.at_once if isinstance(changes, ChangesOfFile) else Shared(changes)
