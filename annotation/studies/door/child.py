"""The fork server: imports the decoders once, then forks throw-away children. No Django, no secrets."""

import gc
import json
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

# Imported before any fork, so that no child pays for it or needs to open code.
import jpeg_ls  # noqa: F401
import libjpeg.utils  # noqa: F401
import openjpeg.utils  # noqa: F401
import pydicom.config
import pydicom.pixels.decoders
import rle.utils  # noqa: F401
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401

from annotation.studies.door import limits
from annotation.studies.door.admission import admit
from annotation.studies.door.codes import concept
from annotation.studies.door.confidentiality import profile
from annotation.studies.door.confinement import address_space, confine_child, confine_server
from annotation.studies.door.deidentify import table
from annotation.studies.door.verdict import Order, rejected
from annotation.studies.door.warming import warm

MESSAGE_BYTES = 64 * 1024
PER_FILE = 4  # descriptors: source, stored file, picture, verdict


class Work(NamedTuple):
    """What a child does with a message and the files that came with it, and how long it may take."""

    run: Callable[[bytes, list[int]], None]
    wall_seconds: int


def serve(channel: socket.socket, work: Work) -> None:
    """Answer orders until the other side is gone, each in a child that lives for it alone."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    idle_bytes = address_space()  # before /proc is out of reach
    done = confine_server(Path(__file__).resolve().parents[2])
    gc.collect()
    gc.freeze()
    gc.disable()
    channel.send(json.dumps({"confinement": done}).encode())
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, PER_FILE * limits.BATCH_FILES)
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
        confine_child(idle_bytes)
        work.run(text, descriptors)
        code = 0
    finally:
        os._exit(code)


def judge(text: bytes, descriptors: list[int]) -> None:
    """Judge a batch of files."""
    orders = [Order(**fields) for fields in json.loads(text)]
    for place, order in enumerate(orders):
        own = descriptors[place * PER_FILE : (place + 1) * PER_FILE]
        _one_file(order, own, alone=len(orders) == 1)


def _one_file(order: Order, descriptors: list[int], *, alone: bool) -> None:
    """Judge one file; its verdict is written last, so that a verdict stands for complete files.

    raises: MemoryError where files share the child: each is then judged again, alone.
    """
    source, stored, picture, answer = map(_stream, descriptors, ("rb", "r+b", "r+b", "r+b"))
    with source, stored, picture, answer:
        try:
            verdict = admit(order, source, stored, picture)
        except MemoryError:
            if not alone:
                raise
            verdict = rejected("reading needs more memory than one file may take")
        stored.flush()
        picture.flush()
        answer.write(verdict.to_json())


def _stream(descriptor: int, mode: str) -> BinaryIO:
    return cast("BinaryIO", os.fdopen(descriptor, mode))


def prepare() -> None:
    """Read and look up, before the first fork, what every child needs."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE  # values.py checks what is kept
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    concept("DCM", "")
    table()
    profile()
    warm()


def main() -> None:
    """Serve on the socket whose descriptor is the last argument."""
    prepare()
    serve(socket.socket(fileno=int(sys.argv[-1])), Work(judge, limits.WALL_SECONDS))
