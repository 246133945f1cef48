"""The reading room's frames, sent without asking Django anew while session and case are one's own."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as installed
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.middleware import SEEN
from accounts.models import Role, User
from accounts.services import end_sessions, set_active
from annotation.api.again import Again
from annotation.projects.models import Case, Membership, Project
from audit.models import Event
from jobs import metrics
from tests import factories
from tests.annotation.api.counting import ASKED_FIRST, Counting, of_django
from tests.asking import Question, ask, ask_at_once, bodies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
FRAMES = 3


@pytest.fixture
def project(db: None) -> Project:
    """A project of one case."""
    project = factories.a_project()
    factories.some_cases(project, 1, frames=FRAMES)
    return project


@pytest.fixture
def staff(project: Project) -> User:
    """Who looks at cases without being given any."""
    return factories.a_member(project, Role.ML_STAFF)


@pytest.fixture
def frames(project: Project, staff: User) -> list[Question]:
    """Requests for each frame of the case, in one session."""
    cookies = factories.a_client(staff).cookies
    case = project.cases.get()
    path = f"/api/v1/cases/{case.pk}/instances/{case.series.instances.get().sop_instance_uid}/frames"
    headers = {"Cookie": f"{installed.SESSION_COOKIE_NAME}={cookies[installed.SESSION_COOKIE_NAME].value}"}
    return [Question(f"{path}/{number}", headers) for number in range(1, FRAMES + 1)]


def warm(again: Again, frames: list[Question]) -> None:
    """Ask until frames are sent again: the session and the view are noted first."""
    bodies(ask(again, *frames[:1] * (ASKED_FIRST + 3)))


def test_an_answer_is_the_one_that_django_gives(
    again: Again, django: Counting, frames: list[Question]
) -> None:
    ask(django.handler, *frames)  # notes the session and the view
    expected = ask(django.handler, *frames)
    assert ask(again, *frames, *frames, *frames) == expected * 3
    assert len({one.body for one in expected}) == FRAMES
    assert django.asked == of_django(9)


def signed_out(staff: User) -> None:
    end_sessions(user=staff)


def disabled(staff: User) -> None:
    set_active(user=staff, active=False)


def no_member_any_more(staff: User) -> None:
    Membership.objects.filter(user=staff).delete()


def not_there_any_more(_staff: User) -> None:
    Case.objects.all().delete()


@pytest.mark.parametrize(
    ("act", "status"),
    [(signed_out, 401), (disabled, 401), (no_member_any_more, 404), (not_there_any_more, 404)],
)
def test_what_is_taken_away_is_refused_at_the_next_request(
    again: Again, frames: list[Question], staff: User, act: Callable[[User], None], status: int
) -> None:
    warm(again, frames)
    act(staff)
    assert [one.status for one in ask(again, *frames)] == [status] * FRAMES


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set every clock on."""
    then, now = time.time() + seconds, timezone.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(time, "time", lambda: then)
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.mark.parametrize("limit", ["SESSION_IDLE_SECONDS", "SESSION_ABSOLUTE_SECONDS"])
def test_a_session_ends_at_its_time(
    again: Again, frames: list[Question], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    warm(again, frames)
    later(monkeypatch, getattr(installed, limit) + 1)
    assert ask(again, frames[0])[0].status == 401


def test_looking_at_frames_keeps_a_session_alive(
    again: Again, frames: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(again, frames)
    before = Session.objects.get().get_decoded()[SEEN]
    later(monkeypatch, 31)
    bodies(ask(again, frames[0]))
    assert Session.objects.get().get_decoded()[SEEN] >= before + 31


def test_what_a_page_asks_for_by_itself_keeps_no_session_alive(
    again: Again, frames: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [replace(one, query="background") for one in frames]
    warm(again, asked)
    before = Session.objects.get().get_decoded()[SEEN]
    later(monkeypatch, 31)
    bodies(ask(again, *asked * 2))
    assert Session.objects.get().get_decoded()[SEEN] == before


def test_a_view_without_a_lease_is_audited_once_an_hour(again: Again, frames: list[Question]) -> None:
    views = Event.objects.filter(action="case.view")
    warm(again, frames)
    assert views.count() == 1
    bodies(ask(again, *frames))
    assert views.count() == 1


def test_another_session_is_asked_for_its_own_rights(again: Again, frames: list[Question]) -> None:
    warm(again, frames)
    stranger: Client = factories.a_client(factories.a_reader(factories.a_project()))
    cookie = stranger.cookies[installed.SESSION_COOKIE_NAME].value
    asked = replace(frames[0], headers={"Cookie": f"{installed.SESSION_COOKIE_NAME}={cookie}"})
    assert [one.status for one in ask(again, asked, replace(asked, headers={}))] == [404, 401]


def test_a_frame_that_is_none_is_not_found(again: Again, frames: list[Question]) -> None:
    warm(again, frames)
    none = replace(frames[0], path=frames[0].path.rpartition("/")[0] + f"/{FRAMES + 1}")
    [answer] = ask(again, none)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_case_with_many_instances_is_django_s(
    again: Again, django: Counting, frames: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.api.frames.MOST_INSTANCES", 0)
    bodies(ask(again, *frames * 2))
    assert django.asked == FRAMES * 2


def test_of_many_at_once_after_a_write_one_asks_for_all(
    again: Again, django: Counting, frames: list[Question]
) -> None:
    warm(again, frames)
    bodies(ask(again, *frames * 2))
    factories.a_user()
    before = django.asked
    answers = ask_at_once(again, *frames * 3)
    assert bodies(answers) == bodies(ask(django.handler, *frames)) * 3
    assert django.asked - before == 1


def test_those_who_wait_are_refused_as_who_asked(again: Again, frames: list[Question], staff: User) -> None:
    warm(again, frames)
    bodies(ask(again, *frames * 2))
    no_member_any_more(staff)
    assert [one.status for one in ask_at_once(again, *frames * 3)] == [404] * 3 * FRAMES


def test_every_request_is_counted_under_its_route(again: Again, frames: list[Question]) -> None:
    warm(again, frames)
    before = frames_counted()
    bodies(ask(again, *frames * 2))
    assert frames_counted() == before + 2 * FRAMES


def frames_counted() -> float:
    """How many requests for frames were answered, as Prometheus is told."""
    [found] = metrics.requests.collect()
    frames = [one for one in found.samples if one.labels["route"].endswith("frames/<int:n>")]
    return sum(one.value for one in frames if one.name.endswith("_total"))
