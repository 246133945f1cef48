"""The fork server that judges files: decoders imported once, a child a batch. No Django, no secrets."""

import json
import os
import socket
import sys
from typing import BinaryIO, cast

# Imported before any fork, so that no child pays for it or needs to open code.
import jpeg_ls  # noqa: F401
import libjpeg.utils  # noqa: F401
import openjpeg.utils  # noqa: F401
import pydicom.config
import pydicom.pixels.decoders
import rle.utils  # noqa: F401
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401

from annotation.studies.door.admission import admit
from annotation.studies.door.codes import concept
from annotation.studies.door.confidentiality import profile
from annotation.studies.door.deidentify import table
from annotation.studies.door.serving import Work, serve
from annotation.studies.door.verdict import Order, rejected
from annotation.studies.door.warming import warm

PER_FILE = 4  # descriptors: source, stored file, picture, verdict


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
    serve(socket.socket(fileno=int(sys.argv[-1])), Work(judge))
