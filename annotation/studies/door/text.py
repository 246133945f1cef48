"""Where a held image shows text: the trusted side of the fork server that looks for it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from types import TracebackType
from typing import BinaryIO

from annotation.studies.door.sandbox import DoorBrokenError, Server, in_memory
from annotation.studies.door.verdict import Shown

LIBRARY = "rapidocr_onnxruntime"
ANSWER_BYTES = 1024 * 1024
MARGIN_PIXELS = 2  # around what was found, in pixels of the preview
MOST_BOXES = 60


@dataclass(frozen=True)
class Box:
    """A rectangle in an image's pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def edges(self) -> list[int]:
        """Give them as a list."""
        return [self.left, self.top, self.right, self.bottom]


def is_there() -> bool:
    """Whether the library that finds text is installed."""
    return find_spec(LIBRARY) is not None


class TextFinder:
    """One fork server with the text detector, started when it is first needed; one file at a time."""

    def __init__(self, *, wanted: bool = True) -> None:
        self._server: Server | None = None
        self._lock = Lock()
        self._missing = not (wanted and is_there())

    def __enter__(self) -> "TextFinder":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    def boxes(self, preview: BinaryIO, shown: Shown) -> list[Box] | None:
        """Find text in a preview, as boxes in the image's pixels.

        returns: None where nobody could look: the library is missing, or the search failed.
        """
        with self._lock:
            if self._missing:
                return None
            try:
                return self._found(preview, shown)
            except (OSError, DoorBrokenError, ValueError, KeyError, TypeError):
                self._close()
                return None

    def _found(self, preview: BinaryIO, shown: Shown) -> list[Box] | None:
        if self._server is None or self._server.has_ended():
            self._server = Server("annotation.studies.door.text_child")
        found: list[Box] = []
        for panel in range(shown.panels):  # a child each, so that each has the whole time
            boxes = self._found_in(self._server, preview, panel, shown)
            if boxes is None:
                return None
            found += boxes
        return joined(found)

    def _found_in(self, server: Server, preview: BinaryIO, panel: int, shown: Shown) -> list[Box] | None:
        preview.seek(0)
        with in_memory("found") as answer:
            message = json.dumps({"panel": panel, "panels": shown.panels}).encode()
            if server.send(message, [preview.fileno(), answer.fileno()]):
                return None
            answer.seek(0)
            return boxes_of(answer.read(ANSWER_BYTES), shown)

    def _close(self) -> None:
        if self._server is not None:
            with suppress(OSError):
                self._server.close()
        self._server = None


def boxes_of(answer: bytes, shown: Shown) -> list[Box]:
    """Read what the child found, in the image's pixels.

    raises: ValueError, KeyError, TypeError where it is no answer (the child is not trusted).
    """
    told = json.loads(answer)
    across, down = shown.columns / float(told["width"]), shown.rows / float(told["height"])
    found = [
        _box([float(edge) for edge in edges], across, down, shown) for edges in told["boxes"][:MOST_BOXES]
    ]
    return [box for box in found if box.left < box.right and box.top < box.bottom]


def _box(edges: Sequence[float], across: float, down: float, shown: Shown) -> Box:
    left, top, right, bottom = edges
    return Box(
        max(0, int((left - MARGIN_PIXELS) * across)),
        max(0, int((top - MARGIN_PIXELS) * down)),
        min(shown.columns, int((right + MARGIN_PIXELS) * across) + 1),
        min(shown.rows, int((bottom + MARGIN_PIXELS) * down) + 1),
    )


def joined(boxes: Sequence[Box]) -> list[Box]:
    """Join boxes that overlap, until none do."""
    left_over, done = list(boxes), []
    while left_over:
        box = left_over.pop()
        other = next((one for one in left_over if _overlap(box, one)), None)
        if other is None:
            done.append(box)
        else:
            left_over.remove(other)
            left_over.append(_around(box, other))
    return sorted(done, key=lambda box: (box.top, box.left))


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
