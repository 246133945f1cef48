"""Readers over time: weeks and changes by hand, and what the check keeps of them."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.learning.check_models import LabelCheck
from annotation.queue.gold import make_gold
from annotation.queue.label_quality import compared_of, most_said, request_check
from annotation.queue.models import Entry
from annotation.readings.gold_models import GoldCase, GoldReading
from annotation.readings.models import Reading, Revision
from mlworker.evaluation.skills import Week, change_in, weeks_of
from mlworker.runtime import run
from tests import factories

MONDAY = date(2026, 3, 2)


def weeks(*counts: tuple[int, int]) -> list[Week]:
    return [Week(MONDAY + timedelta(weeks=at), *one) for at, one in enumerate(counts)]


def test_days_are_summed_up_by_the_week_that_begins_on_monday() -> None:
    told = {date(2026, 3, 8): (1, 2), date(2026, 3, 2): (3, 3), date(2026, 3, 9): (0, 1)}
    assert weeks_of(told) == [Week(MONDAY, 4, 5), Week(date(2026, 3, 9), 0, 1)]


def test_a_clear_fall_is_found_where_it_began() -> None:
    found = change_in(weeks((19, 20), (28, 30), (12, 25), (10, 25)))
    assert found is not None
    assert (found.since, found.is_fall) == (MONDAY + timedelta(weeks=2), True)
    assert found.before.value == pytest.approx(47 / 50)
    assert found.after.value == pytest.approx(22 / 50)
    assert found.p < 1e-5


def test_a_rise_is_a_change_and_no_fall() -> None:
    found = change_in(weeks((10, 30), (29, 30)))
    assert found is not None
    assert not found.is_fall


@pytest.mark.parametrize("counts", [[], [(5, 5)], [(19, 20), (17, 20)], [(10, 10), (0, 10)]])
def test_little_or_steady_is_no_change(counts: list[tuple[int, int]]) -> None:
    assert change_in(weeks(*counts)) is None


def test_steady_readers_are_rarely_flagged() -> None:
    """Twelve weeks of twenty answers, right with a chance of 0.85: at most one in twenty is flagged."""
    random = np.random.default_rng(0)
    flagged = [
        change_in(weeks(*((int(right), 20) for right in random.binomial(20, 0.85, 12)))) is not None
        for _ in range(200)
    ]
    assert np.mean(flagged) <= 0.05


@pytest.mark.django_db
def test_the_check_names_a_reader_who_fell_and_what_only_they_have_read_since() -> None:
    project = factories.a_project()
    steady, falling = (factories.a_reader(project) for _ in range(2))
    third = factories.a_reader(project)
    cases = factories.some_cases(project, 60)
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for at, case in enumerate(cases):
        when = start + timedelta(weeks=at // 30)
        factories.a_reading(steady, case, {"finding": "normal"})
        factories.a_reading(third, case, {"finding": "normal"})
        is_wrong = at >= 30 and at % 2 == 0
        factories.a_reading(falling, case, {"finding": "pneumonia" if is_wrong else "normal"})
        Revision.objects.filter(reading__case=case).update(created_at=when)
    alone = factories.some_cases(project, 2)
    for case, weeks_later in zip(alone, (0, 1), strict=True):
        factories.a_reading(falling, case, {"finding": "normal"})
        read_at = start + timedelta(weeks=weeks_later)
        Reading.objects.filter(case=case).update(created_at=read_at)
    run(request_check(project=project, by=factories.a_member(project, Role.ML_STAFF)).pk)
    first, *others = LabelCheck.objects.get(project=project).drifts
    assert (first["reader"], first["falls"]) == (str(falling.pk), True)
    assert first["change"]["since"] == "2026-03-09"
    assert [(one["right"], one["of"]) for one in first["weeks"]] == [(30, 30), (15, 30)]
    assert first["numbers"] == [alone[1].number]
    assert [one["change"] for one in others] == [None, None]


@pytest.mark.django_db
def test_readers_are_held_against_others_and_gold_by_what_models_learn_alone() -> None:
    project = factories.a_project()
    readers = [factories.a_reader(project) for _ in range(3)]
    said, pair, doubted, gold = factories.some_cases(project, 4)
    for case in (said, doubted):
        for reader, value in zip(readers, ("normal", "normal", "pneumonia"), strict=True):
            factories.a_reading(reader, case, {"finding": value})
    for reader in readers[:2]:
        factories.a_reading(reader, pair, {"finding": "normal"})
    Entry.objects.filter(case=doubted).update(reason="second_reading", score=0.9)
    factories.a_reading(readers[0], gold, {"finding": "normal"})
    staff, now = factories.a_member(project, Role.ML_STAFF), timezone.now()
    make_gold(project=project, numbers=[gold.number], comment="", by=staff, now=now)
    GoldReading.objects.create(
        gold=GoldCase.objects.get(),
        reader=readers[1],
        phase="practice",
        attempt=1,
        answers={"finding": "normal"},
        seconds=1.0,
        differs_in=["size"],
        is_right=False,
        idempotency_key=uuid4(),
        created_at=now,
    )
    found = sorted((one.reader, one.is_right) for one in compared_of(project.pk))
    # Of the case that three read, the third is held against the two others, and they tie for the others.
    assert found == sorted([(str(readers[2].pk), False), (str(readers[1].pk), True)])


def test_most_others_say_what_is_true_where_they_are_several() -> None:
    one, other = frozenset({"a"}), frozenset({"b"})
    assert most_said([one, one, other]) == one
    assert [most_said(few) for few in ([], [one], [one, other])] == [None] * 3
