"""What of the model's prediction a reader sees, and what is kept of that with the reading."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from annotation.projects.models import Project, Protocol
from annotation.queue import suggestions
from annotation.queue.models import Entry
from annotation.queue.rules import drawn_for_control, uncertainty, withheld
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import lease_next
from annotation.queue.suggestions import Shown
from annotation.readings.models import Revision
from annotation.readings.services import Answered
from tests.disks import submitted

LIKELY = {"normal": 0.1, "pneumonia": 0.9}


def test_a_share_of_all_cases_is_read_without_a_suggestion_and_always_the_same_ones() -> None:
    reader = UUID(int=7)
    drawn = [drawn_for_control(UUID(int=case), reader, 0.1) for case in range(4000)]
    again = [drawn_for_control(UUID(int=case), reader, 0.1) for case in range(4000)]
    other = [drawn_for_control(UUID(int=case), UUID(int=8), 0.1) for case in range(4000)]
    assert drawn == again
    assert drawn != other
    assert 0.08 < sum(drawn) / 4000 < 0.12


@pytest.mark.parametrize(
    ("mode", "stream", "is_predicted", "is_control", "why"),
    [
        ("never", "pool", True, False, "never"),
        ("from_start", "pool", False, True, "no_model"),
        ("from_start", "audit", True, False, "audit"),
        ("on_demand", "pool", True, True, "control"),
        ("after_answer", "pool", True, False, ""),
    ],
)
def test_a_suggestion_is_withheld_for_a_reason(
    mode: str, stream: str, *, is_predicted: bool, is_control: bool, why: str
) -> None:
    assert withheld(mode, stream, "uncertain", is_predicted=is_predicted, is_control=is_control) == why


def test_the_second_reader_of_a_case_sees_no_suggestion() -> None:
    assert withheld("from_start", "pool", "second_reading", is_predicted=True, is_control=False) == "second"


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        (None, None),
        ({"a": 0.5, "b": 0.5}, 1.0),
        ({"a": 1.0, "b": 0.0}, 0.0),
        ({"a": 0.5, "b": 0.25, "c": 0.25}, 0.9463946303571862),  # 1.5 bits of log2(3)
        ({"a": 0.0004, "b": 0.9996}, 0.0051),
    ],
)
def test_uncertainty_lies_between_sure_and_no_idea(
    probabilities: dict[str, float] | None, expected: float | None
) -> None:
    found = uncertainty(probabilities, several=False)
    assert found == (None if expected is None else pytest.approx(expected, rel=2e-2))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [({"mass": 0.5, "oedema": 1.0}, 0.5), ({"mass": 0.5, "oedema": 0.5}, 1.0), ({"mass": 0.5}, 1.0)],
)
def test_uncertainty_of_several_findings_is_the_mean_of_each_one_s(
    probabilities: dict[str, float], expected: float
) -> None:
    assert uncertainty(probabilities, several=True) == pytest.approx(expected)


@pytest.fixture
def leased(project: Project, reader: User, now: datetime) -> LeasedCase:
    """A case that a model has seen, in a project without controls."""
    Protocol.objects.filter(project=project).update(settings={"control_share": 0.0})
    Entry.objects.filter(project=project).update(probabilities=LIKELY)
    return lease_next(reader=reader, project_id=project.pk, now=now).cases[0]


def read(
    leased: LeasedCase, reader: User, now: datetime, value: str, shown: Shown | None
) -> dict[str, Any] | None:
    answered = Answered({"finding": value}, 1.0, 1, uuid4())
    submitted(leased, reader, answered, now, shown)
    return Revision.objects.get(idempotency_key=answered.idempotency_key).suggestion


@pytest.mark.django_db
def test_what_was_shown_is_kept_with_what_became_of_it(
    leased: LeasedCase, reader: User, now: datetime
) -> None:
    assert leased.suggestion.probabilities == LIKELY
    kept = read(leased, reader, now, "pneumonia", Shown("after_answer", {"finding": "normal"}))
    assert kept == {
        "mode": "after_answer",
        "question": "finding",
        "probabilities": LIKELY,
        "ranking": None,
        "withheld": "",
        "shown": "after_answer",
        "first": "normal",
        "accepted": True,
        "changed": True,
    }


@pytest.mark.django_db
def test_an_answer_that_the_model_would_not_give_is_kept_as_not_accepted(
    leased: LeasedCase, reader: User, now: datetime
) -> None:
    kept = read(leased, reader, now, "normal", Shown("before_answer", {}))
    assert kept is not None
    assert (kept["accepted"], kept["changed"]) == (False, False)


@pytest.mark.django_db
def test_a_control_keeps_the_prediction_that_nobody_saw(
    project: Project, leased: LeasedCase, reader: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Protocol.objects.filter(project=project).update(settings={"control_share": 0.5})
    monkeypatch.setattr(suggestions, "drawn_for_control", lambda *_: True)
    (again, *_) = lease_next(reader=reader, project_id=project.pk, now=now).cases
    assert again.suggestion.probabilities is None
    kept = read(leased, reader, now, "normal", Shown("before_answer", {}))
    assert kept is not None
    assert (kept["withheld"], kept["shown"], kept["probabilities"]) == ("control", "", LIKELY)
    assert "accepted" not in kept


@pytest.mark.django_db
def test_nothing_is_kept_where_the_project_shows_none(
    project: Project, leased: LeasedCase, reader: User, now: datetime
) -> None:
    Protocol.objects.filter(project=project).update(settings={"suggestions": "never"})
    assert read(leased, reader, now, "normal", None) is None
