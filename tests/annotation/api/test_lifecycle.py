"""The end of data by program: deleted and brought back, erased and certified, originals kept or not."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import KeptAnswer, User
from annotation.exchange.lifecycle.models import Erasure
from annotation.projects.models import Project
from annotation.studies.models import Patient
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.programs import API, at, client, me, refusal, send

__all__ = ["client", "me"]
pytestmark = pytest.mark.django_db


def test_a_case_is_deleted_once_a_key_and_brought_back(client: Client, project: Project) -> None:
    body, key = {"reason": "imported by mistake"}, {"Idempotency-Key": "one"}
    path = at(project, "cases/2/deletion")
    first, again = (send(client, "POST", path, body, **key) for _ in range(2))
    assert (first.status_code, first.json()["what"], first.json()["kind"]) == (201, "Case 2", "study")
    assert again["Idempotent-Replayed"] == "true"
    assert send(client, "POST", path, body).status_code == 404
    assert not project.cases.filter(number=2).exists()
    back = send(client, "POST", f"deletions/{first.json()['id']}/return")
    assert (back.status_code, back.json()["returned_at"] is None) == (200, False)
    assert project.cases.filter(number=2).exists()
    assert refusal(send(client, "POST", f"deletions/{first.json()['id']}/return"))[0] == 422
    assert send(client, "POST", f"deletions/{uuid4()}/return").status_code == 404


def test_a_project_is_deleted_by_its_name_with_a_reason(client: Client, project: Project, me: User) -> None:
    wrong = send(client, "POST", at(project, "deletion"), {"reason": "done", "name": "another"})
    assert refusal(wrong) == (422, "name: it is not the project's, as it is written")
    blank = send(client, "POST", at(project, "deletion"), {"reason": " ", "name": project.name})
    assert refusal(blank)[1].startswith("say why it is deleted")
    none = send(client, "POST", at(project, "deletion"), {"name": project.name})
    assert "reason" in refusal(none)[1]
    early = factories.a_client(me)
    told = {"reason": "done", "name": project.name}
    assert send(early, "POST", at(project, "deletion"), told).json()["code"] == "confirm_first"
    gone = send(client, "POST", at(project, "deletion"), told)
    assert (gone.status_code, gone.json()["kind"], gone.json()["what"]) == (201, "project", project.name)
    assert send(client, "POST", at(project, "deletion"), told).status_code == 404
    assert Event.objects.filter(action="deletion.project").count() == 1


def test_deletions_are_listed_page_by_page_of_one_project_or_all(client: Client, project: Project) -> None:
    for number in (1, 2):
        send(client, "POST", at(project, f"cases/{number}/deletion"), {"reason": "by mistake"})
    other = factories.a_project()
    send(client, "POST", at(other, "deletion"), {"reason": "done", "name": other.name})
    first = client.get(f"{API}deletions?size=2").json()
    rest = client.get(f"{API}deletions?size=2&cursor={first['next']}").json()
    whats = [one["what"] for one in first["deletions"] + rest["deletions"]]
    assert whats == [other.name, "Case 2", "Case 1"]
    own = client.get(f"{API}deletions?project={project.pk}").json()["deletions"]
    assert {one["project"] for one in own} == {str(project.pk)}


def test_an_erasure_is_looked_at_asked_for_once_and_certified(
    client: Client, project: Project, me: User
) -> None:
    patient = Patient.objects.filter(dataset=project.dataset).earliest("pseudonym")
    body = {"pseudonym": patient.pseudonym}
    key = {"Idempotency-Key": "look"}
    seen = send(client, "POST", at(project, "erasures/preview"), body, **key).json()
    assert (seen["cases"], seen["studies"], seen["readings"]) == (1, 1, 0)
    assert send(client, "POST", at(project, "erasures/preview"), body, **key).json()["code"] == "made_before"
    assert KeptAnswer.objects.filter(key="look").count() == 1
    unknown = send(client, "POST", at(project, "erasures/preview"), {"patient_id": "CANARY"})
    assert (unknown.json()["code"], "CANARY" in unknown.json()["detail"]) == ("unknown_patient", False)
    asked = send(client, "POST", at(project, "erasures"), body | {"reason": "asked to"})
    assert (asked.status_code, asked.json()["done_at"]) == (202, None)
    assert patient.pseudonym not in asked.content.decode()
    assert "under way already" in refusal(send(client, "POST", at(project, "erasures"), body))[1]
    erasure = Erasure.objects.get()
    assert Job.objects.get(pk=str(erasure.job_id)).name == "erase"
    path = f"erasures/{erasure.pk}/certificate"
    assert refusal(client.get(API + path))[0] == 404
    Erasure.objects.update(certificate={"removed": {"cases": 1}}, done_at=timezone.now())
    assert client.get(API + path).json()["removed"] == {"cases": 1}
    assert Event.objects.filter(action="erasure.certificate", actor=str(me.pk)).count() == 1
    [line] = client.get(API + at(project, "erasures")).json()["erasures"]
    assert (line["id"], line["reason"]) == (str(erasure.pk), "asked to")


def test_an_erasure_wants_the_password_first(project: Project, me: User) -> None:
    for path in ("erasures", "erasures/preview"):
        early = send(factories.a_client(me), "POST", at(project, path), {"pseudonym": "ANON"})
        assert early.json()["code"] == "confirm_first"
    assert not Erasure.objects.exists()


def test_who_was_looked_for_is_audited_and_not_by_patient_id(
    client: Client, project: Project, me: User
) -> None:
    patient = Patient.objects.filter(dataset=project.dataset).earliest("pseudonym")
    for body in ({"pseudonym": patient.pseudonym}, {"patient_id": "CANARY"}):
        send(client, "POST", at(project, "erasures/preview"), body)
    send(client, "POST", at(project, "erasures"), {"pseudonym": patient.pseudonym, "reason": "asked to"})
    subject = Erasure.objects.get().subject
    found, unknown = Event.objects.filter(action="erasure.preview", actor=str(me.pk)).order_by("sequence")
    assert found.details == {"found": True, "by": "pseudonym", "subject": subject}
    assert unknown.details == {"found": False, "by": "patient_id"}
    assert "CANARY" not in str(list(Event.objects.values()))


def test_options_of_deidentification_are_chosen_by_name(client: Client, project: Project) -> None:
    path = at(project, "deidentification")
    put = send(client, "PUT", path, {"options": ["device", "dates"]}).json()
    assert put["options"] == ["dates", "device"]
    assert client.get(API + path).json() == put
    status, detail = refusal(send(client, "PUT", path, {"options": ["dates", "names"]}))
    assert (status, detail.startswith('options: there is no "names": there are dates')) == (422, True)
    project.dataset.refresh_from_db()
    assert project.dataset.deidentification == ["dates", "device"]
    assert Event.objects.filter(action="deidentification.options").count() == 1


def test_originals_want_the_password_first(project: Project, me: User) -> None:
    early = factories.a_client(me)
    kept = send(early, "PUT", at(project, "originals"), {"keeps_originals": True})
    removed = send(early, "DELETE", at(project, "originals"))
    assert [one.json().get("code") for one in (kept, removed)] == ["confirm_first"] * 2
    project.dataset.refresh_from_db()
    assert project.dataset.keeps_originals is False
    assert not Job.objects.filter(name="remove_originals").exists()


def test_originals_are_kept_or_removed(client: Client, project: Project) -> None:
    path = at(project, "originals")
    assert send(client, "PUT", path, {"keeps_originals": True}).json()["keeps_originals"] is True
    project.dataset.refresh_from_db()
    assert project.dataset.keeps_originals is True
    first, again = (send(client, "DELETE", path) for _ in range(2))
    assert (first.status_code, first.json()["job"]) == (202, again.json()["job"])
    assert Job.objects.filter(name="remove_originals").count() == 1
