"""Clients that ask for one random frame after the other, and one who searches meanwhile."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.dicomweb_peers import JSON, Peer, together

CLIENTS, SEARCHES_A_SECOND = 25, 5
OCTETS = 'multipart/related; type="application/octet-stream"'


@contextmanager
def searching(peer: Peer) -> Iterator[None]:
    """Search again and again as long as the caller measures."""
    over = threading.Event()

    def search() -> None:
        connection = peer.connection()
        while not over.wait(1 / SEARCHES_A_SECOND):
            peer.request(connection, "/studies?limit=1", JSON)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def frame_rate(peer: Peer, seconds: float, *, is_each_of_its_own: bool = False) -> float:
    """Frames a second that CLIENTS get together, each one after the other."""
    rows = json.loads(peer.request(peer.connection(), "/instances?limit=500", JSON))
    paths = [path_of(row) for row in rows]
    counts: list[int] = []
    ends = time.perf_counter() + seconds

    def read(seed: int) -> None:
        connection, chosen, count = peer.connection(), random.Random(seed), 0
        while time.perf_counter() < ends:
            own = {"X-Request-ID": f"{seed}-{count}"} if is_each_of_its_own else {}
            peer.request(connection, f"{chosen.choice(paths)}/frames/1", OCTETS, None, **own)
            count += 1
        counts.append(count)

    together([lambda seed=seed: read(seed) for seed in range(CLIENTS)])  # type: ignore[misc]
    return round(sum(counts) / seconds, 1)


def path_of(row: dict[str, dict[str, list[str]]]) -> str:
    """Where an instance is."""
    study, series, instance = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    return f"/studies/{study}/series/{series}/instances/{instance}"
