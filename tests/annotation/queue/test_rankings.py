"""A new ranking orders what waits and takes nothing from under a reader."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from annotation.projects.models import Project
from annotation.queue.models import UNRANKED, Entry, Lease, Ranking
from annotation.queue.rankings import Place, replace_ranking
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
FACTS: dict[str, Any] = {
    "model_id": None,
    "strategy": "power_margin",
    "seed": 7,
    "pool_size": 8,
    "label_count": 0,
}


def place(case_id: UUID, rank: int) -> Place:
    return Place(case_id, rank, 1.0 / rank, 0.5, "uncertain", {"normal": 0.5, "pneumonia": 0.5})


def rank_numbers(
    project: Project, numbers: Sequence[int], now: datetime, job_id: UUID | None = None
) -> Ranking:
    cases = {case.number: case.pk for case in project.cases.all()}
    places = [place(cases[number], rank) for rank, number in enumerate(numbers, start=1)]
    facts = FACTS | {"pool_size": max(FACTS["pool_size"], len(places))}
    return replace_ranking(project_id=project.pk, job_id=job_id or uuid4(), places=places, now=now, **facts)


def ranks(project: Project) -> dict[int, int]:
    entries = Entry.objects.filter(project=project, rank__lt=UNRANKED)
    return dict(entries.values_list("case__number", "rank"))


def test_a_ranking_says_who_is_next_and_why(project: Project, reader: User, now: datetime) -> None:
    ranking = rank_numbers(project, [5, 2, 7], now)
    cases = lease_next(reader=reader, project_id=project.pk, now=now).cases
    assert [leased.case.number for leased in cases] == [5, 2, 7]
    assert (cases[0].why.rank, cases[0].why.pool_size, cases[0].why.strategy) == (1, 8, "power_margin")
    assert "unsure" in cases[0].why.text
    assert cases[0].lease.pick.ranking_id == ranking.pk
    assert cases[0].lease.pick.probabilities == {"normal": 0.5, "pneumonia": 0.5}


def test_what_the_new_ranking_leaves_out_loses_its_place(project: Project, now: datetime) -> None:
    rank_numbers(project, [1, 2, 3], now)
    rank_numbers(project, [8, 3], now)
    assert ranks(project) == {8: 1, 3: 2}
    left_out = Entry.objects.get(project=project, case__number=1)
    assert (left_out.score, left_out.draw_probability, left_out.reason) == (None, None, "unranked")


def test_a_ranking_takes_no_case_from_under_a_reader(project: Project, reader: User, now: datetime) -> None:
    rank_numbers(project, [1, 2, 3], now)
    held = lease_next(reader=reader, project_id=project.pk, now=now)
    rank_numbers(project, [4, 5, 6, 2], now)
    again = lease_next(reader=reader, project_id=project.pk, now=now)
    assert [one.lease.pk for one in again.cases] == [one.lease.pk for one in held.cases]
    assert Lease.objects.filter(ended_at=None).count() == 3
    assert set(Entry.objects.filter(state="leased").values_list("case__number", flat=True)) == {1, 2, 3}


def test_the_case_after_a_reading_comes_from_the_new_ranking(
    project: Project, reader: User, now: datetime
) -> None:
    rank_numbers(project, [1, 2, 3, 4], now)
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    rank_numbers(project, [8, 7], now)
    submitted = submit(
        reader=reader,
        lease_id=first.lease.pk,
        case_id=first.case.pk,
        answered=Answered({"finding": "normal"}, 1.0, 1, uuid4()),
        now=now,
    )
    assert [leased.case.number for leased in submitted.workload.cases] == [2, 3, 8]


def test_what_was_read_meanwhile_stays_read(project: Project, now: datetime) -> None:
    Entry.objects.filter(project=project, case__number=1).update(state=Entry.State.DONE)
    rank_numbers(project, [1, 2], now)
    entry = Entry.objects.get(project=project, case__number=1)
    assert (entry.state, entry.rank) == (Entry.State.DONE, UNRANKED)


def test_the_same_job_ranks_once(project: Project, now: datetime) -> None:
    job_id = uuid4()
    first = rank_numbers(project, [1, 2], now, job_id)
    assert rank_numbers(project, [8, 7], now, job_id) == first
    assert ranks(project) == {1: 1, 2: 2}


def test_only_the_best_places_are_written(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.queue.rankings.RANKED_PLACES", 2)
    rank_numbers(project, [6, 5, 4, 3], now)
    assert ranks(project) == {6: 1, 5: 2}


def test_a_foreign_case_in_a_ranking_is_left_alone(project: Project, now: datetime) -> None:
    other = factories.a_project()
    (foreign,) = factories.some_cases(other)
    replace_ranking(project_id=project.pk, job_id=uuid4(), places=[place(foreign.pk, 1)], now=now, **FACTS)
    assert ranks(other) == {}
