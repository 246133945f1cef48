"""The label quality page: lists that become query batches with one click."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.learning.check_models import LabelCheck
from annotation.projects.models import Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.models import Entry, QueryBatch
from annotation.readings.models import Reading
from annotation.readings.services import Answered, add_reading, examine
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.pages.addresses import address

pytestmark = pytest.mark.django_db


def checked(project: Project, **more: Any) -> list[int]:
    """A check that doubts the first of two read cases and found the second too fast."""
    reader, now = factories.a_reader(project, "r.one"), timezone.now()
    cases = factories.some_cases(project, 2)
    for case in cases:
        said = Answered({"finding": "normal"}, 5.0, 1, uuid.uuid4())
        examined = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
        add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)
    Entry.objects.filter(project=project).update(state=Entry.State.DONE)
    shares = {"label_share": 0.02, "thought_share": 0.98}
    facts = {
        "doubted": [{"number": cases[0].number, "label": "Normal", "thought": "Pneumonia"} | shares],
        "hasty": [{"number": cases[1].number, "reader": str(reader.pk), "seconds": 1.0, "usual": 20.0}],
        "labels": 40,
        "readings": 40,
    }
    LabelCheck.objects.create(
        project=project, job_id=uuid.uuid4(), seconds=0.5, created_at=now, **(facts | more)
    )
    return [case.number for case in cases]


def page(client: Client, project: Project) -> str:
    return client.get(address(project, "label-quality")).content.decode()


def test_before_the_first_check_the_page_says_what_it_does(ml_staff: Client, project: Project) -> None:
    assert "Nobody has checked yet" in page(ml_staff, project)
    ml_staff.post(address(project, "check-labels"))
    assert Job.objects.filter(name="check_labels").count() == 1
    assert Event.objects.filter(action="labels.check", object_id=str(project.pk)).count() == 1


def test_labels_in_doubt_and_fast_readings_are_listed_without_names(
    ml_staff: Client, project: Project
) -> None:
    doubted, hasty = checked(project)
    shown = page(ml_staff, project)
    assert address(project, "case", number=doubted) in shown
    assert address(project, "case", number=hasty) in shown
    assert "98 %" in shown
    assert "Reader 1" in shown
    assert "r.one" not in shown


def test_a_list_is_read_again_by_one_click_and_readers_are_not_told_what_is_thought_of_it(
    ml_staff: Client, project: Project
) -> None:
    numbers = checked(project)
    factories.a_reader(project, "r.two")
    ml_staff.post(address(project, "read-doubted"), {"number": numbers[:1]})
    batch = QueryBatch.objects.get(project=project)
    assert (batch.why, batch.size) == (READ_AGAIN, 1)


def test_administrators_look_and_change_nothing(admin: Client, project: Project) -> None:
    checked(project)
    shown = page(admin, project)
    assert "Likely wrong" in shown
    assert "read again</button>" not in shown
    assert "Check again" not in shown


def test_too_few_labels_are_said_to_be_too_few(ml_staff: Client, project: Project) -> None:
    checked(project, doubted=[], hasty=[], labels=0)
    shown = page(ml_staff, project)
    assert "too few labels to judge" in shown
    assert "No reading took less than a fifth" in shown


def a_drift(reader: str, numbers: list[int], *, falls: bool) -> dict[str, Any]:
    week = {"week": "2026-03-02", "right": 15, "of": 30, "value": 0.5, "low": 0.33, "high": 0.67}
    share = {"value": 0.95, "low": 0.9, "high": 1.0}
    change = {"since": "2026-03-02", "before": share, "after": week, "p": 0.001} if falls else None
    return {"reader": reader, "weeks": [week], "change": change, "falls": falls, "numbers": numbers}


def test_a_reader_who_fell_is_told_by_number_and_their_cases_are_read_again(
    ml_staff: Client, project: Project
) -> None:
    checked(project)
    reader = Reading.objects.first()
    assert reader is not None
    numbers = list(project.cases.order_by("number").values_list("number", flat=True))
    LabelCheck.objects.update(drifts=[a_drift(str(reader.reader_id), numbers, falls=True)])
    factories.a_reader(project)
    shown = page(ml_staff, project)
    assert "95 % → 50 %" in shown
    assert "since 2 Mar 2026" in shown
    assert "Have 2 read again" in shown
    assert "r.one" not in shown
    ml_staff.post(address(project, "read-doubted"), {"number": numbers})
    assert QueryBatch.objects.get().size == 2


def test_a_steady_reader_has_nothing_to_read_again(ml_staff: Client, project: Project) -> None:
    checked(project, drifts=[a_drift(str(uuid.uuid4()), [], falls=False)])
    assert "Readers over time" in page(ml_staff, project)
    assert "read again</button></form></td>\n        </tr>" not in page(ml_staff, project)
