"""Frames that are sent without asking Django anew: the same answers, to who may have them at that moment."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Role, User
from accounts.scopes import Scope as TokenScope
from accounts.services import set_active
from annotation.api.again import Again
from annotation.api.dicomweb.accept import OCTETS
from annotation.projects.models import Case, Membership, Project
from annotation.studies import files
from annotation.studies.models import Instance
from annotation.studies.storage import DurableFileSystemStorage
from audit.models import Event
from config.handler import Handler
from tests import factories
from tests.annotation.api.counting import ASKED_FIRST, Counting, of_django
from tests.annotation.api.dicomweb.conftest import Ct, Program, a_program
from tests.asking import Answer, Question, ask, bodies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
IN_PARTS = f'multipart/related; type="{OCTETS}"'


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)


@pytest.fixture
def reading(project: Project, reader: User) -> Program:
    """The reader's program."""
    return a_program(reader, project, [TokenScope.DICOMWEB_READ])


def a_frame(program: Program, ct: Ct, place: int = 0, number: int = 1, **headers: str) -> Question:
    """A request for a frame of an instance of the series."""
    path = f"{program.root}{ct.series}/instances/{ct.instances[place]}/frames/{number}"
    return Question(path, program.bearer() | {"Accept": IN_PARTS} | headers)


def warm(again: Again, program: Program, ct: Ct) -> None:
    """Ask until frames of the series are sent again; what is noted of a first use is written then."""
    bodies(ask(again, *[a_frame(program, ct)] * (ASKED_FIRST + 2)))


@pytest.mark.parametrize("accept", [IN_PARTS, OCTETS, "*/*"])
def test_an_answer_is_the_one_that_django_gives(
    again: Again, django: Counting, reading: Program, ct: Ct, accept: str
) -> None:
    asked = [a_frame(reading, ct, place, Accept=accept) for place in (0, 1, 2)]
    expected = ask(django.handler, *asked)
    assert ask(again, *asked, *asked, *asked) == expected * 3
    assert len({one.body for one in expected}) == 3
    assert django.asked == of_django(9)


def test_what_the_disk_must_be_waited_for_comes_too(
    again: Again, django: Counting, reading: Program, ct: Ct, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ask(django.handler, a_frame(reading, ct))
    warm(again, reading, ct)
    before = django.asked
    monkeypatch.setattr(DurableFileSystemStorage, "fill_at_once", lambda *_: False)
    assert ask(again, a_frame(reading, ct)) == expected
    assert django.asked - before == of_django(3) - ASKED_FIRST


def revoked(reader: User) -> None:
    tokens.revoke_token(token_id=reader.tokens.get().pk, by=reader, now=timezone.now())


def disabled(reader: User) -> None:
    set_active(user=reader, active=False)


def expired(reader: User) -> None:
    ApiToken.objects.filter(user=reader).update(expires_at=timezone.now())


def narrowed(reader: User) -> None:
    ApiToken.objects.filter(user=reader).update(scopes=[TokenScope.EXPORT])


def no_member_any_more(reader: User) -> None:
    Membership.objects.filter(user=reader).delete()


def not_a_case_any_more(_reader: User) -> None:
    Case.objects.all().delete()


def not_there_any_more(_reader: User) -> None:
    Instance.objects.all().delete()


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (revoked, 401),
        (disabled, 401),
        (expired, 401),
        (narrowed, 403),
        (no_member_any_more, 404),
        (not_a_case_any_more, 404),
        (not_there_any_more, 404),
    ],
)
def test_what_is_taken_away_is_refused_at_the_next_request(
    again: Again, reading: Program, reader: User, ct: Ct, act: Callable[[User], None], status: int
) -> None:
    warm(again, reading, ct)
    act(reader)
    first, second = ask(again, a_frame(reading, ct), a_frame(reading, ct, 1))
    assert (first.status, second.status) == (status, status)
    assert first.headers["content-type"] == "application/problem+json"


def test_a_refusal_is_audited_each_time(again: Again, reading: Program, reader: User, ct: Ct) -> None:
    warm(again, reading, ct)
    no_member_any_more(reader)
    ask(again, a_frame(reading, ct), a_frame(reading, ct))
    assert Event.objects.filter(action="access.denied", actor=str(reader.pk)).count() == 2


def test_a_role_that_shows_less_bites_at_the_next_request(
    again: Again, project: Project, staff: Program, ct: Ct
) -> None:
    Case.objects.all().delete()  # what is no case is seen by the staff alone
    warm(again, staff, ct)
    Membership.objects.filter(project=project, role=Role.ML_STAFF).update(role=Role.READER)
    assert ask(again, a_frame(staff, ct))[0].status == 404


