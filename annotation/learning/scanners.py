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
    return {pk: f"{maker} {model}".strip() or "unknown" for pk, maker, model in rows}
