"""Masks and regions that a model proposes: who sees them, and what is kept of them with the reading."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from annotation.learning.drawn_models import RegionSuggestion
from annotation.projects.models import Case, Project, Protocol
from annotation.projects.rules import ForbiddenError
from annotation.queue.anchored import facts_by_question
from annotation.queue.models import Entry
from annotation.queue.rules import drawn_for_control
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import lease_next
from annotation.queue.suggestions import Shown
from annotation.readings.models import Revision
from tests.disks import BOXED, PAINTED, a_disk_project, answer_to, places_of, propose, read
from tests.factories import a_client, a_member, a_reader

pytestmark = pytest.mark.django_db
SEEN = Shown("", {}, {"disks": "before_answer"}, ())


def stage(question: dict[str, Any], now: datetime, **settings: Any) -> tuple[Project, list[Case]]:
    """Three cases with proposals that are exactly what a careful reader draws."""
    project, cases = a_disk_project(question, 3, suggestions="from_start", **settings)
    for case in cases:
        propose(case, answer_to(question, case), now - timedelta(minutes=1), kind=question["kind"])
    return project, cases


def first(project: Project, now: datetime) -> tuple[LeasedCase, Any]:
    reader = a_reader(project)
    return lease_next(reader=reader, project_id=project.pk, now=now).cases[0], reader


def kept() -> dict[str, Any]:
    suggestion = Revision.objects.get().suggestion
    assert suggestion is not None
    return dict(suggestion["drawn"]["disks"])


def proposed(leased: LeasedCase) -> Any:
    return RegionSuggestion.objects.get(case=leased.case).answer


def test_what_was_proposed_before_the_lease_is_shown_with_its_scores(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    leased, _ = first(project, now)
    (one,) = leased.drawn
    assert (one.question, one.version, one.answer) == ("disks", 1, proposed(leased))
    assert set(one.scores.values()) == {0.9}


def test_what_is_proposed_during_the_lease_changes_nothing_on_screen(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    leased, reader = first(project, now)
    propose(leased.case, [], now + timedelta(minutes=1), number=2)
    again = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    assert [one.version for one in again.drawn] == [1]


@pytest.mark.parametrize(
    ("settings", "stream"),
    [({"suggestions": "never"}, "pool"), ({}, "audit")],
    ids=["never", "audit stream"],
)
def test_nothing_is_shown_where_the_project_or_the_stream_forbids_it(
    settings: dict[str, Any], stream: str, now: datetime
) -> None:
    project, cases = stage(BOXED, now)
    Case.objects.filter(pk__in=[one.pk for one in cases]).update(stream=stream)
    Protocol.objects.filter(project=project).update(
        settings={"suggestions": "from_start", "control_share": 0.0} | settings
    )
    leased, _ = first(project, now)
    assert leased.drawn == []


def test_a_control_starts_blank_and_its_agreement_is_kept_all_the_same(now: datetime) -> None:
    project, (case, *others) = stage(BOXED, now, control_share=0.5)
    Entry.objects.filter(case__in=others).update(state=Entry.State.SET_ASIDE)
    readers = (a_reader(project) for _ in range(100))
    reader = next(one for one in readers if drawn_for_control(case.pk, one.pk, 0.5))
    leased = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    assert leased.drawn == []
    read(leased, reader, answer_to(BOXED, case), now, shown=SEEN)
    found = kept()
    assert (found["withheld"], found["shown"], found["agreement"]) == ("control", "", 1.0)


def test_boxes_taken_edited_drawn_and_left_are_counted(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    leased, reader = first(project, now)
    taken, edited = proposed(leased)
    column, row, radius = places_of(leased.case.number)[1]
    moved = edited | {"origin": "edited", "points": [[column - radius, row - radius], [column, row]]}
    own = edited | {
        "id": "00000000-0000-4000-8000-000000000000",
        "origin": "reader",
        "points": [[0, 0], [5, 5]],
    }
    read(leased, reader, [taken | {"origin": "suggestion"}, moved, own], now, shown=SEEN)
    found = kept()
    assert (found["accepted"], found["edited"], found["own"], found["left"]) == (1, 1, 1, 0)
    assert found["agreement"] == pytest.approx(2 * 1 / (2 + 3))
    assert (found["shown"], found["withheld"], found["version"]) == ("before_answer", "", 1)
    assert found["suggested"] == [taken, edited]


def test_a_mask_that_was_taken_agrees_wholly_and_one_painted_half_agrees_by_dice(now: datetime) -> None:
    project, _ = stage(PAINTED, now)
    leased, reader = first(project, now)
    read(leased, reader, proposed(leased), now, shown=Shown("", {}, {"disks": "after_answer"}, ("disks",)))
    found = kept()
    assert (found["agreement"], found["taken"], found["shown"]) == (1.0, True, "after_answer")


def test_an_answer_left_empty_disagrees_with_what_was_proposed(now: datetime) -> None:
    project, _ = stage(PAINTED, now)
    leased, reader = first(project, now)
    read(leased, reader, None, now, shown=SEEN)
    assert (kept()["agreement"], kept()["taken"]) == (0.0, False)


def test_a_proposal_of_labels_that_are_asked_no_more_is_not_shown(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    other = BOXED | {"labels": [{"value": "ring", "label": "Ring"}]}
    Protocol.objects.filter(project=project).update(questions=[other])
    leased, _ = first(project, now)
    assert leased.drawn == []


def test_the_facts_of_the_comparison_are_those_of_the_readings(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    leased, reader = first(project, now)
    taken, left = proposed(leased)
    read(leased, reader, [taken | {"origin": "suggestion"}], now, seconds=7.5, shown=SEEN)
    staff = a_member(project, Role.ML_STAFF)
    (fact,) = facts_by_question(staff, project.pk)["disks"]
    assert (fact.reader, fact.side, fact.seconds, fact.accepted) == ("Reader 1", "shown", 7.5, 0.5)
    assert fact.agreement == pytest.approx(2 / 3, abs=1e-4)
    assert left["id"] not in [taken["id"]]
    with pytest.raises(ForbiddenError):
        facts_by_question(reader, project.pk)


def test_the_page_says_when_controls_are_too_few(now: datetime) -> None:
    project, _ = stage(BOXED, now)
    leased, reader = first(project, now)
    read(leased, reader, proposed(leased), now, shown=SEEN)
    client: Client = a_client(a_member(project, Role.ML_STAFF))
    page = client.get(f"/projects/{project.pk}/learning/anchoring").content.decode()
    assert "Not enough controls yet: 0 readings started blank and 1 saw the suggestion" in page
    assert "Reader 1" in page
    assert reader.username not in page
    assert "Box each disk" in page
