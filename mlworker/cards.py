"""What a model card says of sites and scanners: where each audit case comes from, and how it went there."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from annotation.learning.scanners import scanner_name
from annotation.learning.selectors import Labelled
from annotation.projects.models import Case
from annotation.studies.models import ImportedFile

AT_A_TIME = 10_000


def groups_of(rows: Sequence[Labelled]) -> list[dict[str, str]]:
    """Maker, device and delivery of each case; what is not known is left out.

    De-identification keeps no name of a hospital: the delivery stands for the site.
    """
    columns = ("pk", "series_id", "series__manufacturer", "series__manufacturer_model_name")
    known = {
        pk: (where, maker, device)
        for part in parts_of([row.case_id for row in rows])
        for pk, where, maker, device in Case.objects.filter(pk__in=part).values_list(*columns)
    }
    deliveries = deliveries_of([where for where, _, _ in known.values()])
    return [_group(*known[row.case_id], deliveries) for row in rows]


def deliveries_of(series_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Name the delivery in which each series first came: by its day and its id, never by a file's name."""
    named: dict[UUID, str] = {}
    for part in parts_of(series_ids):
        rows = ImportedFile.objects.filter(instance__series__in=part).order_by("-delivery__created_at")
        found = rows.values_list("instance__series", "delivery", "delivery__created_at")
        named |= {series: f"{made:%Y-%m-%d} {str(delivery)[:8]}" for series, delivery, made in found}
    return named


def parts_of(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Cut a long list into what one question to the database may name."""
    return (ids[start : start + AT_A_TIME] for start in range(0, len(ids), AT_A_TIME))


def _group(series: UUID, maker: str, device: str, deliveries: dict[UUID, str]) -> dict[str, str]:
    scanner = scanner_name(maker, device) if maker or device else ""
    told = {"maker": maker, "scanner": scanner, "delivery": deliveries.get(series, "")}
    return {kind: name for kind, name in told.items() if name}
