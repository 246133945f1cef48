"""Looking for a patient by Patient ID or pseudonym: audited, and not so often that names can be tried out."""

from typing import Final

from django.db import transaction
from django.http import HttpRequest

from accounts.tokens import counted
from annotation.api.errors import TooOftenError
from annotation.api.permissions import person, record_act
from annotation.exchange.lifecycle.belongings import (
    Belongings,
    Preview,
    UnknownPatientError,
    find,
    preview_of,
    subject_of,
)
from annotation.projects.models import Project

LOOKS_A_WINDOW: Final = 20


def looked_at(request: HttpRequest, project: Project, *, pseudonym: str, patient_id: str) -> Preview:
    """Say what the erasure of a patient would remove; the look is audited, never what was typed.

    raises: UnknownPatientError, TooOftenError.
    """
    if counted(f"patient-looks:{person(request).pk}") > LOOKS_A_WINDOW:
        raise TooOftenError(f"you looked for {LOOKS_A_WINDOW} patients within a minute: wait a minute")
    by = "pseudonym" if pseudonym.strip() else "patient_id"
    try:
        found = find(project.dataset, pseudonym=pseudonym, patient_id=patient_id)
    except UnknownPatientError:
        note(request, project, by, None)
        raise
    note(request, project, by, found)
    return preview_of(found)


@transaction.atomic
def note(request: HttpRequest, project: Project, by: str, found: Belongings | None) -> None:
    """Audit a look; subject: the digest that an erasure names the patient by."""
    details: dict[str, object] = {"found": found is not None, "by": by}
    if found:
        details["subject"] = subject_of(project.dataset_id, found.pseudonym)
    record_act(request, "erasure.preview", "project", project.pk, details)
