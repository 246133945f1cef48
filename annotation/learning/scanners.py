"""Where images come from, as far as de-identification lets it be known: the scanner's maker and model."""

from uuid import UUID

from annotation.projects.models import Case


def scanners_of(project_id: UUID) -> dict[UUID, str]:
    """Name each case's scanner; empty where all cases come from one. For machine work, so not scoped."""
    cases = Case.objects.filter(project=project_id).order_by()
    columns = ("series__manufacturer", "series__manufacturer_model_name")
    if len(cases.values_list(*columns).distinct()[:2]) < 2:
        return {}
    rows = cases.values_list("pk", *columns)
    return {pk: scanner_name(maker, model) for pk, maker, model in rows}


def scanner_name(manufacturer: str, manufacturer_model_name: str) -> str:
    """Name a scanner by its maker and model: what tells sites apart once an image is de-identified."""
    return f"{manufacturer} {manufacturer_model_name}".strip() or "Device not told"
