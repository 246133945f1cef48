"""Django behind ASGI: each request in one thread, and the threads keep their database connections.

Django's own handler makes a thread for each request, which opens the database anew, and changes between that
thread and the event loop at every middleware that is not asynchronous, and back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import IO, Any, ParamSpec, TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.db import connections
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import set_script_prefix

from config.bodies import Receive, Scope, Send

P = ParamSpec("P")
R = TypeVar("R")
THREADS_KEPT = 16


class Threads:
    """As many threads as are busy at once, of one event loop; the one that was used last is used next."""

    def __init__(self, kept: int = THREADS_KEPT) -> None:
        self._kept = kept
        self._idle: list[ThreadPoolExecutor] = []

    async def run(self, act: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
        """Act in a thread that nobody else has until it is done, even where nobody waits for it any more."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        loop, doing = asyncio.get_running_loop(), thread.submit(act, *given, **named)
        try:
            return await asyncio.wrap_future(doing)
        finally:
            if doing.done():
                self._free(thread)
            else:
                doing.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free, thread))

    def _free(self, thread: ThreadPoolExecutor) -> None:
        """Keep a thread for the next request, or end it with its connections where enough are kept."""
        if len(self._idle) < self._kept:
            self._idle.append(thread)
            return
        thread.submit(connections.close_all)
        thread.shutdown(wait=False)


class Handler(ASGIHandler):
    """An ASGI application that answers with Django's middleware and views."""

    chunk_size = 1024 * 1024

    def __init__(self, threads_kept: int = THREADS_KEPT) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = Threads(threads_kept)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"this is no HTTP request but {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        response = await self._threads.run(self.respond, scope, body)
        if not response.streaming:
            await self.send_response(response, send)
            return
        async with ThreadSensitiveContext():
            await self.stream(response, receive, send)

    def respond(self, scope: Scope, body: IO[bytes]) -> Any:  # noqa: ANN401
        """Give an HttpResponseBase, made in this thread; what is to be streamed is not closed yet."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = type(self)  # noqa: SLF001  Django's own name for who sends the last signal
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = in_a_thread(iter(response))
        if not response.streaming:
            response.close()
        return response

    async def stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send a long answer until it ends or nobody listens any more."""
        sending = asyncio.create_task(self.send_response(response, send))
        listening = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (sending, listening):
                one.cancel()
            ended = await asyncio.gather(sending, listening, return_exceptions=True)
            await sync_to_async(close)(response)
        if isinstance(ended[0], Exception):
            raise ended[0]


def close(response: HttpResponseBase) -> None:
    """Let go of what an answer held, and of the connections of the thread that streamed it."""
    response.close()
    connections.close_all()


async def in_a_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read blocks in one thread, each when the one before is on its way; its connections end with it."""
    thread, loop = ThreadPoolExecutor(1, "stream"), asyncio.get_running_loop()
    context = copy_context()

    def following() -> bytes | None:
        return next(blocks, None)

    try:
        while (block := await loop.run_in_executor(thread, context.run, following)) is not None:
            yield block
    finally:
        thread.submit(connections.close_all)
        thread.shutdown(wait=False)
