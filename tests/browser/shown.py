"""One file through the real door onto the real stage, and what pydicom shows of it: without a server."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, Route, ViewportSize
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Order
from tests.browser.reading import Room, urlopen_data
from tests.browser.staging import Staged

# A secure context, in which the browser makes random names.
ORIGIN = "http://localhost:1"
ORDER = Order(key="5f" * 32, source_digest="ab" * 32, pixels_cleared=True)
Greys = NDArray[np.float64]


@dataclass(frozen=True)
class Admitted:
    """A file as it is stored, and as the API would describe it."""

    stored: bytes
    facts: Any

    @property
    def instance(self) -> dict[str, Any]:
        return {
            "sop_instance_uid": self.facts.sop_instance_uid,
            "instance_number": 1,
            "frames": self.facts.frames,
            "attributes": json.loads(json.dumps(self.facts.attributes)),
        }

    def frame(self, number: int) -> bytes:
        start = self.facts.pixel_offset + (number - 1) * self.facts.frame_bytes
        return self.stored[start : start + self.facts.frame_bytes]


def admitted(door: Sandbox, content: bytes) -> Admitted:
    """Let a file in; its pixels were cleared by a human."""
    with TemporaryFile(buffering=0) as source:
        source.write(content)
        source.seek(0)
        with door.judge([(ORDER, source)]) as [admission]:
            assert admission.verdict.facts is not None, admission.verdict
            return Admitted(admission.stored.read(), admission.verdict.facts)


@dataclass
class Screen:
    """A page with the stage alone, whose frames are answered here."""

    stage: Staged
    held: dict[str, Admitted] = field(default_factory=dict)
    count: int = 0

    def open(self, files: list[Admitted], *, at: int = 0, **said: Any) -> None:
        """Show files as one case; said: attributes in place of their own."""
        self.count += 1
        instances = [file.instance for file in files]
        for one in instances:
            one["attributes"] |= said
        self.held |= {file.facts.sop_instance_uid: file for file in files}
        case = {"id": f"case-{self.count}", "instances": instances}
        self.stage.page.evaluate("([view, at]) => bench.open(view, at)", [case, at])
        self.stage.settle()

    def show(self, file: Admitted, frame: int = 1) -> int:
        """Show a frame, one screen pixel for one of the image; returns its number in the file."""
        rows, columns = (int(file.facts.attributes[keyword]) for keyword in ("Rows", "Columns"))
        page = self.stage.page
        page.set_viewport_size(ViewportSize(width=columns, height=rows))
        self.stage.settle()
        self.open([file], at=frame - 1, PixelSpacing=[1, 1])
        return int(page.evaluate("at => bench.frames()[at].address.frame", frame - 1))

    def answer(self, route: Route) -> None:
        parts = route.request.url.split("/")
        body = self.held[parts[-3]].frame(int(parts[-1]))
        route.fulfill(body=body, content_type="application/octet-stream")

    def pixels(self) -> Greys:
        """What the stage has drawn: (row, column, 3)."""
        url = self.stage.page.evaluate("document.querySelector('.surface canvas').toDataURL()")
        with urlopen_data(url) as picture:
            return np.asarray(Image.open(picture).convert("RGB"), dtype=np.float64)


@contextmanager
def screen_on(page: Page, built: Path, *, webgl: bool) -> Iterator[Screen]:
    """Open the stage's page; nothing may go wrong on it."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    screen = Screen(Staged(Room(page, ORIGIN, ""), built))
    page.route("**/frames/*", screen.answer)
    screen.stage.load(webgl=webgl)
    yield screen
    page.close()
    assert errors == []


def pydicom_shows(content: bytes, frame: int) -> Greys:
    """Render a frame as pydicom does, scaled to 0 – 255: (row, column, 3)."""
    source = dcmread(io.BytesIO(content), force=True)
    values = pixel_array(source, index=frame - 1)
    if values.ndim == 3:
        shift = max(0, int(source.BitsStored) - 8)
        return (values >> shift).astype(np.float64)
    if source.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(values, source)
        return np.asarray(coloured >> (8 * (coloured.dtype.itemsize - 1)), dtype=np.float64)
    grey = np.clip(grey_of(values, functional(source, frame)), 0, 255)
    bright = 255 - grey if source.PhotometricInterpretation == "MONOCHROME1" else grey
    return np.repeat(bright[..., None], 3, axis=2)


def functional(source: Dataset, frame: int) -> Dataset:
    """Put what a frame's functional groups say of its values where pydicom looks for it."""
    groups = [source.get("SharedFunctionalGroupsSequence"), source.get("PerFrameFunctionalGroupsSequence")]
    places = [0, frame - 1]
    for sequence, place in zip(groups, places, strict=True):
        for keyword in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            item = sequence[place].get(keyword) if sequence else None
            if item:
                source.update(item[0])
    return source


def grey_of(values: NDArray[Any], source: Dataset) -> Greys:
    """Shades of 0 – 255 by pydicom's tables and windows; without either, over the values that there are."""
    modality = apply_modality_lut(values, source)
    if "VOILUTSequence" in source:
        whitest = 2 ** int(source.VOILUTSequence[0].LUTDescriptor[2]) - 1
        return np.asarray(apply_voi_lut(modality.astype(np.int32), source) / whitest * 255)
    if "BitsStored" not in source:  # float pixels, which windows ask no bits of
        source.BitsStored, source.PixelRepresentation = 16, 0
    shown = apply_voi_lut(modality, source)
    if "WindowWidth" not in source:
        kept = modality[values != source.PixelPaddingValue] if "PixelPaddingValue" in source else modality
        low, high = float(kept.min()), float(kept.max())
        return np.asarray((modality - low) / max(high - low, 1) * 255, dtype=np.float64)
    low, high = output_range(source)
    return np.asarray((shown - low) / (high - low) * 255, dtype=np.float64)


def output_range(source: Dataset) -> tuple[float, float]:
    """Between which values `apply_windowing` puts its output."""
    if source.get("ModalityLUTSequence"):
        return 0.0, float(2 ** int(source.ModalityLUTSequence[0].LUTDescriptor[2]) - 1)
    bits, is_signed = int(source.BitsStored), int(source.PixelRepresentation) == 1
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    slope, intercept = float(source.get("RescaleSlope", 1)), float(source.get("RescaleIntercept", 0))
    return ends[0] * slope + intercept, ends[1] * slope + intercept
