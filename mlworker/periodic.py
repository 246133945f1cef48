"""What is done every so many seconds, from a thread, while a job's body computes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def repeating(act: Callable[[], None], *, every: float, name: str) -> Iterator[None]:
    """Call a function again and again, the first time after one interval; every: in seconds."""
    stop = threading.Event()

    def go_on() -> None:
        try:
            while not stop.wait(every):
                act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=go_on, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=every)
