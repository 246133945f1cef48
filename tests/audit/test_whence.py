"""From where: what is audited while a request is answered says it, whoever writes it."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from audit.middleware import Whence
from audit.models import Event
from audit.services import record
from tests import factories
from tests.annotation.api.programs import send

pytestmark = pytest.mark.django_db
HERE = "127.0.0.1"
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PATCH", "", {"name": "Another name"}),
    ("PUT", "/hanging", {"rules": []}),
    ("PUT", "/deidentification", {"options": ["dates"]}),
    ("POST", "/imports", {"files": [{"path": "a.png", "size": 1}]}),
)


def test_every_write_of_a_program_says_from_where() -> None:
    project = factories.a_project()
    me = factories.a_user(is_admin=True)
    client = factories.typed(factories.a_client(me))
    made = send(client, "POST", "projects", {"name": "Begun by program", "template": "chest_xray"})
    assert made.status_code == 201
    for verb, path, body in WRITES:
        assert send(client, verb, f"projects/{project.pk}{path}", body).status_code < 300, path
    whence = set(Event.objects.filter(actor=str(me.pk)).values_list("action", "remote_address"))
    acts = ("deidentification.options", "hanging.save", "import.open", "project.create", "project.rename")
    assert whence == {(act, HERE) for act in acts}


def answered(actor: str, address: str = "") -> Event:
    def view(_request: HttpRequest) -> HttpResponse:
        record(actor=actor, action="x", object_type="y", object_id="z", remote_address=address)
        return HttpResponse()

    Whence(view)(RequestFactory().post("/", REMOTE_ADDR="10.0.0.7"))
    return Event.objects.latest("sequence")


def test_an_address_that_is_given_stays_and_the_system_has_none() -> None:
    assert answered("7").remote_address == "10.0.0.7"
    assert answered("7", "10.0.0.8").remote_address == "10.0.0.8"
    assert answered("system").remote_address == ""


def test_an_address_ends_with_its_request() -> None:
    answered("7")
    record(actor="7", action="x", object_type="y", object_id="z")
    assert Event.objects.latest("sequence").remote_address == ""


def test_an_address_ends_with_a_request_that_breaks() -> None:
    def breaks(_request: HttpRequest) -> HttpResponse:
        raise RuntimeError("on our side")

    with pytest.raises(RuntimeError):
        Whence(breaks)(RequestFactory().post("/", REMOTE_ADDR="10.0.0.7"))
    record(actor="7", action="x", object_type="y", object_id="z")
    assert Event.objects.latest("sequence").remote_address == ""
