"""The same thing at once in many processes, each with a database connection of its own."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from django.db import connections

Result = TypeVar("Result")
FORK = multiprocessing.get_context("fork")


def at_once(count: int, body: Callable[[int], Result]) -> list[Result]:
    """Run body(0) … body(count - 1) in processes that start together.

    returns: the results in order; raises AssertionError with the traceback of the first that failed.
    """
    connections.close_all()
    barrier, results = FORK.Barrier(count), FORK.SimpleQueue()
    processes = [FORK.Process(target=run, args=(n, body, barrier, results)) for n in range(count)]
    for process in processes:
        process.start()
    outcomes = dict(results.get() for _ in processes)
    for process in processes:
        process.join()
    failures = [text for _, text in outcomes.values() if text]
    assert not failures, failures[0]
    return [outcomes[n][0] for n in range(count)]


def run(n: int, body: Callable[[int], Any], barrier: Barrier, results: "SimpleQueue[Any]") -> None:
    """Wait for the others, then do it and report what came out."""
    try:
        barrier.wait(120)
        outcome = body(n), ""
    except Exception:  # noqa: BLE001  whatever it is fails the test, in the parent
        outcome = None, traceback.format_exc()
    connections.close_all()
    results.put((n, outcome))
