"""Second factors: codes of an app and recovery codes, once each; locks, requirements, resets."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import tokens
from accounts.factors import services, totp
from accounts.factors.services import Checked, check_code
from accounts.models import ApiToken, Identity, RecoveryCode, Role, SecondFactors, SecurityKey, User
from accounts.scopes import Scope
from accounts.services import end_sessions
from accounts.tokens import Wish, make_token
from audit.models import Event
from tests.factories import PASSWORD, a_client, a_member, a_project, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
STEP = timedelta(seconds=totp.STEP_SECONDS)


def set_up(user: User) -> pyotp.TOTP:
    """Give somebody an app; its first code belongs to a time long ago."""
    secret = totp.new_secret()
    SecondFactors.objects.create(user=user, totp_sealed=services.SEAL.seal(secret))
    return pyotp.TOTP(secret)


def password(client: Client, user: User) -> str:
    answer = client.post("/sign-in", {"username": user.username, "password": PASSWORD})
    return answer.headers.get("Location", "")


def typed(client: Client, code: str) -> int:
    return client.post("/sign-in/second", {"code": code}).status_code


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_codes_are_those_that_apps_show() -> None:
    secret = totp.new_secret()
    for seconds in (59, 1_111_111_109, 20_000_000_000):
        shown = pyotp.TOTP(secret).at(seconds)
        assert totp.codes_of(secret).generate(seconds).decode() == shown
    parsed = pyotp.parse_uri(totp.codes_of(secret).get_provisioning_uri("a.berg", "Fovea"))
    assert (parsed.secret, parsed.name, parsed.issuer) == (secret, "a.berg", "Fovea")


def test_a_code_is_good_for_its_step_and_one_beside_it() -> None:
    user = a_user()
    app, now = set_up(user), timezone.now()
    for steps, expected in ((-2, Checked.WRONG), (2, Checked.WRONG), (-1, Checked.APP), (1, Checked.APP)):
        assert check_code(user=user, code=app.at(now + steps * STEP), now=now) is expected


def test_a_code_is_good_once_and_an_older_one_never_after_it() -> None:
    user = a_user()
    app, now = set_up(user), timezone.now()
    assert check_code(user=user, code=app.at(now), now=now).is_right
    assert check_code(user=user, code=app.at(now), now=now) is Checked.WRONG
    assert check_code(user=user, code=app.at(now - STEP), now=now) is Checked.WRONG


@pytest.mark.django_db(transaction=True)
def test_of_two_who_type_the_same_code_at_once_one_gets_in() -> None:
    user = a_user()
    app, now = set_up(user), timezone.now()
    gate, found = threading.Barrier(2), list[Checked]()

    def use() -> None:
        gate.wait()
        found.append(check_code(user=User.objects.get(pk=user.pk), code=app.at(now), now=now))
        connections.close_all()

    rivals = [threading.Thread(target=use) for _ in range(2)]
    for one in rivals:
        one.start()
    for one in rivals:
        one.join()
    assert sorted(found) == [Checked.APP, Checked.WRONG]


def test_five_wrong_codes_lock_even_the_right_one_from_wherever_for_fifteen_minutes() -> None:
    user = a_user()
    app, now = set_up(user), timezone.now()
    tried = [check_code(user=user, code="no code at all", now=now) for _ in range(5)]
    assert tried == [Checked.WRONG] * 5
    assert check_code(user=user, code=app.at(now), now=now) is Checked.LOCKED
    later = now + services.LOCKED_FOR + STEP
    assert check_code(user=user, code=app.at(later), now=later) is Checked.APP


def test_a_right_code_forgets_the_wrong_ones_before_it() -> None:
    user = a_user()
    app, now = set_up(user), timezone.now()
    for round_ in range(3):
        then = now + round_ * STEP
        for _ in range(4):
            assert check_code(user=user, code="wrong", now=then) is Checked.WRONG
        assert check_code(user=user, code=app.at(then), now=then) is Checked.APP


def test_the_database_alone_gives_neither_secret_nor_recovery_code() -> None:
    user = a_user()
    app = set_up(user)
    codes = services.codes_of_the_first(user=user)
    kept = str(list(SecondFactors.objects.values())) + str(list(RecoveryCode.objects.values()))
    assert app.secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_a_recovery_code_is_good_once_however_it_is_typed() -> None:
    user, now = a_user(), timezone.now()
    set_up(user)
    first, second, *_ = services.codes_of_the_first(user=user)
    assert check_code(user=user, code=first.upper().replace("-", " "), now=now) is Checked.RECOVERY
    assert check_code(user=user, code=first, now=now) is Checked.WRONG
    assert check_code(user=a_user(), code=second, now=now) is Checked.WRONG


def test_the_password_alone_leads_only_to_the_second_step(client: Client) -> None:
    user = a_user()
    app = set_up(user)
    assert password(client, user) == "/sign-in/second"
    assert not is_in(client)
    assert typed(client, "000000") == 422
    assert not is_in(client)
    assert typed(client, app.now()) == 302
    assert is_in(client)
    events = Event.objects.filter(action="sign_in").order_by("sequence")
    assert [(one.outcome, one.details["second"]) for one in events] == [("denied", "wrong"), ("ok", "app")]


def test_the_second_step_is_over_with_time_a_new_password_or_the_person(
    client: Client, settings: Settings
) -> None:
    user = a_user()
    app = set_up(user)
    password(client, user)
    settings.SECOND_FACTOR_SECONDS = -1
    assert (typed(client, app.now()), is_in(client)) == (302, False)
    settings.SECOND_FACTOR_SECONDS = 600
    password(client, user)
    user.set_password(PASSWORD)
    user.save()
    assert (typed(client, app.now()), is_in(client)) == (302, False)
    password(client, user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert (typed(client, app.now()), is_in(client)) == (302, False)


def test_wrong_codes_are_told_and_locked(client: Client) -> None:
    user = a_user()
    set_up(user)
    password(client, user)
    assert [typed(client, "000000") for _ in range(6)] == [422] * 5 + [429]


def a_fresh_client(user: User) -> Client:
    client = a_client(user)
    client.post("/confirm", {"password": PASSWORD})
    return client


def enrolled(client: Client) -> list[str]:
    """Set an app up on the account's page; gives the recovery codes."""
    page = client.get("/account/app").content.decode()
    found = re.search(r'<p class="mono">([A-Z2-7 ]+)</p>', page)
    assert found
    secret = found[1].replace(" ", "")
    shown = client.post("/account/app", {"code": pyotp.TOTP(secret).now()}).content.decode()
    return re.findall(r"<li>([a-z2-8-]{14})</li>", shown)


