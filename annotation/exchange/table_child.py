"""The fork server that reads labels.csv: a throw-away child a table, a line a row. No Django."""

import codecs
import csv
import io
import json
import os
import socket
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.serving import Work, serve

OUTPUT_BYTES: Final = 512 * MEBIBYTE
COLUMNS: Final = ("path", "label", "patient_id", "split")


def read(_text: bytes, descriptors: list[int]) -> None:
    """Read one table; what is wrong with all of it is a line too."""
    source = cast("BinaryIO", os.fdopen(descriptors[0], "rb"))
    with source, os.fdopen(descriptors[1], "r+b") as answer:
        for line in lines_of(source.read()):
            answer.write(json.dumps(line).encode() + b"\n")


def lines_of(content: bytes) -> Iterator[dict[str, str]]:
    """Give what is said of each file, in the table's order, or a problem."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        if "path" not in (reader.fieldnames or ()):
            yield {"problem": "it has no column named path: give path,label[,patient_id][,split]"}
            return
        for record in reader:
            yield {name: (record.get(name) or "").strip() for name in COLUMNS}
    except UnicodeDecodeError:
        yield {"problem": "it is not UTF-8: save it as CSV UTF-8"}
    except csv.Error:
        yield {"problem": "it is damaged: save it as CSV again"}


def main() -> None:
    """Serve on the socket whose descriptor is the last argument."""
    codecs.lookup("utf-8-sig")
    serve(socket.socket(fileno=int(sys.argv[-1])), Work(read, output_bytes=OUTPUT_BYTES))
