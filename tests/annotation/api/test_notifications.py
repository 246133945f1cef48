"""Notifications in the application and for programs: one's own alone, by cursor, read once."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from notices.models import Notice, Wishes
from notices.services import notify
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def person() -> User:
    return factories.a_user("l.okafor")


@pytest.fixture
def client(person: User) -> Client:
    return factories.a_client(person)


def told(person: User, count: int) -> None:
    """Tell somebody of so many things, the last one last."""
    now = timezone.now()
    for number in range(count):
        notify("job_failed", [person], now=now + timedelta(seconds=number), link="/jobs", job=f"job {number}")


def test_the_bell_counts_what_is_unread_and_all_of_it_is_marked_at_once(client: Client, person: User) -> None:
    told(person, 3)
    told(factories.a_user(), 2)
    assert re.search(r">3<", client.get("/notifications/bell").content.decode())
    client.post("/notifications/read")
    assert "unread" not in client.get("/notifications/bell").content.decode()
    assert "A job failed: job 2." in client.get("/notifications").content.decode()


def test_opening_a_notice_marks_it_and_leads_on(client: Client, person: User) -> None:
    told(person, 2)
    newest = Notice.objects.first()
    assert newest is not None
    assert client.post(f"/notifications/{newest.pk}")["Location"] == "/jobs"
    assert Notice.objects.filter(read_at=None).count() == 1


def test_an_empty_list_says_what_will_be_here(client: Client) -> None:
    assert "Nothing new" in client.get("/notifications").content.decode()


def test_what_one_wants_is_kept(client: Client, person: User) -> None:
    client.post(
        "/notifications/settings", {"rhythm": "at_once", "told": ["question"], "mailed": ["question", "x"]}
    )
    kept = Wishes.objects.get(person=person)
    assert (kept.rhythm, kept.mailed, "job_failed" in kept.unwanted) == ("at_once", ["question"], True)
    client.post("/notifications/settings", {"rhythm": "hourly"})
    told(person, 1)
    assert not Notice.objects.exists()
    view = client.get("/api/v1/notifications/settings").json()
    assert view["kinds"]["question"] == "Questions to me"
    body = {"rhythm": "never", "mailed": [], "unwanted": []}
    assert (
        client.put("/api/v1/notifications/settings", body, content_type="application/json").status_code == 200
    )
    told(person, 1)
    assert Notice.objects.get().wants_mail is False


def test_programs_walk_all_pages_and_nothing_new_moves_them(client: Client, person: User) -> None:
    told(person, 7)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/v1/notifications", {"size": "3", "cursor": cursor}).json()
        seen += [one["sentence"] for one in page["notices"]]
        cursor = page["next"]
        notify("job_failed", [person], now=timezone.now() + timedelta(days=1), job="later")
    assert seen == [f"A job failed: job {number}." for number in reversed(range(7))]


@pytest.mark.parametrize("cursor", ["x", "W10=", "WzEsMl0=", "bnVsbA==", "WyJ4IiwieSJd"])
def test_a_cursor_that_no_list_gave_is_refused(client: Client, cursor: str) -> None:
    answer = client.get("/api/v1/notifications", {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


def test_programs_mark_what_they_name_of_their_own(client: Client, person: User) -> None:
    told(person, 2)
    other = factories.a_user()
    told(other, 1)
    ids = [str(pk) for pk in Notice.objects.values_list("pk", flat=True)][:1]
    foreign = str(Notice.objects.get(person=other).pk)
    body = {"ids": [*ids, foreign]}
    answer = client.post("/api/v1/notifications/read", body, content_type="application/json")
    assert answer.json()["marked"] <= 2
    assert Notice.objects.get(pk=foreign).read_at is None
