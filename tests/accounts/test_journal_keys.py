"""The keys of what a reader's browser keeps: one's own, the same every time, of older secrets too."""

import base64

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.selectors import journal_keys
from tests.factories import a_client, a_user

pytestmark = pytest.mark.django_db


def test_a_key_is_the_same_every_time_and_nobody_else_has_it() -> None:
    mine, other = a_user("a.berg"), a_user("b.berg")
    assert journal_keys(mine) == journal_keys(mine) != journal_keys(other)
    assert [len(base64.b64decode(key)) for key in journal_keys(mine)] == [32]


def test_keys_of_a_secret_that_was_replaced_still_open_what_they_sealed(settings: Settings) -> None:
    user, before = a_user("a.berg"), settings.SECRET_KEY
    (old,) = journal_keys(user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret of the system", [before]
    new, *older = journal_keys(user)
    assert (older, new != old) == ([old], True)


def test_only_who_is_signed_in_is_given_keys_and_only_their_own(client: Client) -> None:
    user = a_user("a.berg")
    assert client.get("/api/v1/session").status_code == 401
    answer = a_client(user).get("/api/v1/session")
    assert answer.json()["journal_keys"] == journal_keys(user)
    assert answer["Cache-Control"] == "no-store"
