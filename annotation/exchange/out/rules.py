"""Decisions about exports: names, UIDs and times that come from content alone. Pure."""

import re
import uuid
from typing import Final

NAMESPACE: Final = uuid.UUID("6f1f7a0c-5d0e-5c2b-9a53-9d7a51b1d2c7")
UID_ROOT: Final = "2.25."
HELD_OUT_SPLIT: Final = "test"
TRAIN, VALIDATION, TEST = "train", "val", "test"


class ExportError(Exception):
    """An export cannot be made as asked; the message says which rule and what to do."""


class DifferenceError(ExportError):
    """What was read back is not what was written; the message names the case and the difference."""

    def __init__(self, case: int, difference: str) -> None:
        super().__init__(f"case {case}: {difference}")


class LeftOutError(Exception):
    """A part of a case cannot be said in this format; the message says why. The rest is exported."""


def uid_of(digest: str, *parts: object) -> str:
    """Make a DICOM UID (PS3.5 B.2) of a snapshot's digest and what it names: the same ones, the same UID."""
    name = "/".join([digest, *map(str, parts)])
    return f"{UID_ROOT}{uuid.uuid5(NAMESPACE, name).int}"


def part_of(split: str, stream: str) -> str:
    """Say what a case's images are for: held out for the test, for validation, or to train on.

    Cases of the audit stream are never trained on: they validate.
    """
    if split == HELD_OUT_SPLIT:
        return TEST
    return VALIDATION if split == "val" or stream != "pool" else TRAIN


def slug(text: str) -> str:
    """Make a file name of words: letters, digits and underscores."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:40] or "x"


def case_name(number: int) -> str:
    """Name a case's files."""
    return f"case_{number:06d}"
