"""The trusted side: hands files of labels to a fork server, and checks every statement that comes back."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import BinaryIO, Final

from pydantic import TypeAdapter, ValidationError

from annotation.exchange.labels.statements import LINE, LabelFileError, Order, Statement
from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.sandbox import LoneServer, in_memory

CHILD: Final = "annotation.exchange.labels.child"
LINE_BYTES: Final = 128 * MEBIBYTE
NAMES_BYTES: Final = MEBIBYTE
NAMES: Final[TypeAdapter[dict[str, dict[str, str]]]] = TypeAdapter(dict[str, dict[str, str]])


class LabelDoor:
    """One fork server that reads labels, started when it is first needed; one file at a time."""

    def __init__(self) -> None:
        self._server = LoneServer(CHILD)

    def __enter__(self) -> "LabelDoor":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.close()

    def statements(self, order: Order, source: BinaryIO) -> list[Statement]:
        """Read one file.

        raises: LabelFileError where the child did not live to its end, DoorBrokenError.
        """
        with in_memory("statements") as answer:
            self._ask(order, source, answer, is_names=False)
            return list(lines_in(answer))

    def names(self, order: Order, source: BinaryIO) -> dict[str, dict[str, str]]:
        """Read a file of names: what numbers stand for, by question.

        raises: LabelFileError, DoorBrokenError.
        """
        with in_memory("names") as answer:
            self._ask(order, source, answer, is_names=True)
            answer.seek(0)
            try:
                return NAMES.validate_json(answer.read(NAMES_BYTES))
            except ValidationError:
                raise LabelFileError(f"{order.path} does not say what numbers stand for") from None

    def _ask(self, order: Order, source: BinaryIO, answer: BinaryIO, *, is_names: bool) -> None:
        message = json.dumps(asdict(order) | {"is_names": is_names}).encode()
        ended = self._server.send(message, [source.fileno(), answer.fileno()], lambda: source.seek(0))
        if ended:
            raise LabelFileError(f"{order.path}: {ended}")


def lines_in(answer: BinaryIO) -> Iterator[Statement]:
    """Read what a child wrote; it is not trusted.

    raises: LabelFileError.
    """
    answer.seek(0)
    with open(answer.fileno(), "rb", closefd=False) as stream:
        while line := stream.readline(LINE_BYTES):
            try:
                yield LINE.validate_json(line)
            except ValidationError:
                raise LabelFileError("reading failed: the answer was damaged") from None
