"""How a person likes to work: kept for every desk, spoken by every page."""

import pytest
from django.test import Client

from tests.factories import a_client, a_user, as_json

pytestmark = pytest.mark.django_db
PATH = "/api/v1/preferences"


def save(client: Client, body: dict[str, object]) -> int:
    return client.put(PATH, as_json(body), content_type="application/json").status_code


def test_preferences_are_kept_for_the_next_desk() -> None:
    person = a_user()
    assert a_client(person).get(PATH).json() == {"language": "en", "keys": {}}
    assert save(a_client(person), {"language": "zh-hans", "keys": {"skip": ["x"]}}) == 200
    assert a_client(person).get(PATH).json() == {"language": "zh-hans", "keys": {"skip": ["x"]}}
    assert a_client(a_user()).get(PATH).json()["language"] == "en"


@pytest.mark.parametrize(
    "body",
    [
        {"language": "tlh", "keys": {}},
        {"language": "en", "keys": {"Skip it": ["x"]}},
        {"language": "en", "keys": {"skip": ["x" * 33]}},
        {"language": "en", "keys": {}, "theme": "light"},
    ],
)
def test_what_is_no_preference_is_refused(body: dict[str, object]) -> None:
    assert save(a_client(a_user()), body) == 422


def test_pages_speak_the_person_s_language_at_once() -> None:
    client = a_client(a_user())
    assert '<html lang="en"' in client.get("/").content.decode()
    save(client, {"language": "zh-hans", "keys": {}})
    assert '<html lang="zh-Hans"' in client.get("/").content.decode()
