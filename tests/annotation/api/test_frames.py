"""Pixels over HTTP."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.studies.models import Instance
from audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def instance(project: Project) -> Instance:
    """A stored instance of three frames, in a case of the project."""
    (case,) = factories.some_cases(project, 1, frames=3)
    return case.series.instances.get()


def address(instance: Instance, n: int, uid: str = "") -> str:
    case = instance.series.cases.get()
    return f"/api/v1/cases/{case.pk}/instances/{uid or instance.sop_instance_uid}/frames/{n}"


def test_a_frame_is_sent_as_it_is_stored_and_never_kept(instance: Instance, reader: User) -> None:
    response = factories.a_client(reader).get(address(instance, 2))
    with default_storage.open(f"instances/{instance.digest[:2]}/{instance.digest}.dcm") as stored:
        content = stored.read()
    start = factories.OFFSET + factories.ROWS * factories.COLUMNS
    assert response.content == content[start : start + factories.ROWS * factories.COLUMNS]
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Cache-Control"] == "no-store"
    assert response["ETag"]


@pytest.mark.parametrize(("n", "uid"), [(0, ""), (4, ""), (1, "1.2.3")])
def test_a_frame_that_is_none_is_not_found(instance: Instance, reader: User, n: int, uid: str) -> None:
    response = factories.a_client(reader).get(address(instance, n, uid))
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_frames_of_a_foreign_case_are_not_found(instance: Instance) -> None:
    stranger = factories.a_reader(factories.a_project())
    assert factories.a_client(stranger).get(address(instance, 1)).status_code == 404


def test_looking_at_a_case_without_a_lease_is_audited_once(instance: Instance, project: Project) -> None:
    staff = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    for n in (1, 2, 3):
        staff.get(address(instance, n))
    assert Event.objects.filter(action="case.view").count() == 1


def test_looking_at_a_case_that_one_was_given_is_audited_by_the_lease(project: Project, reader: User) -> None:
    client = factories.a_client(reader)
    case = client.post(f"/api/v1/projects/{project.pk}/leases").json()["cases"][0]["case"]
    uid = case["instances"][0]["sop_instance_uid"]
    client.get(f"/api/v1/cases/{case['id']}/instances/{uid}/frames/1")
    assert not Event.objects.filter(action="case.view").exists()


def test_a_thumbnail_is_a_png(instance: Instance, reader: User) -> None:
    path = f"/api/v1/cases/{instance.series.cases.get().pk}/thumbnail"
    client = factories.a_client(reader)
    assert client.get(path).status_code == 404
    default_storage.save(f"thumbnails/{instance.digest[:2]}/{instance.digest}.png", ContentFile(b"\x89PNG"))
    response = client.get(path)
    assert (response.content, response["Content-Type"]) == (b"\x89PNG", "image/png")