def test_a_token_ends_at_its_time(
    again: Again, reading: Program, ct: Ct, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(again, reading, ct)
    later = timezone.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert ask(again, a_frame(reading, ct))[0].status == 401


def test_requests_are_counted_on(
    again: Again, reading: Program, ct: Ct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REQUESTS_A_WINDOW", 6)
    answers = ask(again, *[a_frame(reading, ct)] * 8)
    assert [one.status for one in answers] == [200] * 6 + [429] * 2


def test_the_view_is_audited_once_an_hour(again: Again, reading: Program, ct: Ct) -> None:
    views = Event.objects.filter(action="dicomweb.view")
    warm(again, reading, ct)
    assert views.count() == 1
    cache.clear()  # the hour is over
    bodies(ask(again, *[a_frame(reading, ct, place) for place in (0, 1, 2)]))
    assert views.count() == 2


def test_the_last_use_is_noted_to_the_minute(
    again: Again, reading: Program, reader: User, ct: Ct, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(again, reading, ct)
    first = reader.tokens.get().last_used_at
    minute, hour = time.monotonic() + 61, timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(time, "monotonic", lambda: minute)
    monkeypatch.setattr(timezone, "now", lambda: hour)
    ask(again, a_frame(reading, ct))
    assert first is not None
    assert reader.tokens.get().last_used_at == hour


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"method": "HEAD"}, 405),
        ({"method": "DELETE"}, 405),
        ({"query": "accept=image/jls"}, 406),
        ({"number": 2}, 404),
        ({"place_of_another": True}, 404),
        ({"Range": "bytes=0-9", "Accept": OCTETS}, 206),
        ({"Accept": "image/jp2"}, 406),
        ({"Authorization": "Bearer fovea_x"}, 401),
        ({"Cookie": "sessionid=x"}, 200),
        ({"Host": "elsewhere"}, 400),
    ],
)
def test_another_request_is_django_s(
    again: Again, django: Counting, reading: Program, ct: Ct, changed: dict[str, object], status: int
) -> None:
    warm(again, reading, ct)
    before = django.asked
    assert ask(again, changed_frame(reading, ct, changed))[0].status == status
    assert django.asked == before + 1


def changed_frame(program: Program, ct: Ct, changed: dict[str, object]) -> Question:
    """A request for a frame of the series, but for something."""
    headers = {name: str(value) for name, value in changed.items() if name[0].isupper()}
    plain = a_frame(program, ct, 0, int(str(changed.get("number", 1))), **headers)
    path = plain.path.replace(ct.instances[0], "2.25.1") if "place_of_another" in changed else plain.path
    method, query = str(changed.get("method", "GET")), str(changed.get("query", ""))
    return Question(path, plain.headers, query, method)


def test_who_has_the_frame_is_told_so(again: Again, reading: Program, ct: Ct) -> None:
    warm(again, reading, ct)
    [whole] = ask(again, a_frame(reading, ct))
    named = [a_frame(reading, ct, place) for place in (0, 1)]
    known = {"If-None-Match": whole.headers["etag"]}
    first, second = ask(again, *(replace(one, headers=dict(one.headers) | known) for one in named))
    assert (first.status, second.status) == (304, 200)


def test_one_token_opens_nothing_to_another(again: Again, reading: Program, project: Project, ct: Ct) -> None:
    warm(again, reading, ct)
    stranger = a_program(factories.a_reader(factories.a_project()), project, [TokenScope.DICOMWEB_READ])
    assert ask(again, a_frame(stranger, ct))[0].status == 404


def test_a_file_that_is_gone_is_the_error_that_it_was(
    again: Again, django: Counting, reading: Program, ct: Ct
) -> None:
    warm(again, reading, ct)
    instance = Instance.objects.get(sop_instance_uid=ct.instances[0])
    Path(default_storage.path(files.instance_name(instance.digest))).unlink()
    expected = failure(django.handler, a_frame(reading, ct, Accept=OCTETS))
    ask(again, *[a_frame(reading, ct, 1, Accept=OCTETS)] * 3)
    assert failure(again, a_frame(reading, ct, Accept=OCTETS)) == expected


def failure(application: Again | Handler, question: Question) -> Answer | str:
    """What comes of a request that fails."""
    try:
        return ask(application, question)[0]
    except OSError as error:
        return type(error).__name__


def test_while_somebody_writes_django_is_asked(
    again: Again, django: Counting, reading: Program, ct: Ct
) -> None:
    warm(again, reading, ct)
    before = django.asked
    for number in range(3):
        factories.a_user(f"newcomer-{number}")
        bodies(ask(again, a_frame(reading, ct)))
    assert django.asked == before + 3
