"""Words that may pass de-identification: terms that DICOM defines, and names of makers and device families.

A code string (VR CS) can spell a person's name as well as BRAIN can: only what vocabulary.txt lists is kept.
"""

import csv
import re
from pathlib import Path

DESCRIPTIONS_FILE = Path(__file__).with_name("description_words.csv")
VOCABULARY_FILE = Path(__file__).with_name("vocabulary.txt")


def _sections() -> dict[str, list[str]]:
    """Read the vocabulary: [section], then words between commas; # begins a comment."""
    lines = [line for line in VOCABULARY_FILE.read_text().splitlines() if not line.startswith("#")]
    found = [section.split("]") for section in " ".join(lines).split("[")[1:]]
    return {name: [word.strip() for word in words.split(",")] for name, words in found}


def _described() -> dict[tuple[str, ...], str]:
    """Read what descriptions write: words in a row → the one word that is kept for them."""
    with DESCRIPTIONS_FILE.open(newline="") as stream:
        return {tuple(row["written"].split()): row["word"] for row in csv.DictReader(stream)}


_known = _sections()
MODALITIES = frozenset(_known["modalities"])
BODY_PARTS = frozenset(_known["body_parts"])
MAKERS = tuple(_known["makers"])
DEVICE_FAMILIES = frozenset(_known["device_families"])
KERNEL_WORDS = frozenset(_known["kernel_words"])
TERMS = MODALITIES | BODY_PARTS | frozenset(_known["image_types"] + _known["other_terms"])
_DESCRIBED = _described()
_LONGEST = max(map(len, _DESCRIBED))
DESCRIPTION_WORDS = frozenset(_DESCRIBED.values())


def described(text: str) -> list[str]:
    """Words of the vocabulary that a free description means, each once, in its order; all else is dropped.

    Longer expressions come first, so that "without contrast" is no contrast.
    """
    found = re.findall(r"[A-Z0-9]+[+*]?", text.upper())
    kept: dict[str, None] = {}
    place = 0
    while place < len(found):
        length = next((n for n in range(_LONGEST, 0, -1) if tuple(found[place : place + n]) in _DESCRIBED), 0)
        if length:
            kept[_DESCRIBED[tuple(found[place : place + length])]] = None
        place += max(1, length)
    return list(kept)
