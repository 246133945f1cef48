"""Words that may pass de-identification: terms that DICOM defines, and names of makers and device families.

A code string (VR CS) can spell a person's name as well as BRAIN can: only what vocabulary.txt lists is kept.
"""

from pathlib import Path

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.txt")


def _sections() -> dict[str, list[str]]:
    """Read the vocabulary: [section], then words between commas; # begins a comment."""
    lines = [line for line in VOCABULARY_FILE.read_text().splitlines() if not line.startswith("#")]
    found = [section.split("]") for section in " ".join(lines).split("[")[1:]]
    return {name: [word.strip() for word in words.split(",")] for name, words in found}


_known = _sections()
MODALITIES = frozenset(_known["modalities"])
BODY_PARTS = frozenset(_known["body_parts"])
MAKERS = tuple(_known["makers"])
DEVICE_FAMILIES = frozenset(_known["device_families"])
KERNEL_WORDS = frozenset(_known["kernel_words"])
TERMS = MODALITIES | BODY_PARTS | frozenset(_known["image_types"] + _known["other_terms"])
