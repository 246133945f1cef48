"""People and the audit log: administrators only, every change audited."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from annotation.projects.models import Membership, Project
from audit.models import Event
from tests.factories import PASSWORD, a_user


def last_event() -> tuple[str, str]:
    event = Event.objects.latest("sequence")
    return event.action, event.object_id


def test_a_new_person_gets_a_password_that_works_and_is_shown_once(admin: Client, client: Client) -> None:
    page = admin.post(reverse("add-person"), {"username": "k.new"}).content.decode()
    found = re.search(r'class="once">([\w-]+)<', page)
    assert found
    added = User.objects.get(username="k.new")
    assert (added.is_admin, added.memberships.count()) == (False, 0)
    assert last_event() == ("person.add", str(added.pk))
    answer = client.post(reverse("sign-in"), {"username": "k.new", "password": found[1]})
    assert answer.status_code == 302
    assert found[1] not in str(list(Event.objects.values()))


def test_a_name_is_given_once_in_whatever_case(admin: Client) -> None:
    a_user("k.new")
    page = admin.post(reverse("add-person"), {"username": "K.New"}).content.decode()
    assert "Somebody has this name already" in page


def test_a_role_is_given_changed_and_taken(admin: Client, project: Project) -> None:
    user = a_user("k.new")
    url = reverse("membership", kwargs={"person_id": user.pk})
    for role in ("reader", "ml_staff"):
        admin.post(url, {"project": str(project.pk), "role": role})
        assert Membership.objects.get(user=user, project=project).role == role
    admin.post(url, {"project": str(project.pk), "role": ""})
    assert not Membership.objects.filter(user=user).exists()
    assert Event.objects.filter(action="membership.set", details__user=str(user.pk)).count() == 3


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


def test_a_new_password_ends_sessions_and_the_old_one(
    admin: Client, client: Client, signed_in: Callable[[User], Client]
) -> None:
    user = a_user("k.new")
    browser = signed_in(user)
    admin.post(reverse("person-password", kwargs={"person_id": user.pk}))
    assert browser.get("/").status_code == 302
    assert client.post(reverse("sign-in"), {"username": "k.new", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("name", ["people", "add-person", "audit", "new-project"])
@pytest.mark.parametrize("who", ["reader", "ml_staff", "stranger"])
def test_these_pages_are_for_administrators(request: pytest.FixtureRequest, name: str, who: str) -> None:
    assert request.getfixturevalue(who).get(reverse(name)).status_code == 403


def test_the_log_names_people_and_finds_them(admin: Client, reader: Client, project: Project) -> None:
    reader.get(reverse("ml", kwargs={"project_id": project.pk}))
    page = admin.get(reverse("audit"), {"q": "r.ode"}).content.decode()
    assert "access.denied" in page
    assert "project.create" not in page
    assert "access.denied" in admin.get(reverse("audit"), {"q": "denied"}).content.decode()
    assert "Nothing found" in admin.get(reverse("audit"), {"q": "zebra"}).content.decode()


def test_the_chain_is_verified_on_demand(admin: Client, project: Project) -> None:
    assert "is intact" in admin.get(reverse("audit"), {"verify": "1"}).content.decode()
