"""What may stay of a patient's characteristics and of a device's identity, each bound to what it can be."""

import re

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.values import Cleaner, element_of, words

OLDEST_YEARS = 90  # who is older could be told by it: 45 CFR 164.514(b)(2)(i)(C)
AGE = re.compile(r"(\d{3})([DWMY])")
# A serial number or a station's name: short, of one piece, with a digit; never a word alone.
DEVICE_ID = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9_./:-]{0,23}")
SIZE_METRES, WEIGHT_KG = (0.2, 2.5), (0.3, 400.0)


def _text(source: Dataset, tag: int) -> str:
    element = element_of(source, tag)
    return " ".join(words(element.value)) if element is not None else ""


def _age(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    found = AGE.fullmatch(_text(source, tag).upper())
    if found is None:
        return None
    years = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[found[2]]
    kept = f"{OLDEST_YEARS:03d}Y" if int(found[1]) / years >= OLDEST_YEARS else found[0]
    return DataElement(tag, "AS", kept)


def _sex(source: Dataset, tag: int, _: Identity) -> DataElement:
    """M, F or O; anything else is emptied, since the attribute must be there (type 2)."""
    text = _text(source, tag).upper()
    return DataElement(tag, "CS", text if text in ("M", "F", "O") else "")


def _between(least: float, most: float) -> Cleaner:
    def cleaned(source: Dataset, tag: int, _: Identity) -> DataElement | None:
        text = _text(source, tag)
        fits = re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) is not None and least <= float(text) <= most
        return DataElement(tag, "DS", text) if fits else None

    return cleaned


def _device_id(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    text = _text(source, tag)
    return DataElement(tag, dictionary_VR(tag), text) if DEVICE_ID.fullmatch(text) else None


CLEANERS: dict[str, Cleaner] = {
    "age": _age,
    "sex": _sex,
    "size": _between(*SIZE_METRES),
    "weight": _between(*WEIGHT_KG),
    "device_id": _device_id,
}
