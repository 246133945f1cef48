"""What a QIDO-RS request asks for (PS3.18 8.3.4, PS3.4 C.2.2.2), as conditions on the tables."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.db.models import Q

from annotation.exchange.dicomweb_json import Attribute, UnknownAttributeError, attribute, attribute_named
from annotation.studies.door.deidentify import table
from annotation.studies.lookups import Wildcard

Level = Literal["studies", "series", "instances"]
LEVELS: tuple[Level, ...] = ("studies", "series", "instances")

MOST = 5000
UID = re.compile(r"[0-9.]{1,64}")
DATE = re.compile(r"\d{8}")
TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")
OPTIONS = frozenset(
    (
        *("limit", "offset", "includefield", "accept"),
        *("fuzzymatching", "emptyvaluematching", "multiplevaluematching"),
    )
)
# Counted or gathered from lower levels: answered, and not searched by.
GATHERED = frozenset(
    attribute(keyword).tag
    for keyword in (
        *("SOPClassesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
        *("NumberOfSeriesRelatedInstances", "InstanceAvailability", "RetrieveURL"),
    )
)
MODALITIES_IN_STUDY = attribute("ModalitiesInStudy").tag

# Columns by keyword, seen from each level's own table.
COLUMNS: Mapping[Level, Mapping[str, str]] = {
    "studies": {
        "StudyInstanceUID": "study_instance_uid",
        "StudyDate": "study_date",
        "StudyTime": "study_time",
        "PatientID": "patient__pseudonym",
        "PatientName": "patient__pseudonym",
    },
    "series": {
        "SeriesInstanceUID": "series_instance_uid",
        "Modality": "modality",
        "SeriesNumber": "series_number",
        "SeriesDate": "series_date",
        "SeriesTime": "series_time",
        "BodyPartExamined": "body_part_examined",
        "Manufacturer": "manufacturer",
        "ManufacturerModelName": "manufacturer_model_name",
    },
    "instances": {
        "SOPInstanceUID": "sop_instance_uid",
        "SOPClassUID": "sop_class_uid",
        "InstanceNumber": "instance_number",
        "NumberOfFrames": "frames",
        "Rows": "rows",
        "Columns": "columns",
        "BitsAllocated": "bits_allocated",
    },
}
ABOVE: Mapping[Level, Mapping[Level, str]] = {
    "studies": {"studies": ""},
    "series": {"series": "", "studies": "study__"},
    "instances": {"instances": "", "series": "series__", "studies": "series__study__"},
}


class QueryError(ValueError):
    """A request cannot be understood; the message names the rule, never the value."""


@dataclass
class Query:
    """A request to search one level.

    conditions: on the level's own table; modalities: those of which a study must hold one, or none asked for.
    nothing:    a key asks for a value that de-identification never lets in.
    limit:      how many at most, None where the request does not say.
    """

    level: Level
    conditions: Q = field(default_factory=Q)
    modalities: list[str] = field(default_factory=list)
    nothing: bool = False
    limit: int | None = None
    offset: int = 0
    include_all: bool = False
    include: list[Attribute] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_query(level: Level, parameters: Iterable[tuple[str, str]]) -> Query:
    """Read a request's parameters.

    raises: QueryError.
    """
    query = Query(level)
    columns = _columns(level)
    for name, text in parameters:
        if name in OPTIONS:
            _read_option(query, name, text)
        else:
            _read_key(query, name, text, columns)
    return query


def _columns(level: Level) -> dict[str, str]:
    """Columns by tag that a level is searched by: its own and those of the levels above."""
    return {
        attribute(keyword).tag: prefix + column
        for source, prefix in ABOVE[level].items()
        for keyword, column in COLUMNS[source].items()
    }


def _read_option(query: Query, name: str, text: str) -> None:
    if name in ("limit", "offset"):
        if not re.fullmatch(r"\d{1,9}", text):
            raise QueryError(f"{name} is not a whole number")
        setattr(query, name, int(text))
    elif name == "fuzzymatching" and text.lower() == "true":
        query.warnings.append(
            "The fuzzymatching parameter is not supported. Only literal matching has been performed."
        )
    elif name == "includefield":
        for part in text.split(","):
            _read_field(query, part.strip())


def _read_field(query: Query, name: str) -> None:
    if name.lower() == "all":
        query.include_all = True
    elif name:
        query.include.append(_named(name))


def _named(name: str) -> Attribute:
    try:
        return attribute_named(name)
    except UnknownAttributeError as error:
        raise QueryError(str(error)) from error


def _read_key(query: Query, name: str, text: str, columns: Mapping[str, str]) -> None:
    named = _named(name)
    if not text.isprintable():
        raise QueryError(f"{named.keyword} holds a character that no value has")
    if not text.strip("*"):
        return  # universal matching
    if named.tag == MODALITIES_IN_STUDY:
        query.modalities += several(text)
    elif named.tag in columns:
        query.conditions &= condition(named, columns[named.tag], text)
    elif named.tag in GATHERED or is_stored(named):
        query.warnings.append(f"{named.keyword} is not searched by at this level: the key was ignored.")
    else:
        query.nothing = True


def is_stored(named: Attribute) -> bool:
    """Whether de-identification ever lets a value of the attribute in."""
    rule = table().get(int(named.tag, 16))
    return rule is not None and rule.action != "empty"


def condition(named: Attribute, column: str, text: str) -> Q:
    """Match one key.

    raises: QueryError naming the rule.
    """
    match = MATCHES.get(named.vr, _text)
    return match(named.keyword, column, text.strip())


def several(text: str) -> list[str]:
    """Split a list: by commas in an address, by backslashes in DICOM."""
    return [part.strip() for part in re.split(r"[,\\]", text) if part.strip()]


def _uids(keyword: str, column: str, text: str) -> Q:
    found = several(text)
    if not found or not all(UID.fullmatch(one) for one in found):
        raise QueryError(f"{keyword} is no UID or list of UIDs")
    return Q(**{f"{column}__in": found})


def _dates(keyword: str, column: str, text: str) -> Q:
    return _range(keyword, column, text, DATE, str)


def _times(keyword: str, column: str, text: str) -> Q:
    return _range(keyword, column, text, TIME, lambda high: f"{high.ljust(6, '9'):.<7}".ljust(13, "9"))


def _range(keyword: str, column: str, text: str, pattern: re.Pattern[str], last: Callable[[str], str]) -> Q:
    """Match one value or a range; a bound's last part stands for all of it (12 is up to 12:59:59.999999)."""
    low, dash, high = text.partition("-")
    if not (low or high) or not all(pattern.fullmatch(one) for one in (low, high) if one):
        raise QueryError(f"{keyword} is no value or range of DICOM")
    if not dash:
        return Q(**{column: low})
    found = Q(**{f"{column}__gt": ""})
    found &= Q(**{f"{column}__gte": low}) if low else Q()
    return found & (Q(**{f"{column}__lte": last(high)}) if high else Q())


def _number(keyword: str, column: str, text: str) -> Q:
    if not re.fullmatch(r"[+-]?\d{1,9}", text):
        raise QueryError(f"{keyword} is not a whole number")
    return Q(**{column: int(text)})


def _name(keyword: str, column: str, text: str) -> Q:
    """Match names whatever their case: pseudonyms are upper case."""
    return _text(keyword, column, text.upper())


def _text(_keyword: str, column: str, text: str) -> Q:
    lookup = f"{column}__{Wildcard.lookup_name}" if "*" in text or "?" in text else column
    return Q(**{lookup: text})


MATCHES = {"UI": _uids, "DA": _dates, "TM": _times, "PN": _name, "IS": _number, "US": _number}
