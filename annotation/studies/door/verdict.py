"""What is asked of the door for one file, and what it answers: plain values that cross processes."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from annotation.studies.door.options import DEFAULT_OPTIONS

Outcome = Literal["admitted", "pixels", "rejected", "compared"]
OUTCOMES = ("admitted", "pixels", "rejected", "compared")

REASON_LENGTH, UID_LENGTH = 255, 64
# Why an image waits that is suspicious of nothing, where every image is searched for text.
LOOK = "every image of this data set is searched for text"
INNER = ("facts", "reference", "shown")
DEED = re.compile(r"([0-9A-F]{8}|[56]0XX[0-9A-F]{4}|private|unknown) [a-z]{4,12}")


class RejectedFileError(Exception):
    """A file cannot be let in; the message names tag, value class and rule, never a patient's value."""


@dataclass(frozen=True)
class Order:
    """How one file is to be treated.

    key:              the data set's de-identification key, hex (derived: it opens nothing else).
    source_digest:    keyed digest of the file as it came, hex; names what has no UID of its own.
    patient:          pseudonym given by the delivery's table; "" = from (0010,0020) Patient ID.
    modality:         what a plain picture is said to be; DICOM files speak for themselves.
    pixels_cleared:   a human has looked at these pixels and found no person named in them.
    options:          names of the de-identification options that hold (see options.py).
    masks:            (left, top, right, bottom) in pixels, the last two excluded: overwritten in every frame.
    look:             whoever sends it, the pixels are to be searched for text before they are let in.
    compare:          nothing is stored: what would change is written out, tag by tag.
    study:            the study that the file must belong to, by its own or its de-identified UID; "" = any.
    pictures_cleared: the sender vouches for the plain pictures (PNG, JPEG) of this delivery.
    """

    key: str
    source_digest: str
    patient: str = ""
    modality: str = "OT"
    pixels_cleared: bool = False
    pictures_cleared: bool = False
    study: str = ""
    options: Sequence[str] = DEFAULT_OPTIONS
    masks: Sequence[Sequence[int]] = ()
    look: bool = False
    compare: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known about an admitted image, all of it de-identified.

    pixel_offset, frame_bytes: frame n (from 1) is the stored file's bytes
        [pixel_offset + (n - 1) · frame_bytes, + frame_bytes), little endian, planar configuration 0.
    """

    patient: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    body_part_examined: str
    manufacturer: str
    manufacturer_model_name: str
    magnetic_field_strength: str
    convolution_kernel: str
    instance_number: int
    frames: int
    pixel_offset: int
    frame_bytes: int
    attributes: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Reference:
    """What a file is called once it is let in: its class, its own UID de-identified; "" = not known."""

    sop_class_uid: str = ""
    sop_instance_uid: str = ""


@dataclass(frozen=True)
class Shown:
    """What the preview of a held image shows.

    panels:   how many pictures stand side by side in it: the first frame, the brightest and darkest values.
    likeness: keyed digest of the device, the series and the size; "" where the file names none.
    """

    columns: int
    rows: int
    panels: int
    likeness: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of one file; facts are there exactly when it was admitted.

    deeds: how often each deed was done to each attribute of an admitted file (see comparison.py).
    patient: pseudonym of whom the file is about, also where it was not admitted; "" = it could not be told.
    """

    outcome: Outcome
    reason: str = ""
    facts: Facts | None = None
    reference: Reference = Reference()
    deeds: dict[str, int] = field(default_factory=dict)
    shown: Shown | None = None
    patient: str = ""

    def to_json(self) -> bytes:
        """As the child writes it."""
        inner = {name: vars(one) if (one := getattr(self, name)) is not None else None for name in INNER}
        return json.dumps(vars(self) | inner, allow_nan=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Verdict":
        """As the parent reads it.

        raises: ValueError, TypeError or KeyError where the text is not a verdict (the child is not trusted).
        """
        fields = json.loads(text)
        if fields["outcome"] not in OUTCOMES:
            raise ValueError("no such outcome")
        facts = Facts(**fields["facts"]) if fields["facts"] is not None else None
        if (facts is None) == (fields["outcome"] == "admitted"):
            raise ValueError("facts belong to admitted files, and to these only")
        told = fields["reference"]
        named = Reference(*(str(told[name])[:UID_LENGTH] for name in ("sop_class_uid", "sop_instance_uid")))
        shown = Shown(**fields["shown"]) if fields["shown"] is not None else None
        reason = str(fields["reason"])[:REASON_LENGTH]
        patient = str(fields["patient"])[:UID_LENGTH]
        return cls(fields["outcome"], reason, facts, named, _deeds(fields["deeds"]), shown, patient)


def _deeds(told: dict[str, Any]) -> dict[str, int]:
    """Check what a child says that it did: tags, deeds and numbers, and no other word.

    raises: ValueError.
    """
    if not all(map(_is_deed, told)):
        raise ValueError("no such deed")
    return {name: int(number) for name, number in told.items()}


@lru_cache(maxsize=4096)
def _is_deed(name: str) -> bool:
    return DEED.fullmatch(name) is not None


def rejected(reason: str, reference: Reference = Reference(), patient: str = "") -> Verdict:
    """Keep a file out, with a reason that fits the table."""
    return Verdict("rejected", reason[:REASON_LENGTH], reference=reference, patient=patient)
