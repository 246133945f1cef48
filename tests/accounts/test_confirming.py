"""The password is asked for again where it was typed too long ago."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.confirming import TYPED_AT
from audit.models import Event
from tests.factories import PASSWORD, a_client, a_user

pytestmark = pytest.mark.django_db


def test_the_right_password_leads_on_and_is_audited() -> None:
    user = a_user()
    client = a_client(user)
    answer = client.post("/confirm", {"password": PASSWORD, "next": "/jobs?state=done"})
    assert (answer.status_code, answer["Location"]) == (302, "/jobs?state=done")
    assert client.session[TYPED_AT] > 0
    event = Event.objects.latest("sequence")
    assert (event.action, event.actor, event.outcome) == ("reauthenticate", str(user.pk), "ok")


def test_a_wrong_password_leads_nowhere_and_is_audited() -> None:
    client = a_client(a_user())
    answer = client.post("/confirm", {"password": "a guess", "next": "/jobs"})
    assert answer.status_code == 200
    assert "The password is wrong" in answer.content.decode()
    assert TYPED_AT not in client.session
    assert Event.objects.latest("sequence").outcome == "denied"


def test_five_wrong_passwords_lock_the_sixth_right_one_out(settings: Settings) -> None:
    client = a_client(a_user())
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/confirm", {"password": "a guess", "next": "/"})
    client.post("/confirm", {"password": PASSWORD, "next": "/"})
    assert TYPED_AT not in client.session


def test_it_never_leads_to_another_site() -> None:
    client = a_client(a_user())
    answer = client.post("/confirm", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_signing_in_counts_as_having_typed_it(client: Client) -> None:
    a_user("a.berg")
    client.post("/sign-in", {"username": "a.berg", "password": PASSWORD})
    assert client.session[TYPED_AT] > 0
