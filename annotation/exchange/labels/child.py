"""The fork server that reads files of labels: parsers imported once, a throw-away child a file. No Django."""

import codecs
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final, cast

import pydicom.config
import pydicom.pixels.decoders
from PIL import PngImagePlugin  # noqa: F401 - imported before any fork, as all of these
from pydicom.charset import python_encoding

from annotation.exchange.labels.parsing import voc
from annotation.exchange.labels.parsing.coco import read_coco
from annotation.exchange.labels.parsing.nifti import names_in, read_nifti
from annotation.exchange.labels.parsing.objects import read_object
from annotation.exchange.labels.parsing.table import read_table
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target
from annotation.exchange.out.terms import terms
from annotation.studies.door.serving import Work, serve

READERS: Final[Mapping[str, Callable[[bytes, Order], Iterator[Statement]]]] = {
    "csv": read_table,
    "coco": read_coco,
    "voc": voc.read_voc,
    "dicom": read_object,
    "nifti": read_nifti,
}
NAMES: Final[Mapping[str, Callable[[bytes], dict[str, dict[str, str]]]]] = {
    "voc": voc.names_in,
    "nifti": names_in,
}


def read(text: bytes, descriptors: list[int]) -> None:
    """Read one file; what went wrong is a line too."""
    asked = json.loads(text)
    is_names = asked.pop("is_names")
    order = Order(**asked)
    source = cast("BinaryIO", os.fdopen(descriptors[0], "rb"))
    with source, os.fdopen(descriptors[1], "r+b") as answer:
        content = source.read()
        if is_names:
            answer.write(json.dumps(NAMES[order.format](content)).encode())
            return
        for one in statements_in(content, order):
            answer.write(one.to_json())


def statements_in(content: bytes, order: Order) -> Iterator[Statement]:
    """Give a file's statements, and a problem where it cannot be read to its end."""
    try:
        yield from READERS[order.format](content, order)
    except LabelFileError as error:
        yield Statement(order.path, "problem", Target(), value={"text": str(error)[:400]})
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        text = f"it cannot be read ({type(error).__name__}): it is damaged, or not what it says it is"
        yield Statement(order.path, "problem", Target(), value={"text": text})


def main() -> None:
    """Serve on the socket whose descriptor is the last argument."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    terms()
    for name in {"utf-8-sig", *python_encoding.values()}:  # files of code are out of reach afterwards
        codecs.lookup(name)
    serve(socket.socket(fileno=int(sys.argv[-1])), Work(read))
