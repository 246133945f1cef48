"""A fork server for untrusted bytes: imports once, a throw-away child an order. No Django, no secrets."""

import gc
import json
import os
import select
import signal
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from annotation.studies.door import limits
from annotation.studies.door.confinement import address_space, confine_child, confine_server

MESSAGE_BYTES = 64 * 1024


class Work(NamedTuple):
    """What a child does with a message and the files that came with it, and what it may take."""

    run: Callable[[bytes, list[int]], None]
    wall_seconds: int = limits.WALL_SECONDS
    cpu_seconds: int = limits.CPU_SECONDS
    output_bytes: int = limits.OUTPUT_BYTES


def serve(channel: socket.socket, work: Work) -> None:
    """Answer orders, each in a child that lives for it alone, until the other side is gone or silent."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    idle_bytes = address_space()  # before /proc is out of reach
    done = confine_server(Path(__file__).resolve().parents[2])
    gc.collect()
    gc.freeze()
    gc.disable()
    channel.send(json.dumps({"confinement": done}).encode())
    while select.select([channel], [], [], limits.IDLE_SECONDS)[0]:
        text, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, limits.OPEN_FILES)
        if not text:
            return
        channel.send(json.dumps(_in_a_child(text, descriptors, idle_bytes, channel, work)).encode())


def _in_a_child(
    text: bytes, descriptors: list[int], idle_bytes: int, channel: socket.socket, work: Work
) -> dict[str, int | bool]:
    """Fork, wait for the end within the wall limit, and say how the child ended."""
    child = os.fork()
    if child == 0:
        channel.close()
        _run(text, descriptors, idle_bytes, work)
    for descriptor in descriptors:
        os.close(descriptor)
    late = _late(child, work.wall_seconds)
    if late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "late": late}


def _late(child: int, wall_seconds: int) -> bool:
    watched = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([watched], [], [], wall_seconds)
    finally:
        os.close(watched)
    return not ready


def _run(text: bytes, descriptors: list[int], idle_bytes: int, work: Work) -> None:
    """Live the child's whole life; this never returns."""
    code = 1
    try:
        confine_child(idle_bytes, cpu_seconds=work.cpu_seconds, output_bytes=work.output_bytes)
        work.run(text, descriptors)
        code = 0
    finally:
        os._exit(code)
