"""Looking for the patient who is to be erased: audited, and not too often."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from annotation.projects.models import Project
from annotation.studies.models import Patient
from audit.models import Event
from tests import factories
from tests.annotation.api.programs import send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_looked_yet() -> None:
    cache.clear()


def looks() -> list[tuple[bool, str]]:
    events = Event.objects.filter(action="erasure.preview").order_by("sequence")
    return [(one.details["found"], one.details["by"]) for one in events]


def test_a_look_is_audited_whether_somebody_is_found_or_not(admin: Client, project: Project) -> None:
    page = reverse("erasure", kwargs={"project_id": project.pk})
    factories.some_cases(project)
    patient = Patient.objects.filter(dataset=project.dataset).earliest("pseudonym")
    assert admin.get(page).status_code == 200
    assert admin.post(page, {"patient_id": "CANARY"}).status_code == 422
    assert admin.post(page, {"pseudonym": patient.pseudonym}).status_code == 200
    assert looks() == [(False, "patient_id"), (True, "pseudonym")]
    first = Event.objects.filter(action="erasure.preview").earliest("sequence")
    assert (first.object_type, first.object_id) == ("project", str(project.pk))
    assert not any(word in str(list(Event.objects.values())) for word in ("CANARY", patient.pseudonym))


def test_the_page_and_programs_look_so_many_times_a_minute_together(admin: Client, project: Project) -> None:
    page, body = reverse("erasure", kwargs={"project_id": project.pk}), {"patient_id": "NOBODY"}
    path = f"projects/{project.pk}/erasures/preview"
    statuses = [send(admin, "POST", path, body).status_code for _ in range(20)]
    refused = send(admin, "POST", path, body)
    assert (set(statuses), refused.status_code, refused.json()["code"]) == ({422}, 429, "too_many")
    assert refused["Retry-After"] == "60"
    told = admin.post(page, body)
    assert (told.status_code, "wait a minute" in told.content.decode()) == (429, True)
    assert len(looks()) == 20