def test_an_app_is_set_up_once_a_code_of_it_was_typed_and_other_browsers_are_signed_out() -> None:
    user = a_user()
    other, client = a_client(user), a_fresh_client(user)
    client.get("/account/app")
    assert client.post("/account/app", {"code": "000000"}).status_code == 422
    assert not services.has_factor(user)
    codes = enrolled(client)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert services.has_app(user)
    assert (is_in(client), is_in(other)) == (True, False)
    assert Event.objects.filter(action="account.app", actor=str(user.pk)).count() == 1
    page = client.get("/account").content.decode()
    assert "10 left" in page
    assert codes[0] not in page


def test_without_the_last_factor_there_are_no_recovery_codes() -> None:
    user = a_user()
    client = a_fresh_client(user)
    enrolled(client)
    client.post("/account/app/remove")
    assert not services.has_factor(user)
    assert not user.recovery_codes.exists()


def test_new_recovery_codes_replace_those_before() -> None:
    user, now = a_user(), timezone.now()
    client = a_fresh_client(user)
    old = enrolled(client)
    new = re.findall(r"<li>([a-z2-8-]{14})</li>", client.post("/account/codes").content.decode())
    assert len(new) == 10
    assert check_code(user=user, code=old[0], now=now) is Checked.WRONG
    assert check_code(user=user, code=new[0], now=now) is Checked.RECOVERY


