"""An administrator who reads in a project takes no labels out of it, and brings none in, by any address."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Role, User
from annotation.exchange.labels.services import may_import
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import check_requester
from annotation.exchange.sending.services import may_send
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.services import set_membership
from tests import factories
from tests.annotation.api.programs import API
from tests.annotation.api.world import World, a_world

pytestmark = [pytest.mark.django_db, pytest.mark.authorization]
ADDRESSES = [
    ("POST", API + "projects/{project_id}/exports", {"format": "csv"}),
    ("POST", API + "projects/{project_id}/models/{model_id}/exports", {"format": "model-onnx"}),
    ("GET", API + "projects/{project_id}/exports", None),
    ("GET", API + "projects/{project_id}/snapshots", None),
    ("GET", API + "exports/{export_id}", None),
    ("GET", API + "exports/{export_id}/file", None),
    ("GET", API + "exports/{export_id}/sendings", None),
    ("POST", API + "exports/{export_id}/sendings", {"peer": "{peer_id}", "way": "stow"}),
    ("GET", API + "projects/{project_id}/label-imports", None),
    ("POST", API + "projects/{project_id}/label-imports", None),
    ("GET", API + "projects/{project_id}/label-imports/{label_import_id}", None),
    ("GET", API + "projects/{project_id}/label-imports/{label_import_id}/lines", None),
    ("POST", API + "projects/{project_id}/label-imports/{label_import_id}/agreement", None),
    ("POST", API + "projects/{project_id}/label-imports/{label_import_id}/discard", None),
    ("GET", "/projects/{project_id}/exports/{export_id}/sendings", None),
    ("POST", "/projects/{project_id}/exports/{export_id}/send", {"peer": "{peer_id}", "way": "stow"}),
]


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def project(world: World) -> Project:
    return Project.objects.get(pk=world.ids["project_id"])


@pytest.fixture
def admin(project: Project) -> User:
    """An administrator who reads in the project."""
    made = factories.a_user(is_admin=True)
    set_membership(user=made, project=project, role=Role.READER)
    return made


def status_of(client: Client, world: World, verb: str, path: str, body: Any) -> int:
    told = {name: value.format(**world.ids) for name, value in (body or {}).items()}
    data = factories.as_json(told) if body and path.startswith(API) else ""
    with transaction.atomic():
        response = client.generic(verb, path.format(**world.ids), data, content_type="application/json")
        transaction.set_rollback(True)
    return int(response.status_code)


def test_an_administrator_who_reads_is_refused_where_another_one_is_not(world: World, admin: User) -> None:
    blind, other = (factories.typed(factories.a_client(one)) for one in (admin, world.people["admin"]))
    told = {(verb, path): status_of(blind, world, verb, path, body) for verb, path, body in ADDRESSES}
    assert told == dict.fromkeys(told, 403)
    allowed = {(verb, path): status_of(other, world, verb, path, body) for verb, path, body in ADDRESSES}
    assert [key for key, status in allowed.items() if status in (403, 404, 405)] == []


def test_no_project_is_offered_to_one_who_reads_in_it(world: World, project: Project, admin: User) -> None:
    listed = factories.a_client(admin).get(f"{API}exports/projects").json()
    others = Project.objects.exclude(pk=project.pk)
    assert {one["id"] for one in listed} == {str(one.pk) for one in others} != set()


def test_what_was_asked_for_before_they_read_is_not_made(world: World, project: Project, admin: User) -> None:
    export = Export.objects.get(pk=world.ids["export_id"])
    export.requested_by = world.people["admin"]
    check_requester(export)
    export.requested_by = admin
    with pytest.raises(ForbiddenError):
        check_requester(export)
    assert (may_import(admin, project), may_send(admin, project.pk)) == (False, False)
