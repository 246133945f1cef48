"""The fork server that looks for text in previews: a text detector and reader, loaded once, no Django.

The detector is PP-OCRv4's (differentiable binarisation), its reader says how sure it is that it is text.
"""

import json
import math
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import Image, PngImagePlugin  # noqa: F401 - imported before any fork

from annotation.studies.door.limits import TEXT_WALL_SECONDS
from annotation.studies.door.serving import Work, serve

LONG_SIDE = 960  # small letters of small images are enlarged to be found
LARGEST_SCALE = 4
SURE = 0.6
PNG_BYTES = 64 * 1024 * 1024

Find = Callable[[np.ndarray[Any, np.dtype[np.uint8]]], list[list[float]]]


def load() -> Find:
    """Load the models; single-threaded, since threads do not survive a fork."""
    import cv2
    from rapidocr_onnxruntime import RapidOCR

    cv2.setNumThreads(0)
    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def find(panel: np.ndarray[Any, np.dtype[np.uint8]]) -> list[list[float]]:
        """Boxes of text as (left, top, right, bottom) in the panel's pixels."""
        scale = max(1, min(LARGEST_SCALE, round(LONG_SIDE / max(panel.shape[:2]))))
        size = (panel.shape[1] * scale, panel.shape[0] * scale)
        enlarged = np.asarray(Image.fromarray(panel).resize(size, Image.Resampling.BICUBIC).convert("RGB"))
        lines, _ = engine(enlarged, use_det=True, use_cls=False, use_rec=True, text_score=SURE)
        corners = [np.array(line[0], float) / scale for line in lines or []]
        return [[*one.min(axis=0), *one.max(axis=0)] for one in corners]

    return find


def regions(find: Find, source: BinaryIO, panel: int, panels: int) -> dict[str, Any]:
    """Search one (from 0) of the pictures that stand side by side in a preview.

    returns: its size, and the boxes in its own pixels.
    """
    Image.MAX_IMAGE_PIXELS = PNG_BYTES
    with Image.open(source, formats=("PNG",)) as picture:
        pixels = np.asarray(picture.convert("RGB" if picture.mode == "RGB" else "L"))
    width = pixels.shape[1] / panels
    part = pixels[:, round(width * panel) : round(width * (panel + 1))]
    boxes = find(np.ascontiguousarray(part))
    return {"width": width, "height": pixels.shape[0], "boxes": _whole(boxes)}


def _whole(boxes: list[list[float]]) -> list[list[int]]:
    return [
        [math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)]
        for left, top, right, bottom in boxes
    ]


def main() -> None:
    """Serve on the socket whose descriptor is the last argument."""
    find = load()

    def answer(text: bytes, descriptors: list[int]) -> None:
        source = cast("BinaryIO", os.fdopen(descriptors[0], "rb"))
        asked = json.loads(text)
        found = regions(find, source, int(asked["panel"]), int(asked["panels"]))
        with os.fdopen(descriptors[1], "r+b") as written:
            written.write(json.dumps(found).encode())

    serve(socket.socket(fileno=int(sys.argv[-1])), Work(answer, TEXT_WALL_SECONDS))
