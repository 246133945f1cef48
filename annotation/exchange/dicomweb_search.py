"""QIDO-RS: studies, series and instances of a project in the JSON model, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from annotation.exchange.dicomweb_json import DataSet, UnknownAttributeError, attribute, dataset
from annotation.exchange.dicomweb_query import MOST, Query
from annotation.exchange.dicomweb_scope import Scope
from annotation.studies.models import Instance, Series, Study

WITHOUT_LIMIT = 1000
CUT = (
    "The number of results exceeded the maximum supported by the server. Additional results can be requested."
)
MORE = "There are more results than the limit that was asked for: they can be requested with an offset."
STUDY = ("study_instance_uid", "study_date", "study_time", "patient__pseudonym")
SERIES = (
    *("series_instance_uid", "modality", "series_number", "series_date", "series_time"),
    *("body_part_examined", "manufacturer", "manufacturer_model_name"),
)
INSTANCE = (
    *("sop_class_uid", "sop_instance_uid", "instance_number"),
    *("frames", "rows", "columns", "bits_allocated"),
)
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
Row = Mapping[str, Any]
Rows = QuerySet[Any, dict[str, Any]]


@dataclass(frozen=True)
class Within:
    """What the address narrows a search to; "" is all."""

    study: str = ""
    series: str = ""


@dataclass
class Found:
    """A page of results; warnings: what the request's sender should know."""

    datasets: list[DataSet]
    warnings: list[str] = field(default_factory=list)


def search(scope: Scope, query: Query, within: Within, root: str) -> Found:
    """Find one page of what matches.

    root: address of the project's DICOMweb service, without a slash at its end.
    """
    if query.nothing:
        return Found([], query.warnings)
    rows = {"studies": _studies, "series": _series, "instances": _instances}[query.level](
        scope, query, within
    )
    default = MOST if within.study else WITHOUT_LIMIT
    most = min(MOST, default if query.limit is None else query.limit)
    page = list(rows[query.offset : query.offset + most + 1])
    warnings = list(query.warnings)
    if len(page) > most:
        warnings.append(MORE if query.limit == most else CUT)
    described = {"studies": _study_sets, "series": _series_sets, "instances": _instance_sets}[query.level]
    return Found(described(scope, page[:most], query, root), warnings)


def _studies(scope: Scope, query: Query, _within: Within) -> Rows:
    there = Series.objects.filter(scope.holds("pk"), study=OuterRef("pk"))
    found = Study.objects.filter(
        Exists(there), query.conditions, _of_modalities(scope, query, "pk"), dataset=scope.dataset_id
    )
    rows: Rows = found.order_by("study_date", "study_instance_uid").values("pk", *STUDY)
    return rows


def _series(scope: Scope, query: Query, within: Within) -> Rows:
    at = Q(study__study_instance_uid=within.study) if within.study else Q()
    found = scope.series().filter(query.conditions, at, _of_modalities(scope, query, "study_id"))
    order = ("study__study_date", "study__study_instance_uid", "series_number", "series_instance_uid")
    first = Instance.objects.filter(series=OuterRef("pk")).order_by("instance_number", "sop_instance_uid")
    description = Subquery(first.values(text=KT("attributes__SeriesDescription"))[:1])
    above = _named("study__", STUDY)
    rows: Rows = found.order_by(*order).values("pk", *SERIES, series_description=description, **above)
    return rows


def _instances(scope: Scope, query: Query, within: Within) -> Rows:
    there = scope.instances_of(within.study, within.series) if within.study else scope.instances()
    found = there.filter(query.conditions, _of_modalities(scope, query, "series__study_id"))
    order = ("series__series_number", "series_id", "instance_number") if within.study else ()
    more = ("attributes",) if query.include_all or query.include else ()
    above = _named("series__study__", STUDY) | _named("series__", SERIES)
    rows: Rows = found.order_by(*order, "sop_instance_uid").values("pk", *INSTANCE, *more, **above)
    return rows


def _of_modalities(scope: Scope, query: Query, study: str) -> Q:
    """Keep studies that hold one of the modalities asked for; study: its key in the query that asks."""
    if not query.modalities:
        return Q()
    there = Series.objects.filter(study=OuterRef(study), modality__in=query.modalities)
    return Q(Exists(there.filter(scope.holds("pk"))))


def _named(prefix: str, columns: Iterable[str]) -> dict[str, F]:
    """Columns of a table above, under the names that they have there."""
    return {column.replace("patient__pseudonym", "pseudonym"): F(prefix + column) for column in columns}


