"""People: administrators only, every change audited."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.lockout import locks_of
from accounts.models import User
from annotation.projects.models import Membership, Project
from audit.models import Event
from tests.factories import PASSWORD, a_reader, a_user, typed

pytestmark = pytest.mark.postgresql


def last_event() -> tuple[str, str]:
    event = Event.objects.latest("sequence")
    return event.action, event.object_id


def act(client: Client, name: str, user: User, **form: str) -> str:
    """Send one of the person page's forms; gives the page that follows."""
    answer = client.post(reverse(name, kwargs={"person_id": user.pk}), form, follow=True)
    return answer.content.decode()


def test_a_name_is_given_once_in_whatever_case(admin: Client) -> None:
    a_user("k.new")
    page = admin.post(reverse("add-person"), {"username": "K.New"}).content.decode()
    assert "Somebody has this name already" in page


def test_people_are_found_by_name_mail_and_project_and_narrowed(admin: Client, project: Project) -> None:
    a_reader(project, "k.reads")
    User.objects.filter(username="k.reads").update(email="kim@example.org")
    a_user("n.nothing")

    def found(**query: str) -> set[str]:
        rows = admin.get(reverse("people"), query).context["rows"]
        return {row.person.username for row in rows}

    assert found(q="K.REA") == found(q="kim@") == found(q="chest") == {"k.reads"}
    assert found(shown="reader") == {"k.reads"}
    assert found(shown="admins") == {"a.berg"}
    assert found(shown="nowhere") == {"n.nothing"}
    assert found(shown="disabled") == found(q="zebra") == set()
    assert found(shown="no such kind") == {"a.berg", "k.reads", "n.nothing"}