@pytest.mark.parametrize("make", [lambda: a_user(is_admin=True), lambda: a_member(a_project(), Role.READER)])
def test_whose_role_requires_a_second_factor_goes_nowhere_before_it_is_set_up(
    make: Callable[[], User], settings: Settings
) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin", "reader"]
    client = a_fresh_client(make())
    assert client.get("/")["Location"] == "/account"
    assert client.get("/people").status_code == 302
    assert client.get("/api/v1/projects").json()["code"] == "second_factor_missing"
    assert "Set one up to go on" in client.get("/account").content.decode()
    enrolled(client)
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/projects").status_code == 200


def test_of_other_roles_none_is_required(settings: Settings) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin"]
    assert a_client(a_member(a_project(), Role.ML_STAFF)).get("/").status_code == 200


def test_a_token_waits_for_the_second_factor_that_its_owner_must_have(settings: Settings) -> None:
    owner = a_user(is_admin=True)
    made, key = make_token(user=owner, wish=Wish("script", [Scope.EXPORT], 1), now=timezone.now())
    settings.SECOND_FACTOR_ROLES = ["admin"]
    assert tokens.holder_of(key, now=timezone.now(), address="::1") is None
    set_up(owner)
    found = tokens.holder_of(key, now=timezone.now(), address="::1")
    assert found == ApiToken.objects.get(pk=made.pk)


def test_an_administrator_resets_the_factors_of_who_lost_them() -> None:
    user, admin = a_user(), a_fresh_client(a_user(is_admin=True))
    enrolled(a_fresh_client(user))
    SecurityKey.objects.create(user=user, name="k", credential=b"", created_at=timezone.now())
    Identity.objects.create(user=user, issuer="https://provider", subject="s", created_at=timezone.now())
    page = admin.post(f"/people/{user.pk}/factors", follow=True).content.decode()
    assert "is asked for no second factor now" in page
    assert user.identities.exists()
    assert not services.has_factor(user)
    assert not user.recovery_codes.exists()
    event = Event.objects.latest("sequence")
    assert (event.action, event.object_id) == ("person.reset_factors", str(user.pk))
    assert event.details == {"sessions_ended": 1}


def test_an_administrator_does_not_reset_their_own() -> None:
    me = a_user(is_admin=True)
    admin = a_fresh_client(me)
    enrolled(admin)
    admin.post(f"/people/{me.pk}/factors")
    assert services.has_app(me)


def test_an_administrator_unlocks_codes(client: Client) -> None:
    user, now = a_user(), timezone.now()
    app = set_up(user)
    for _ in range(5):
        check_code(user=user, code="wrong", now=now)
    admin = a_client(a_user(is_admin=True))
    assert "Locked after wrong codes" in admin.get(f"/people/{user.pk}").content.decode()
    admin.post(f"/people/{user.pk}/unlock")
    assert check_code(user=user, code=app.at(now), now=now) is Checked.APP


def test_one_s_own_password_is_changed_and_other_browsers_are_signed_out() -> None:
    user = a_user()
    other, client = a_client(user), a_fresh_client(user)
    chosen = "another battery staple"
    form = {"new_password1": chosen, "new_password2": chosen}
    assert client.post("/account/password", {"new_password1": "short"}).status_code == 422
    assert client.post("/account/password", form).status_code == 302
    assert (is_in(client), is_in(other)) == (True, False)
    assert User.objects.get(pk=user.pk).check_password(chosen)


@pytest.mark.parametrize("path", ["account/password", "account/app", "account/key"])
def test_changing_how_one_signs_in_asks_for_the_password_first(path: str) -> None:
    client = a_client(a_user())
    assert client.get(f"/{path}")["Location"].startswith("/confirm")
    assert client.post("/account/app/remove")["Location"].startswith("/confirm")


def test_nobody_removes_another_person_s_key() -> None:
    key = SecurityKey.objects.create(user=a_user(), name="k", credential=b"", created_at=timezone.now())
    assert a_fresh_client(a_user()).post(f"/account/keys/{key.pk}/remove").status_code == 404
    assert SecurityKey.objects.filter(pk=key.pk).exists()


def test_every_session_but_one_ends() -> None:
    user = a_user()
    kept, other = a_client(user), a_client(user)
    assert end_sessions(user=user, but=kept.session.session_key) == 1
    assert (is_in(kept), is_in(other)) == (True, False)
