"""Signing in, out, and being locked out."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.middleware import SEEN
from accounts.services import set_active
from audit.models import Event
from tests.factories import PASSWORD, a_user

pytestmark = pytest.mark.django_db
WRONG = "not the password at all"


def try_password(client: Client, username: str, password: str, **more: str) -> int:
    return client.post(reverse("sign-in"), {"username": username, "password": password, **more}).status_code


def test_the_right_password_leads_home_and_is_audited(client: Client) -> None:
    user = a_user("a.berg")
    answer = client.post(reverse("sign-in"), {"username": "a.berg", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    event = Event.objects.latest("sequence")
    assert (event.action, event.actor, event.outcome) == ("sign_in", str(user.pk), "ok")


def test_next_leads_to_a_page_of_this_site_only(client: Client) -> None:
    a_user("a.berg")
    form = {"username": "a.berg", "password": PASSWORD}
    assert client.post(reverse("sign-in"), form | {"next": "/jobs"})["Location"] == "/jobs"
    client.post(reverse("sign-out"))
    assert client.post(reverse("sign-in"), form | {"next": "https://evil.example/"})["Location"] == "/"
    client.post(reverse("sign-out"))
    assert client.post(reverse("sign-in"), form | {"next": "//evil.example/"})["Location"] == "/"


def test_a_wrong_password_says_no_more_than_that(client: Client) -> None:
    user = a_user("a.berg")
    known = client.post(reverse("sign-in"), {"username": "a.berg", "password": WRONG}).content.decode()
    unknown = client.post(reverse("sign-in"), {"username": "nobody", "password": WRONG}).content.decode()
    assert "The name or the password is wrong" in known
    assert "The name or the password is wrong" in unknown
    events = Event.objects.filter(action="sign_in").order_by("sequence")
    assert [(one.outcome, one.object_id) for one in events] == [("denied", str(user.pk)), ("denied", "")]
    assert "nobody" not in str([one.details for one in events])


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(client: Client) -> None:
    a_user("a.berg")
    codes = [try_password(client, "a.berg", WRONG) for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]
    answer = client.post(reverse("sign-in"), {"username": "a.berg", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Sign-in is locked" in answer.content.decode()


def test_a_forged_address_neither_evades_the_lock_nor_locks_others_out(client: Client) -> None:
    a_user("a.berg")
    a_user("b.other")
    for number in range(5):
        forged = {"X-Forwarded-For": f"10.0.0.{number}"}
        client.post(reverse("sign-in"), {"username": "a.berg", "password": WRONG}, headers=forged)
    assert try_password(client, "a.berg", PASSWORD) == 429
    assert try_password(client, "b.other", PASSWORD) == 302


def test_a_disabled_person_is_out_at_the_next_click_and_cannot_come_back(client: Client) -> None:
    user = a_user("a.berg")
    try_password(client, "a.berg", PASSWORD)
    assert client.get("/").status_code == 200
    assert set_active(user=user, active=False) == 1
    assert client.get("/").status_code == 302
    assert try_password(client, "a.berg", PASSWORD) == 200
    assert client.get("/").status_code == 302


def test_signing_out_needs_a_post(client: Client) -> None:
    a_user("a.berg")
    try_password(client, "a.berg", PASSWORD)
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 302
    assert client.get("/").status_code == 302


def test_a_page_that_asks_by_itself_does_not_keep_a_session_alive(client: Client, settings: Settings) -> None:
    a_user("a.berg")
    try_password(client, "a.berg", PASSWORD)
    client.get("/")
    session = client.session
    session[SEEN] -= settings.SESSION_IDLE_SECONDS - 5
    session.save()
    client.get("/?background=1")
    assert client.session[SEEN] == session[SEEN]
    client.get("/")
    assert client.session[SEEN] > session[SEEN]


def test_an_idle_session_ends_even_while_its_page_asks(client: Client, settings: Settings) -> None:
    a_user("a.berg")
    try_password(client, "a.berg", PASSWORD)
    client.get("/")
    session = client.session
    session[SEEN] -= settings.SESSION_IDLE_SECONDS + 5
    session.save()
    assert client.get("/?background=1").status_code == 302
