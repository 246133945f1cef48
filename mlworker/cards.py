"""What a model card says of sites and scanners: where each audit case comes from, and how it went there."""

from collections.abc import Sequence
from uuid import UUID

from annotation.learning.scanners import scanner_name
from annotation.learning.selectors import Labelled
from annotation.projects.models import Case
from annotation.studies.models import ImportedFile


def groups_of(rows: Sequence[Labelled]) -> list[dict[str, str]]:
    """Maker, device and delivery of each case; what is not known is left out.

    De-identification keeps no name of a hospital: the delivery stands for the site.
    """
    ids = [row.case_id for row in rows]
    series = Case.objects.filter(pk__in=ids).values_list(
        "pk", "series_id", "series__manufacturer", "series__manufacturer_model_name"
    )
    known = {pk: (where, maker, device) for pk, where, maker, device in series}
    deliveries = deliveries_of([where for where, _, _ in known.values()])
    return [_group(*known[row.case_id], deliveries) for row in rows]


def deliveries_of(series_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Name the delivery in which each series first came: by its day and its id, never by a file's name."""
    rows = ImportedFile.objects.filter(instance__series__in=series_ids).order_by("-delivery__created_at")
    found = rows.values_list("instance__series", "delivery", "delivery__created_at")
    return {series: f"{made:%Y-%m-%d} {str(delivery)[:8]}" for series, delivery, made in found}


def _group(series: UUID, maker: str, device: str, deliveries: dict[UUID, str]) -> dict[str, str]:
    scanner = scanner_name(maker, device) if maker or device else ""
    told = {"maker": maker, "scanner": scanner, "delivery": deliveries.get(series, "")}
    return {kind: name for kind, name in told.items() if name}