def _study_sets(scope: Scope, rows: Sequence[Row], _query: Query, root: str) -> list[DataSet]:
    modalities: dict[UUID, list[str]] = defaultdict(list)
    instances: dict[UUID, int] = defaultdict(int)
    series = scope.series().filter(study__in=[row["pk"] for row in rows]).order_by("modality")
    counted = series.values("pk", "study_id", "modality").annotate(count=Count("instances"))
    for study, modality, count in counted.values_list("study_id", "modality", "count"):
        modalities[study].append(modality)
        instances[study] += count
    return [
        dataset(
            _study_values({**row, "pseudonym": row["patient__pseudonym"]}, root)
            | {
                "RetrieveURL": f"{root}/studies/{row['study_instance_uid']}",
                "ModalitiesInStudy": list(dict.fromkeys(modalities[row["pk"]])),
                "NumberOfStudyRelatedSeries": len(modalities[row["pk"]]),
                "NumberOfStudyRelatedInstances": instances[row["pk"]],
            }
        )
        for row in rows
    ]


def _series_sets(_scope: Scope, rows: Sequence[Row], _query: Query, root: str) -> list[DataSet]:
    counted = Instance.objects.filter(series__in=[row["pk"] for row in rows]).order_by()
    counts = dict(counted.values_list("series_id").annotate(Count("pk")))
    return [
        dataset(
            _study_values(row, root)
            | _series_values(row, root)
            | {"NumberOfSeriesRelatedInstances": counts.get(row["pk"], 0)}
        )
        for row in rows
    ]


def _instance_sets(_scope: Scope, rows: Sequence[Row], query: Query, root: str) -> list[DataSet]:
    return [
        dataset(
            _asked_values(row, query)
            | _study_values(row, root)
            | _series_values(row, root)
            | _instance_values(row, root)
        )
        for row in rows
    ]


def _study_values(row: Row, root: str) -> dict[str, object]:
    """Study and patient; what de-identification empties is there and empty."""
    return {
        "StudyDate": row["study_date"],
        "StudyTime": row["study_time"],
        "AccessionNumber": "",
        "InstanceAvailability": "ONLINE",
        "ReferringPhysicianName": "",
        "RetrieveURL": f"{root}/studies/{row['study_instance_uid']}",
        "PatientName": row["pseudonym"],
        "PatientID": row["pseudonym"],
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyInstanceUID": row["study_instance_uid"],
        "StudyID": "",
    }


def _series_values(row: Row, root: str) -> dict[str, object]:
    study, series = row["study_instance_uid"], row["series_instance_uid"]
    values = {
        "Modality": row["modality"],
        "RetrieveURL": f"{root}/studies/{study}/series/{series}",
        "SeriesInstanceUID": series,
        "SeriesNumber": row["series_number"],
    }
    kept = {
        "SeriesDate": row["series_date"],
        "SeriesTime": row["series_time"],
        "BodyPartExamined": row["body_part_examined"],
        "Manufacturer": row["manufacturer"],
        "ManufacturerModelName": row["manufacturer_model_name"],
        "SeriesDescription": row.get("series_description"),
    }
    return values | {keyword: value for keyword, value in kept.items() if value}


def _instance_values(row: Row, root: str) -> dict[str, object]:
    study, series = row["study_instance_uid"], row["series_instance_uid"]
    return {
        "SOPClassUID": row["sop_class_uid"],
        "SOPInstanceUID": row["sop_instance_uid"],
        "RetrieveURL": f"{root}/studies/{study}/series/{series}/instances/{row['sop_instance_uid']}",
        "AvailableTransferSyntaxUID": EXPLICIT_LITTLE_ENDIAN,
        "InstanceNumber": row["instance_number"],
        "NumberOfFrames": row["frames"],
        "Rows": row["rows"],
        "Columns": row["columns"],
        "BitsAllocated": row["bits_allocated"],
    }


def _asked_values(row: Row, query: Query) -> dict[str, object]:
    """Give what includefield asks for, of what is kept for viewing; groups of frames are in the metadata."""
    if "attributes" not in row:
        return {}
    kept = {keyword: value for keyword, value in row["attributes"].items() if _is_known(keyword)}
    if query.include_all:
        return kept
    asked = {one.keyword for one in query.include}
    return {keyword: value for keyword, value in kept.items() if keyword in asked}


def _is_known(keyword: str) -> bool:
    try:
        return bool(attribute(keyword))
    except UnknownAttributeError:
        return False
