"""What a person is shown of a file that is not let in, or not yet: a preview, or what would become of it."""

import json
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from pydicom.datadict import dictionary_description, dictionary_has_tag
from pydicom.dataset import Dataset

from annotation.studies.door.comparison import changes, shown
from annotation.studies.door.confidentiality import row_of
from annotation.studies.door.image import Claim
from annotation.studies.door.pixels import Frame
from annotation.studies.door.preview import write_preview
from annotation.studies.door.pseudonyms import Identity, keyed
from annotation.studies.door.values import element_of, words
from annotation.studies.door.verdict import RejectedFileError, Shown

# What makes two held images alike enough to be masked alike: series, maker, model, serial number, station.
LIKENESS = (0x0020000E, 0x00080070, 0x00081090, 0x00181000, 0x00081010)
MOST_CHANGES = 2_000


def likeness_of(parsed: Dataset, claim: Claim, identity: Identity) -> str:
    """Digest what device, series and size an image is of, under the data set's key."""
    found = [element_of(parsed, tag) if tag in parsed else None for tag in LIKENESS]
    texts = [" ".join(words(one.value)) if one is not None else "" for one in found]
    named = "\0".join([*texts, f"{claim.columns} × {claim.rows}"])
    return keyed(identity.key, "likeness", named).hex()


def preview(picture: BinaryIO, first: Frame, rest: Iterator[Frame], frames: int, likeness: str) -> Shown:
    """Decode every frame, so that what cannot be decoded is rejected and not shown to a human in vain.

    raises: RejectedFileError.
    """
    brightest, darkest = first.pixels.copy(), first.pixels.copy()
    count = 1
    for frame in rest:
        if frame.layout != first.layout:
            raise RejectedFileError("the frames differ in size or pixel type")
        np.maximum(brightest, frame.pixels, out=brightest)
        np.minimum(darkest, frame.pixels, out=darkest)
        count += 1
    if count != frames:
        raise RejectedFileError(
            "(0028,0008) Number of Frames is more than there are frames in (7FE0,0010) Pixel Data"
        )
    write_preview(picture, first.pixels, brightest, darkest, count)
    return Shown(first.layout.columns, first.layout.rows, 1 if count == 1 else 3, likeness)


def write_changes(stream: BinaryIO, source: Dataset, kept: Dataset) -> None:
    """Write what would become of each attribute, as JSON: a list of objects, the first MOST_CHANGES."""
    rows: list[dict[str, str | int]] = []
    for change in changes(source, kept):
        if len(rows) == MOST_CHANGES:
            break
        rule = row_of(change.tag)
        rows.append(
            {
                "tag": f"({change.tag >> 16:04X},{change.tag & 0xFFFF:04X})",
                "name": _name(change.tag),
                "deed": change.deed,
                "depth": change.depth,
                "before": shown(change.before, change.tag),
                "after": shown(change.after, change.tag),
                "basic_profile": rule.basic_profile if rule is not None else "",
            }
        )
    stream.write(json.dumps(rows).encode())


def _name(tag: int) -> str:
    if dictionary_has_tag(tag):
        return dictionary_description(tag)
    return "Private attribute" if (tag >> 16) % 2 else "Unknown attribute"
