"""Whose readings count: where a project tests its new readers, those who passed and those who read before."""

from uuid import UUID

from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.readings.gold_models import Qualification


def unqualified_in(project_id: UUID) -> set[UUID]:
    """Name the readers of a project whose readings do not count yet; for fusing, so not scoped."""
    asked = Qualification.objects.filter(project=project_id).exclude(has_passed=True)
    readers = set(asked.values_list("reader", flat=True))
    is_tested = readers and settings_in(protocol_in_force(project_id)).qualification_cases
    return readers if is_tested else set()
