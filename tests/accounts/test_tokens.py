"""API tokens: shown once, kept as a hash, refused when they should be."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.scopes import Scope
from accounts.services import set_active, take_password
from accounts.tokens import TokenRefusedError, Wish, make_token
from audit.models import Event
from tests.accounts.test_second_factors import set_up
from tests.factories import PASSWORD, a_client, a_project, a_user

pytestmark = pytest.mark.django_db
READ = [Scope.DICOMWEB_READ]


@pytest.fixture
def owner() -> User:
    cache.clear()
    return a_user(is_admin=True)


def a_token(owner: User, **changes: Any) -> tuple[ApiToken, str]:
    told: dict[str, Any] = {"name": "viewer", "scopes": READ, "days": 1}
    wish = Wish(**(told | changes))
    return make_token(user=owner, wish=wish, now=timezone.now())


def asked_with(key: str, scheme: str = "Bearer") -> int:
    path = f"/api/dicomweb/projects/{a_project().pk}/studies"
    return Client().get(path, headers={"Authorization": f"{scheme} {key}"}).status_code


def test_a_key_is_not_kept(owner: User) -> None:
    token, key = a_token(owner)
    assert asked_with(key) == asked_with(key, "bearer") == 200
    assert key not in str(ApiToken.objects.values().get())
    assert key.removeprefix("fovea_") not in str(list(Event.objects.values()))
    token.refresh_from_db()
    assert token.last_used_at is not None


@pytest.mark.parametrize("key", ["", "fovea_", "fovea_" + "a" * 43, "x" * 5000])
def test_a_key_that_nobody_was_given_opens_nothing(owner: User, key: str) -> None:
    assert asked_with(key) == 401


def test_an_expired_or_revoked_token_is_refused_at_the_next_request(owner: User) -> None:
    expired, key = a_token(owner)
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert asked_with(key) == 401
    revoked, key = a_token(owner)
    tokens.revoke_token(token_id=revoked.pk, by=owner, now=timezone.now())
    assert asked_with(key) == 401


def test_disabling_a_person_revokes_their_tokens_for_good(owner: User) -> None:
    _, key = a_token(owner)
    a_user(is_admin=True)
    set_active(user=owner, active=False)
    assert asked_with(key) == 401
    set_active(user=owner, active=True)
    assert asked_with(key) == 401


def test_a_password_that_is_taken_away_revokes_tokens(owner: User) -> None:
    _, key = a_token(owner)
    a_user(is_admin=True)
    take_password(user=owner)
    assert asked_with(key) == 401


def test_a_role_that_is_taken_away_bites_at_the_next_request(owner: User) -> None:
    _, key = a_token(owner)
    User.objects.filter(pk=owner.pk).update(is_admin=False)
    assert asked_with(key) == 404


def test_wrong_keys_are_counted_and_do_not_lock_right_ones_out(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "FAILURES_A_WINDOW", 2)
    _, key = a_token(owner)
    assert [asked_with("wrong") for _ in range(4)] == [401, 401, 429, 429]
    assert asked_with(key) == 200
    assert Event.objects.filter(action="token.use", outcome="denied").count() == 2


def test_a_token_may_ask_so_often_a_minute(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REQUESTS_A_WINDOW", 2)
    _, key = a_token(owner)
    assert [asked_with(key) for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 65},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"days": 0},
        {"days": 366},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(owner: User, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError):
        a_token(owner, **changes)


def test_whose_second_factor_is_awaited_makes_no_token(owner: User, settings: Settings) -> None:
    """Who signs in by a provider that asked for one gets to the page without one set up here."""
    settings.SECOND_FACTOR_ROLES = ["admin"]
    with pytest.raises(TokenRefusedError, match="Set up a second factor"):
        a_token(owner)
    set_up(owner)
    assert asked_with(a_token(owner)[1]) == 200


def test_nobody_has_more_tokens_than_can_be_overseen(owner: User) -> None:
    for _ in range(tokens.MOST_ALIVE):
        a_token(owner)
    with pytest.raises(TokenRefusedError):
        a_token(owner)


def confirmed_client(owner: User) -> Client:
    """A browser whose owner has just typed the password."""
    client = a_client(owner)
    client.post(reverse("confirm"), {"password": PASSWORD})
    return client


def test_the_page_shows_a_new_key_this_once(owner: User) -> None:
    client = confirmed_client(owner)
    form = {"name": "viewer in room 3", "scope": Scope.DICOMWEB_READ.value, "days": "30"}
    page = client.post(reverse("make-token"), form).content.decode()
    key = page.partition('<p class="once">')[2].partition("</p>")[0]
    assert asked_with(key) == 200
    assert key not in client.get(reverse("tokens")).content.decode()
    event = Event.objects.get(action="token.make")
    assert (event.object_id, event.details["scopes"]) == (str(ApiToken.objects.get().pk), ["dicomweb:read"])


def test_what_is_wrong_with_a_wish_stands_on_the_page(owner: User) -> None:
    answer = confirmed_client(owner).post(reverse("make-token"), {"name": "viewer", "days": "x"})
    assert answer.status_code == 422
    assert "Choose what it is for." in answer.content.decode()


def test_making_a_token_asks_for_the_password_first(owner: User) -> None:
    answer = a_client(owner).post(reverse("make-token"), {"name": "v", "scope": READ, "days": "1"})
    assert answer["Location"].startswith(reverse("confirm"))
    assert not ApiToken.objects.exists()


def test_tokens_are_revoked_by_their_owner_or_an_administrator(owner: User) -> None:
    person, stranger = a_user(), a_user()
    for client, status in ((a_client(stranger), 404), (a_client(person), 302), (a_client(owner), 302)):
        token, _ = a_token(person)
        answer = client.post(reverse("revoke-token", kwargs={"token_id": token.pk}))
        token.refresh_from_db()
        assert (answer.status_code, token.revoked_at is not None) == (status, status == 302)
    assert Event.objects.filter(action="token.revoke").count() == 2
    assert "viewer" in a_client(owner).get(reverse("person", args=[person.pk])).content.decode()
