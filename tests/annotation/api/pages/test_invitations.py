"""Links with which people choose their own password: once, for a while, mailed or handed over."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.invitations import InvitationOverError, accept, invite
from accounts.models import Identity, Invitation, User
from accounts.services import set_active
from audit.models import Event
from tests.factories import PASSWORD, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
CHOSEN = "a password of my own choice"


def link_in(text: str) -> str:
    """Find the path of the link in a page or a mail."""
    found = re.search(r"http://\S+?(/invitation/[\w-]+)", text)
    assert found
    return found[1]


def choose(client: Client, link: str, password: str = CHOSEN) -> int:
    form = {"new_password1": password, "new_password2": password}
    return client.post(link, form).status_code


def sign_in(client: Client, name: str, password: str) -> int:
    return client.post(reverse("sign-in"), {"username": name, "password": password}).status_code


def a_link(user: User) -> str:
    _, key = invite(user=user, by=a_user(is_admin=True), now=timezone.now())
    return reverse("invitation", kwargs={"key": key})


def test_a_new_person_chooses_a_password_by_a_link_that_is_shown_once(admin: Client, client: Client) -> None:
    page = admin.post(reverse("add-person"), {"username": "k.new"}).content.decode()
    link, added = link_in(page), User.objects.get(username="k.new")
    assert (added.is_admin, added.memberships.count(), added.has_usable_password()) == (False, 0, False)
    assert link not in admin.get(reverse("person", kwargs={"person_id": added.pk})).content.decode()
    assert client.get(link).status_code == 200
    assert choose(client, link) == 302
    assert sign_in(client, "k.new", CHOSEN) == 302
    actions = list(Event.objects.order_by("sequence").values_list("action", flat=True))
    assert actions == ["person.add", "person.invite", "invitation.accept", "sign_in"]
    key = link.rpartition("/")[2]
    assert key not in str(list(Event.objects.values())) + str(list(Invitation.objects.values()))


def test_a_link_works_once(client: Client) -> None:
    link = a_link(a_user())
    assert choose(client, link) == 302
    assert choose(client, link, CHOSEN + " again") == client.get(link).status_code == 410


def test_a_weak_password_is_refused_and_the_link_stays(client: Client) -> None:
    link = a_link(a_user("k.new"))
    assert choose(client, link, "short") == choose(client, link, "1q2w3e4r5t6y7u8i9o0p") == 422
    assert choose(client, link) == 302


def test_a_link_ends_with_time_with_the_next_one_and_with_its_person(client: Client) -> None:
    user = a_user()
    replaced, expired = a_link(user), a_link(user)
    assert client.get(replaced).status_code == 410
    Invitation.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert choose(client, expired) == 410
    last = a_link(user)
    set_active(user=user, active=False)
    assert choose(client, last) == 410
    assert client.get("/invitation/never-made").status_code == 410


@pytest.mark.django_db(transaction=True)
def test_a_race_for_a_link_has_one_winner() -> None:
    user = a_user()
    _, key = invite(user=user, by=user, now=timezone.now())
    gate, won = threading.Barrier(2), list[int]()

    def use(number: int) -> None:
        gate.wait()
        try:
            accept(key=key, password=f"{CHOSEN} {number}", now=timezone.now())
            won.append(number)
        except InvitationOverError:
            pass
        connections.close_all()

    rivals = [threading.Thread(target=use, args=(number,)) for number in range(2)]
    for one in rivals:
        one.start()
    for one in rivals:
        one.join()
    assert len(won) == 1
    assert User.objects.get(pk=user.pk).check_password(f"{CHOSEN} {won[0]}")


def test_where_a_mail_server_is_named_the_link_is_mailed_and_not_shown(
    admin: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    form = {"username": "k.new", "email": "kim@example.org"}
    page = admin.post(reverse("add-person"), form).content.decode()
    assert "/invitation/" not in page
    (sent,) = mail.outbox
    assert sent.to == ["kim@example.org"]
    assert choose(Client(), link_in(str(sent.body))) == 302


def test_where_the_mail_cannot_be_sent_the_link_is_shown(admin: Client, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    form = {"username": "k.new", "email": "kim@example.org"}
    page = admin.post(reverse("add-person"), form).content.decode()
    assert "The mail could not be sent" in page
    assert choose(Client(), link_in(page)) == 302


def test_a_new_link_ends_the_old_password_its_sessions_and_the_provider_s_connection(
    admin: Client, client: Client
) -> None:
    user = a_user("k.new")
    Identity.objects.create(user=user, issuer="https://provider", subject="s", created_at=timezone.now())
    assert sign_in(client, "k.new", PASSWORD) == 302
    page = admin.post(reverse("person-link", kwargs={"person_id": user.pk})).content.decode()
    assert client.get("/").status_code == 302
    assert not user.identities.exists()
    assert sign_in(client, "k.new", PASSWORD) == 200
    assert choose(client, link_in(page)) == 302
    assert sign_in(client, "k.new", CHOSEN) == 302


def test_nobody_takes_their_own_password_away(admin: Client) -> None:
    me = User.objects.get(username="a.berg")
    page = admin.post(reverse("person-link", kwargs={"person_id": me.pk}), follow=True).content.decode()
    assert "Change your own password" in page
    assert User.objects.get(pk=me.pk).has_usable_password()
