"""Which options of the standard's profile hold for a data set, and what each of them says of itself.

PS3.15 Annex E.3. The Basic Profile (DCM 113100) always holds; what an option may keep is in keep_list.csv.
"""

from collections.abc import Collection
from typing import NamedTuple


class Option(NamedTuple):
    """An option as the page explains it and as a stored file states it (code of PS3.16 CID 7050)."""

    name: str
    label: str
    code: str
    meaning: str
    column: str
    explanation: str


PROFILE = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")

OPTIONS = (
    Option(
        "dates",
        "Keep the time between examinations",
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
        "retain_modified_dates",
        "All dates of a patient move back by the same secret number of days (1 to 3650). Intervals and the "
        "time of day stay true; no date is a real one. Without it, dates and times are dropped, and "
        "radioactive decay in PET can no longer be computed.",
    ),
    Option(
        "descriptors",
        "Keep what the series description means",
        "113105",
        "Clean Descriptors Option",
        "clean_descriptors",
        "Of free descriptions, only words of a fixed vocabulary stay (T2, AXIAL, CONTRAST, …), so that "
        "hanging rules can use them. Without it, descriptions are dropped.",
    ),
    Option(
        "patient",
        "Keep age, sex, weight and height",
        "113108",
        "Retain Patient Characteristics Option",
        "retain_patient_characteristics",
        "Age is capped at 90 years. Weight and height are needed for standard uptake values in PET. "
        "Everything else about the patient is dropped all the same.",
    ),
    Option(
        "device",
        "Keep which device it was",
        "113109",
        "Retain Device Identity Option",
        "retain_device_identity",
        "Serial number, station name and similar identifiers stay, where they look like identifiers. They "
        "tell apart scanners of one model, and they can name a hospital.",
    ),
    Option(
        "pixels",
        "Look for text in every image",
        "113101",
        "Clean Pixel Data Option",
        "",
        "Every image is searched for text, not those of suspicious kinds alone; one that shows any waits "
        "in quarantine. It takes about a second of processor time an image.",
    ),
)
DEFAULT_OPTIONS = ("dates", "descriptors")
_BY_NAME = {option.name: option for option in OPTIONS}


def known_options(names: object) -> tuple[str, ...]:
    """Options as stored, in the order of the list; what is no option is dropped."""
    chosen = names if isinstance(names, list | tuple | set | frozenset) else ()
    return tuple(option.name for option in OPTIONS if option.name in chosen)


def method_codes(options: Collection[str], *, masked: bool) -> list[tuple[str, str]]:
    """Codes and meanings of what was performed on a file, and of nothing that was not."""
    kept = [(one.code, one.meaning) for one in OPTIONS if one.name in options and one.name != "pixels"]
    return sorted([PROFILE, *kept, *([CLEAN_PIXELS] if masked else [])])


def column_of(name: str) -> str:
    """Name the column of the standard's table that an option stands for."""
    return _BY_NAME[name].column
