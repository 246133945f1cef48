"""The trusted side of the door: hands files to fork servers and checks every verdict that comes back."""

import atexit
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from annotation.studies.door.limits import CPU_SECONDS, MEBIBYTE, TEXT_WALL_SECONDS, WALL_SECONDS
from annotation.studies.door.verdict import Order, Verdict, rejected

CHILD = "annotation.studies.door.child"
KEPT = 2  # fork servers of a kind that wait in a process: each holds up to 80 MB
ROOT = Path(__file__).resolve().parents[3]
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main()"
VERDICT_BYTES = 64 * MEBIBYTE
ANSWER_BYTES = 4096

# One thread a process: two run beside each other, and threads do not survive a fork.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
}


@dataclass(frozen=True)
class Admission:
    """A verdict with what the child wrote: the stored file, and its thumbnail or preview."""

    verdict: Verdict
    stored: BinaryIO
    picture: BinaryIO


class DoorBrokenError(Exception):
    """The fork server did not start or went away; the file was not judged."""


class Server:
    """One fork server and the socket to it.

    module: whose `main` it lives in, by its whole name. answers_within: seconds that a child of it may take.
    """

    def __init__(
        self,
        module: str = CHILD,
        *,
        answers_within: float = TEXT_WALL_SECONDS + WALL_SECONDS,
    ) -> None:
        self.module = module
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
                [sys.executable, "-I", "-c", BOOT.format(module), str(ROOT), str(theirs.fileno())],
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
            )
        self._channel = ours
        self.answers_within(answers_within)
        self.confinement: list[str] = self._answer()["confinement"]

    def answers_within(self, seconds: float) -> None:
        """Say how long a child of it may take."""
        self._channel.settimeout(seconds)

    def ask(self, orders: Sequence[Order], descriptors: list[int]) -> str:
        """Have some files judged by one child.

        returns: "" where the child ended well, else how it ended.
        """
        return self.send(json.dumps([vars(order) for order in orders]).encode(), descriptors)

    def send(self, message: bytes, descriptors: list[int]) -> str:
        """Have one child do what a message says with some files.

        returns: "" where the child ended well, else how it ended.
        """
        socket.send_fds(self._channel, [message], descriptors)
        ended = self._answer()
        return how_it_ended(int(ended["code"]), late=bool(ended["late"]))

    def _answer(self) -> dict[str, Any]:
        text = self._channel.recv(ANSWER_BYTES)
        if not text:
            raise DoorBrokenError("the fork server is gone")
        return dict(json.loads(text))

    @property
    def process_id(self) -> int:
        """Give the id of its process."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it is gone, as one is that nobody asked for long; then nothing is left of it."""
        if self._process.poll() is None:
            return False
        self.close()
        return True

    def close(self) -> None:
        """End it, its present child included (which dies with its parent)."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


# By process, since a fork must not ask over its parent's channel, and by module.
_waiting: dict[tuple[int, str], list[Server]] = {}


def lent(module: str = CHILD, *, answers_within: float = TEXT_WALL_SECONDS + WALL_SECONDS) -> Server:
    """Give a fork server that waits for its next user, or a new one: to start takes a second of a processor.

    raises: OSError, DoorBrokenError.
    """
    waiting = _waiting.setdefault((os.getpid(), module), [])
    with suppress(IndexError):
        while True:
            server = waiting.pop()
            if not server.has_ended():
                server.answers_within(answers_within)
                return server
    return Server(module, answers_within=answers_within)


def give_back(server: Server) -> None:
    """Have a fork server that answered wait for its next user; where enough of its kind do, it ends."""
    waiting = _waiting.setdefault((os.getpid(), server.module), [])
    if len(waiting) < KEPT:
        waiting.append(server)
    else:
        server.close()


@atexit.register
def end_waiting() -> None:
    """End those of this process that wait."""
    for (process, _), waiting in _waiting.items():
        while waiting and process == os.getpid():
            waiting.pop().close()


class LoneServer:
    """One fork server, had when first needed and replaced once where it went away; an order at a time."""

    def __init__(self, module: str, *, answers_within: float = TEXT_WALL_SECONDS + WALL_SECONDS) -> None:
        self._module, self._answers_within = module, answers_within
        self._turn = threading.Lock()
        self._server: Server | None = None

    def send(self, message: bytes, descriptors: list[int], afresh: Callable[[], object]) -> str:
        """Have one child do what a message says with some files.

        afresh:  puts the files as they were, before each try.
        returns: "" where the child ended well, else how it ended.
        raises:  DoorBrokenError.
        """
        with self._turn:
            for _ in range(2):
                with suppress(OSError, DoorBrokenError):
                    afresh()
                    return self._asked(message, descriptors)
        raise DoorBrokenError("the sandbox for untrusted files does not start: see `python -m pip check`")

    @property
    def process_id(self) -> int | None:
        """Give the id of its process, where there is one."""
        return self._server.process_id if self._server else None

    def close(self) -> None:
        """Leave it to its next user."""
        if self._server is not None:
            give_back(self._server)
        self._server = None

    def _asked(self, message: bytes, descriptors: list[int]) -> str:
        """Keep the server only where it answered: what still is to come would be the next user's answer."""
        server, self._server = self._server or lent(self._module, answers_within=self._answers_within), None
        try:
            ended = server.send(message, descriptors)
        except BaseException:
            server.close()
            raise
        self._server = server
        return ended


