"""Encoders by program: weights sent once, labels shared."""

from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import Role
from annotation.learning.services import policy_for
from annotation.projects.models import Project
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.programs import API, send

pytestmark = pytest.mark.django_db
NAME = "imagenet-resnet18"


@pytest.fixture
def staff(project: Project) -> Client:
    cache.clear()
    return factories.typed(factories.a_client(factories.a_member(project, Role.ML_STAFF)))


def weights(name: str = "weights.safetensors", content: bytes = b"not looked into") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_weights_are_sent_once_a_key_and_the_same_file_again_is_the_same_job(
    staff: Client, project: Project
) -> None:
    path, key = f"{API}projects/{project.pk}/encoders", {"Idempotency-Key": "one"}
    first = staff.post(path, {"name": NAME, "weights": weights()}, headers=key)
    again = staff.post(path, {"name": NAME, "weights": weights()}, headers=key)
    assert (first.status_code, again["Idempotent-Replayed"]) == (202, "true")
    another = staff.post(path, {"name": NAME, "weights": weights()})
    assert another.json()["job"] == first.json()["job"]
    job = Job.objects.get(name="add_encoder")
    assert job.arguments["name"] == NAME
    longer = staff.post(path, {"name": NAME, "weights": weights(content=b"other")}, headers=key)
    assert (longer.status_code, longer.json()["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize(
    "other",
    [
        {"name": NAME, "weights": weights(content=b"never looked at")},
        {"name": "imagenet-resnet81", "weights": weights()},
        {"name": NAME, "weights": weights("wiegths.safetensors")},
        {"weights": NAME, "name": weights()},
    ],
    ids=["content", "field", "name", "fields"],
)
def test_another_form_of_the_same_length_is_another_request(
    staff: Client, project: Project, other: dict[str, Any]
) -> None:
    path, key = f"{API}projects/{project.pk}/encoders", {"Idempotency-Key": "two"}
    assert staff.post(path, {"name": NAME, "weights": weights()}, headers=key).status_code == 202
    refused = staff.post(path, other, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")


def test_a_form_that_cannot_be_read_is_a_problem_with_a_key_too(staff: Client, project: Project) -> None:
    refused = staff.post(
        f"{API}projects/{project.pk}/encoders",
        b"no boundary",
        content_type="multipart/form-data",
        headers={"Idempotency-Key": "three"},
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": NAME}, "weights: "),
        ({"name": "no-such", "weights": "ok"}, "name: "),
        ({"name": NAME, "weights": "x.pickle"}, "weights: Only .safetensors files"),
    ],
)
def test_what_is_wrong_with_weights_is_named(
    staff: Client, project: Project, form: dict[str, str], words: str
) -> None:
    named = form.get("weights", "")
    files = {"weights": weights() if named == "ok" else weights(named)} if named else {}
    refused = staff.post(f"{API}projects/{project.pk}/encoders", form | files)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(words)
    assert not Job.objects.filter(name="add_encoder").exists()


def test_weights_above_a_limit_of_memory_arrive_whole(
    staff: Client, project: Project, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    form = {"name": NAME, "weights": weights(content=b"x" * 5000)}
    path, key = f"{API}projects/{project.pk}/encoders", {"Idempotency-Key": "large"}
    assert staff.post(path, form, headers=key).status_code == 202


def test_sharing_is_changed_once_and_audited(staff: Client, project: Project) -> None:
    path = f"projects/{project.pk}/sharing"
    assert staff.get(API + path).json() == {"share_labels": False}
    for _ in range(2):
        assert send(staff, "PUT", path, {"share_labels": True}).json() == {"share_labels": True}
    assert policy_for(project).share_labels is True
    assert Event.objects.filter(action="policy.share_labels").count() == 1
    refused = send(staff, "PUT", path, {"share_labels": "perhaps"})
    assert (refused.status_code, "share_labels" in refused.json()["detail"]) == (422, True)
