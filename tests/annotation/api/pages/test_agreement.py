"""The agreement page: what it shows, and what it says where there is nothing to show."""

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.models import QueryBatch
from annotation.readings.models import Agreement
from annotation.readings.repeat_models import Repeat
from annotation.readings.services import Answered, add_reading, examine
from audit.models import Event
from jobs.models import Job
from mlworker.runtime import run
from tests import factories
from tests.annotation.api.pages.addresses import address

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def read(case: Case, username: str, value: str, now: datetime) -> None:
    reader = User.objects.filter(username=username).first() or factories.a_reader(case.project, username)
    said = Answered({"finding": value}, 2.0, 1, uuid.uuid4())
    examined = examine(case=case, protocol=protocol_in_force(case.project_id), answered=said)
    add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)


def measured(client: Client, project: Project, now: datetime, *, count: int = 8) -> list[Case]:
    """Cases that two readers read, who differ on the last two; measured."""
    cases = factories.some_cases(project, count)
    for place, case in enumerate(cases):
        truth = "pneumonia" if place % 2 else "normal"
        read(case, "r.one", truth, now)
        read(case, "r.two", "normal" if place >= count - 2 else truth, now)
    client.post(address(project, "measure-agreement"))
    run(Job.objects.get(name="measure_agreement").pk)
    return cases


def page(client: Client, project: Project) -> str:
    return client.get(address(project, "agreement")).content.decode()


def test_without_a_second_reading_the_page_says_what_is_needed(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    (case,) = factories.some_cases(project)
    read(case, "r.one", "normal", now)
    shown = page(ml_staff, project)
    assert "No case has two readings yet" in shown
    assert "Measure now" not in shown


def test_before_the_first_measurement_the_page_offers_it(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    (case,) = factories.some_cases(project)
    read(case, "r.one", "normal", now)
    read(case, "r.two", "normal", now)
    assert "Nobody has measured yet" in page(ml_staff, project)
    ml_staff.post(address(project, "measure-agreement"))
    assert Event.objects.filter(action="agreement.measure", object_id=str(project.pk)).count() == 1


def test_readers_go_by_number_and_disputed_cases_open(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    cases = measured(ml_staff, project, now)
    shown = page(ml_staff, project)
    assert "Reader 1 and Reader 2" in shown
    assert "r.one" not in shown
    assert address(project, "case", number=cases[-1].number) in shown
    assert "0.88" in shown  # seven of eight answers are the same
    assert ">nan" not in shown.lower()


def test_disputed_cases_are_read_again_by_one_click(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    cases = measured(ml_staff, project, now)
    factories.a_reader(project, "r.three")
    ml_staff.post(address(project, "read-disputed"), {"number": [cases[-1].number]})
    batch = QueryBatch.objects.get(project=project)
    assert (batch.why, batch.size) == (READ_AGAIN, 1)


def test_administrators_see_it_and_cannot_change_anything(
    ml_staff: Client, admin: Client, project: Project, now: datetime
) -> None:
    measured(ml_staff, project, now)
    shown = page(admin, project)
    assert "Reader 1 and Reader 2" in shown
    assert "Measure again" not in shown
    assert "read again" not in shown


def test_readings_that_came_since_are_counted(ml_staff: Client, project: Project, now: datetime) -> None:
    measured(ml_staff, project, now)
    (case,) = factories.some_cases(project)
    read(case, "r.one", "normal", timezone.now())
    assert "1 reading came or changed since" in page(ml_staff, project)


def test_a_statistic_that_is_not_defined_says_why(ml_staff: Client, project: Project, now: datetime) -> None:
    for case in factories.some_cases(project, 3):
        read(case, "r.one", "normal", now)
        read(case, "r.two", "normal", now)
    ml_staff.post(address(project, "measure-agreement"))
    run(Job.objects.get(name="measure_agreement").pk)
    assert "is not defined: all readings make the same choice" in page(ml_staff, project)


def test_more_cases_and_readers_need_no_more_queries(
    ml_staff: Client, project: Project, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for count in (4, 9):
        Job.objects.all().delete()
        measured(ml_staff, project, now, count=count)
        page(ml_staff, project)
        with django_assert_max_num_queries(20) as asked:
            page(ml_staff, project)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_programs_get_the_same_numbers(ml_staff: Client, project: Project, now: datetime) -> None:
    where = f"/api/v1/projects/{project.pk}/agreement"
    assert ml_staff.get(where).json()["questions"] == {}
    measured(ml_staff, project, now)
    found: dict[str, Any] = ml_staff.get(where).json()
    assert found["questions"] == Agreement.objects.get(project=project).figures
    assert sorted(found["authors"].values()) == ["Reader 1", "Reader 2"]
    assert ml_staff.post(where).status_code == 202


def drawn_twice(project: Project, now: datetime) -> None:
    """Two cases that a reader got again and drew nothing more on, of whose boxes one is gone."""
    lesions = {"key": "lesions", "prompt": "Where?", "kind": "box", "required": False}
    asked = protocol_in_force(project.pk)
    asked.questions = [*asked.questions, lesions | {"labels": [{"value": "n", "label": "Nodule"}]}]
    asked.save(update_fields=["questions"])
    reader = factories.a_reader(project, "r.one")
    for place, case in enumerate(factories.some_cases(project, 2)):
        image = case.series.instances.get().sop_instance_uid
        box = {"id": str(uuid.uuid4()), "label": "n", "image": image, "points": [[0.0, 0.0], [4.0, 4.0]]}
        factories.a_reading(reader, case, {"finding": "normal", "lesions": [box]})
        repeat = Repeat.objects.create(case=case, project=project, reader=reader, due_at=now, done_at=now)
        repeat.revisions.create(
            reader=reader,
            number=1,
            protocol=asked,
            answers={"finding": "normal", "lesions": [box] if place else []},
            seconds=1.0,
            idempotency_key=uuid.uuid4(),
            created_at=now,
        )


def test_what_one_reader_drew_twice_is_on_the_page_and_given_to_programs(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    drawn_twice(project, now)
    ml_staff.post(address(project, "measure-agreement"))
    run(Job.objects.get(name="measure_agreement").pk)
    shown = page(ml_staff, project)
    _, boxes = shown.split('id="question-lesions"')
    assert "With oneself" in boxes
    assert "Reader 1" in boxes
    assert "r.one" not in shown
    figures = ml_staff.get(f"/api/v1/projects/{project.pk}/agreement").json()["questions"]["lesions"]
    (row,) = figures["repeats"]
    assert row["f1"]["value"] == pytest.approx(2 / 3)
    assert f"{row['f1']['value']:.2f}" in boxes


def test_a_case_says_how_sure_its_reference_standard_is(
    ml_staff: Client, project: Project, now: datetime
) -> None:
    (case,) = factories.some_cases(project)
    for username, value in (("r.one", "normal"), ("r.two", "normal"), ("r.three", "pneumonia")):
        read(case, username, value, now)
    shown = ml_staff.get(address(project, "case", number=case.number)).content.decode().lower()
    assert "share of the readers: normal 67 %, pneumonia 33 %" in shown