def how_it_ended(code: int, *, late: bool) -> str:
    """Give the reason for the import report from a child's exit code; "" for a good end."""
    if late:
        return f"reading took longer than {WALL_SECONDS} s"
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"reading took more than {CPU_SECONDS} s of processor time, or too much memory"
    if code < 0:
        return f"the decoder crashed ({signal.Signals(-code).name}): damaged pixel data"
    return "" if code == 0 else "reading failed: damaged file"


class Sandbox:
    """A few fork servers; `judge` may be called from as many threads at once.

    >>> with Sandbox(processes=2) as door:
    ...     with door.judge([(order, source)]) as [admission]:
    ...         admission.verdict
    """

    def __init__(self, processes: int = 2) -> None:
        self._idle: queue.Queue[Server | None] = queue.Queue()
        for _ in range(processes):
            self._idle.put(None)  # had when first needed

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            server = self._idle.get()
            if server is not None:
                give_back(server)

    @contextmanager
    def judge(self, files: Sequence[tuple[Order, BinaryIO]]) -> Iterator[list[Admission]]:
        """Judge up to BATCH_FILES files in one throw-away child; when it dies, each in a child of its own.

        The outputs are files in memory without a name, gone when the context ends.
        raises: DoorBrokenError where no fork server can be had (never because of a file).
        """
        with ExitStack() as opened:
            papers = [_Papers(order, source, opened) for order, source in files]
            ending = self._ask(papers)
            if not ending:
                yield [paper.admission() for paper in papers]
            elif len(papers) == 1:
                yield [papers[0].refused(ending)]
            else:
                yield [self._alone(paper) for paper in papers]

    def _alone(self, paper: "_Papers") -> Admission:
        paper.blank()
        ending = self._ask([paper])
        return paper.refused(ending) if ending else paper.admission()

    @property
    def confinement(self) -> list[str]:
        """What the kernel grants beyond the limits: "no network", "read-only code"."""
        with self._server() as server:
            return server.confinement

    @property
    def server_ids(self) -> list[int]:
        """Process ids of the fork servers that are idle now: they stay the same while only children die."""
        return sorted(server.process_id for server in list(self._idle.queue) if server is not None)

    def _ask(self, papers: "Sequence[_Papers]") -> str:
        descriptors = [number for paper in papers for number in paper.descriptors]
        for _ in range(2):  # a server that went away is replaced once
            with suppress(OSError, DoorBrokenError), self._server() as server:
                return server.ask([paper.order for paper in papers], descriptors)
        raise DoorBrokenError("the sandbox for untrusted files does not start: see `python -m pip check`")

    @contextmanager
    def _server(self) -> Iterator[Server]:
        server = self._idle.get()
        try:
            if server is None or server.has_ended():
                server = lent()
            yield server
        except BaseException:
            if server is not None:
                server.close()
            server = None
            raise
        finally:
            self._idle.put(server)


class _Papers:
    """One file's order with the four files that travel: source, stored file, picture, verdict."""

    def __init__(self, order: Order, source: BinaryIO, opened: ExitStack) -> None:
        self.order, self._source = order, source
        self._outputs = [opened.enter_context(in_memory(name)) for name in ("stored", "picture", "verdict")]

    @property
    def descriptors(self) -> list[int]:
        return [stream.fileno() for stream in (self._source, *self._outputs)]

    def blank(self) -> None:
        """Forget what a dead child has written."""
        for stream in self._outputs:
            stream.seek(0)
            stream.truncate()

    def admission(self) -> Admission:
        stored, picture, answer = self._outputs
        verdict = _verdict(answer, stored)
        stored.seek(0)
        picture.seek(0)
        return Admission(verdict, stored, picture)

    def refused(self, reason: str) -> Admission:
        self.blank()
        return Admission(rejected(reason), *self._outputs[:2])


def in_memory(name: str) -> BinaryIO:
    """Open a file in memory without a name in any folder."""
    return os.fdopen(os.memfd_create(name), "w+b", buffering=0)


def _verdict(answer: BinaryIO, stored: BinaryIO) -> Verdict:
    """Read a verdict and check it against the file that came with it."""
    answer.seek(0)
    text = answer.read(VERDICT_BYTES + 1)
    try:
        verdict = Verdict.from_json(text)
        consistent = _consistent(verdict, stored.seek(0, 2))
    except (ValueError, TypeError, KeyError):
        return rejected("reading failed: the answer was damaged")
    return verdict if consistent else rejected("reading failed: the answer does not fit the file")


def _consistent(verdict: Verdict, size: int) -> bool:
    facts = verdict.facts
    if facts is None:
        return True
    pixels = facts.frames * facts.frame_bytes
    return facts.frame_bytes > 0 and size == facts.pixel_offset + pixels + pixels % 2
