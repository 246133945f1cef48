"""Writes of programs: once a key, given again only to who may still ask; not too many a minute."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.answers import KEPT, forget_answers
from accounts.confirming import TYPED_AT
from accounts.models import KeptAnswer, User
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token, revoke_all
from annotation.api import repeats
from annotation.projects.models import Project
from annotation.studies.models import Import
from tests import factories
from tests.annotation.api.programs import API, client, me, send
from tests.factories import typed

__all__ = ["client", "me"]
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_the_same_write_under_a_key_changes_nothing_and_is_answered_as_before(client: Client) -> None:
    body: dict[str, list[str]] = {"ids": []}
    key = {"Idempotency-Key": "zero"}
    first, again = (send(client, "POST", "notifications/read", body, **key) for _ in range(2))
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert again["Idempotent-Replayed"] == "true"


def test_a_secret_that_was_shown_once_is_not_kept(client: Client) -> None:
    body, key = {"username": "k.new"}, {"Idempotency-Key": "one"}
    first, again = (send(client, "POST", "people", body, **key) for _ in range(2))
    kept = repeats.SEAL.unsealed(KeptAnswer.objects.get().sealed)
    assert (first.status_code, first.json()["url"] in kept) == (201, False)
    assert (again.status_code, again.json()["code"]) == (409, "made_before")
    other = send(client, "POST", "people", {"username": "l.new"}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert User.objects.filter(username__endswith=".new").count() == 1


def test_only_the_deployment_s_secret_says_which_request_a_kept_row_was(me: User, settings: Settings) -> None:
    def digest(key: str) -> str:
        program = factories.a_client(me)
        send(program, "POST", "notifications/read", {"ids": []}, **{"Idempotency-Key": key})
        return KeptAnswer.objects.get(key=key).digest

    before, settings.SECRET_KEY_FALLBACKS = digest("mine"), [settings.SECRET_KEY]
    settings.SECRET_KEY = "the secret that came after it"
    assert digest("other") != before
    again = send(
        factories.a_client(me), "POST", "notifications/read", {"ids": []}, **{"Idempotency-Key": "mine"}
    )
    assert again["Idempotent-Replayed"] == "true"


def test_a_body_that_is_too_long_is_a_problem_with_a_key_too(client: Client) -> None:
    body = {"ids": ["x" * (5 * 2**20)]}
    refused = send(client, "POST", "notifications/read", body, **{"Idempotency-Key": "big"})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert not KeptAnswer.objects.filter(key="big").exists()


def test_a_key_whose_first_request_broke_off_is_a_conflict(client: Client, me: User) -> None:
    body: dict[str, list[str]] = {"ids": []}
    key = {"Idempotency-Key": "two"}
    send(client, "POST", "notifications/read", body, **key)
    KeptAnswer.objects.update(status=0)
    assert send(client, "POST", "notifications/read", body, **key).json()["code"] == "in_progress"
    KeptAnswer.objects.update(created_at=timezone.now() - repeats.UNANSWERED * 2)
    assert send(client, "POST", "notifications/read", body, **key).json()["code"] == "unknown_outcome"
    long = send(client, "POST", "notifications/read", body, **{"Idempotency-Key": "x" * 65})
    assert long.status_code == 422


def test_a_refusal_frees_its_key(me: User) -> None:
    program, key = factories.a_client(me), {"Idempotency-Key": "three"}
    body = {"username": "k.new"}
    assert send(program, "POST", "people", body, **key).json()["code"] == "confirm_first"
    assert send(typed(program), "POST", "people", body, **key).status_code == 201


def test_an_answer_is_given_again_to_who_may_still_ask_for_it(me: User, project: Project) -> None:
    program, key = typed(factories.a_client(me)), {"Idempotency-Key": "four"}
    subject = factories.a_reader(project)
    path = f"people/{subject.pk}/memberships/{project.pk}"

    def again() -> Any:
        return send(program, "PUT", path, {"role": "reader"}, **key)

    assert again().status_code == 200
    assert again()["Idempotent-Replayed"] == "true"
    session = program.session
    session[TYPED_AT] = 0.0
    session.save()
    assert again().json()["code"] == "confirm_first"
    typed(program)
    User.objects.filter(pk=me.pk).update(is_admin=False)
    assert (again().status_code, again().json()["code"]) == (403, "forbidden")


def test_an_answer_is_given_again_to_no_request_without_the_session_s_token(me: User) -> None:
    program, key = factories.a_client(me, csrf=True), {"Idempotency-Key": "five"}
    token = program.get(f"{API}session").json()["csrf_token"]
    path, body = "notifications/read", {"ids": ["00000000-0000-0000-0000-000000000000"]}
    assert send(program, "POST", path, body, **key, **{"X-CSRFToken": token}).status_code == 200
    refused = send(program, "POST", path, body, **key)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")


def by_token(me: User, scope: Scope = Scope.IMPORT) -> dict[str, str]:
    _, key = make_token(user=me, wish=Wish("sender", [scope.value], 1), now=timezone.now())
    return {"Authorization": f"Bearer {key}"}


def test_a_write_by_token_under_a_key_changes_nothing_the_second_time(me: User, project: Project) -> None:
    program, token, key = Client(), by_token(me), {"Idempotency-Key": "six"}
    path = f"projects/{project.pk}/imports"
    body = {"source_name": "ward-3", "files": [{"path": "x/1.png", "size": 2}]}
    first, again = (send(program, "POST", path, body, **key, **token) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert Import.objects.count() == 1
    other = send(program, "POST", path, body, **key, **by_token(me))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    revoke_all(user=me)
    assert send(program, "POST", path, body, **key, **token).status_code == 401
    assert Import.objects.count() == 1


def test_an_answer_by_token_is_not_given_again_to_who_lost_their_role(me: User, project: Project) -> None:
    program, token, key = Client(), by_token(me), {"Idempotency-Key": "seven"}
    body = {"files": [{"path": "x/1.png", "size": 2}]}
    path = f"projects/{project.pk}/imports"
    assert send(program, "POST", path, body, **key, **token).status_code == 201
    User.objects.filter(pk=me.pk).update(is_admin=False)
    refused = send(program, "POST", path, body, **key, **token)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_a_token_that_a_route_does_not_take_names_nobody_s_answer(me: User) -> None:
    program, key = factories.a_client(me), {"Idempotency-Key": "eight"}
    for _ in range(2):  # the session lets it in, so nothing is kept for the token
        sent = send(program, "POST", "notifications/read", {"ids": []}, **key, **by_token(me))
        assert (sent.status_code, "Idempotent-Replayed" in sent) == (200, False)
    assert not KeptAnswer.objects.exists()


def test_writes_by_token_are_counted_too(me: User, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(repeats, "WRITES_A_WINDOW", 2)
    token, path = by_token(me), f"projects/{project.pk}/imports"
    statuses = [send(Client(), "POST", path, {"files": []}, **token).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]


def test_answers_are_forgotten_after_a_day(me: User) -> None:
    now = timezone.now()
    for key, age in (("old", KEPT * 2), ("new", KEPT / 2)):
        KeptAnswer.objects.create(user=me, key=key, created_at=now - age)
    assert forget_answers(now=now) == 1
    assert KeptAnswer.objects.get().key == "new"


def test_too_many_writes_a_minute_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "WRITES_A_WINDOW", 3)
    statuses = [send(client, "POST", "notifications/read", {"ids": []}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_an_old_password_is_asked_for_first(me: User) -> None:
    answer = send(factories.a_client(me), "POST", "people", {"username": "k.new"})
    assert (answer.status_code, answer.json()["code"]) == (403, "confirm_first")