def test_the_list_asks_the_database_the_same_number_of_times_for_many(
    admin: Client, project: Project
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            admin.get(reverse("people"))
        return len(asked)

    a_reader(project)
    queries()
    few = queries()
    for _ in range(8):
        a_reader(project)
    assert queries() == few


def test_what_changes_rights_asks_for_the_password_again(
    signed_in: Callable[[User], Client], project: Project
) -> None:
    forgetful, user = signed_in(a_user("f.orgot", is_admin=True)), a_user("k.new")
    for name, form in (
        ("membership", {"project": str(project.pk), "role": "reader"}),
        ("person-admin", {"is_admin": "yes"}),
        ("person-activity", {"active": "no"}),
        ("person-link", {}),
    ):
        assert "Is it still you?" in act(forgetful, name, user, **form)
    user.refresh_from_db()
    assert (user.is_admin, user.is_active, user.has_usable_password()) == (False, True, True)
    assert not Membership.objects.filter(user=user).exists()


def test_rights_of_an_administrator_are_given_and_taken(admin: Client) -> None:
    user = a_user("k.new")
    assert "is an administrator now" in act(admin, "person-admin", user, is_admin="yes")
    assert last_event() == ("person.admin", str(user.pk))
    assert "is no administrator any more" in act(admin, "person-admin", user, is_admin="no")
    assert not User.objects.get(pk=user.pk).is_admin


def test_the_last_administrator_cannot_be_disabled_or_demoted(
    admin: Client, signed_in: Callable[[User], Client]
) -> None:
    """Who acts has no password to sign in with again; another administrator has not chosen one yet."""
    last = a_user("l.ast", is_admin=True)
    User.objects.filter(username="a.berg").update(password="!")
    admin = typed(signed_in(User.objects.get(username="a.berg")))
    waiting = a_user("w.aiting", is_admin=True)
    User.objects.filter(pk=waiting.pk).update(password="!")
    assert "nobody who can sign in" in act(admin, "person-admin", last, is_admin="no")
    assert "nobody who can sign in" in act(admin, "person-activity", last, active="no")
    assert "nobody who can sign in" in act(admin, "person-link", last)
    last.refresh_from_db()
    assert (last.is_admin, last.is_active, last.has_usable_password()) == (True, True, True)
    assert "/invitation/" in act(admin, "person-link", waiting)
    assert "is disabled" in act(admin, "person-activity", waiting, active="no")


def test_every_session_of_a_person_ends_and_they_can_come_back(
    admin: Client, signed_in: Callable[[User], Client]
) -> None:
    user = a_user("k.new")
    browsers = [signed_in(user), signed_in(user)]
    assert "2 open sessions were ended" in act(admin, "person-sessions", user)
    assert [one.get("/").status_code for one in browsers] == [302, 302]
    assert last_event() == ("person.end_sessions", str(user.pk))
    assert signed_in(user).get("/").status_code == 200


def test_an_administrator_unlocks_who_is_locked_out(admin: Client) -> None:
    user, client = a_user("k.new"), Client()
    for _ in range(5):
        client.post(reverse("sign-in"), {"username": "k.new", "password": "not it at all"})
    right = {"username": "k.new", "password": PASSWORD}
    assert client.post(reverse("sign-in"), right).status_code == 429
    assert "Locked" in admin.get(reverse("people")).content.decode()
    assert "127.0.0.1" in admin.get(reverse("person", kwargs={"person_id": user.pk})).content.decode()
    act(admin, "person-unlock", user)
    assert last_event() == ("person.unlock", str(user.pk))
    assert client.post(reverse("sign-in"), right).status_code == 302


def test_a_lock_counts_the_wrong_passwords_of_every_browser_at_an_address(admin: Client) -> None:
    user, wrong = a_user("k.new"), {"username": "k.new", "password": "not it at all"}
    for browser in ("one", "another", "one", "another", "one"):
        assert "Locked" not in admin.get(reverse("people")).content.decode()
        answer = Client().post(reverse("sign-in"), wrong, headers={"User-Agent": browser})
    assert answer.status_code == 429
    (lock,) = locks_of([user], now=timezone.now())["k.new"]
    assert lock.address == "127.0.0.1"
    assert "Locked" in admin.get(reverse("people")).content.decode()


def test_the_rules_of_sign_in_are_said_in_words(admin: Client) -> None:
    page = admin.get(reverse("people")).content.decode()
    assert "After 5 wrong passwords a name is locked for 15 minutes" in page
    assert "at least 15 characters" in page


def test_a_role_is_given_changed_and_taken(admin: Client, project: Project) -> None:
    user = a_user("k.new")
    url = reverse("membership", kwargs={"person_id": user.pk})
    for role in ("reader", "ml_staff"):
        admin.post(url, {"project": str(project.pk), "role": role})
        assert Membership.objects.get(user=user, project=project).role == role
    admin.post(url, {"project": str(project.pk), "role": ""})
    assert not Membership.objects.filter(user=user).exists()
    events = Event.objects.filter(action="membership.set", details__user=str(user.pk))
    assert [one.remote_address for one in events] == ["127.0.0.1"] * 3


def test_a_role_that_there_is_not_changes_nothing(admin: Client, project: Project) -> None:
    user = a_user("k.new")
    url = reverse("membership", kwargs={"person_id": user.pk})
    page = admin.post(url, {"project": str(project.pk), "role": "owner"}, follow=True).content.decode()
    assert "no such role" in page
    assert admin.post(url, {"project": "nonsense", "role": "reader"}).status_code == 404
    assert not Membership.objects.filter(user=user).exists()


def test_disabling_ends_every_session_and_enabling_lets_in_again(
    admin: Client, signed_in: Callable[[User], Client]
) -> None:
    user = a_user("k.new")
    browsers = [signed_in(user), signed_in(user)]
    url = reverse("person-activity", kwargs={"person_id": user.pk})
    page = admin.post(url, {"active": "no"}, follow=True).content.decode()
    assert "2 open sessions were ended" in page
    assert [one.get("/").status_code for one in browsers] == [302, 302]
    assert last_event() == ("person.disable", str(user.pk))
    admin.post(url, {"active": "yes"})
    assert signed_in(User.objects.get(pk=user.pk)).get("/").status_code == 200


def test_nobody_locks_themselves_out(admin: Client) -> None:
    me = User.objects.get(username="a.berg")
    page = admin.post(reverse("person-activity", kwargs={"person_id": me.pk}), {"active": "no"}, follow=True)
    assert "You cannot disable yourself" in page.content.decode()
    assert admin.get("/").status_code == 200


@pytest.mark.parametrize("name", ["people", "add-person", "audit", "new-project"])
@pytest.mark.parametrize("who", ["reader", "ml_staff", "stranger"])
def test_these_pages_are_for_administrators(request: pytest.FixtureRequest, name: str, who: str) -> None:
    assert request.getfixturevalue(who).get(reverse(name)).status_code == 403
