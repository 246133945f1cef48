"""Query batches by program: of numbers, of searches, and of the lists that the console shows."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from annotation.api.pages import anchoring
from annotation.learning.check_models import LabelCheck
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.learning.models import SimilaritySearch
from annotation.projects.models import Case, Project
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.models import Entry, QueryBatch
from annotation.readings.models import Agreement, ReferenceStandard, Revision
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.programs import API, at, send
from tests.mlworker.stages import an_encoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """A project of eight cases that wait for two readers."""
    made = factories.a_project()
    factories.some_cases(made, 8)
    factories.a_reader(made, "r.two")
    return made


@pytest.fixture
def staff(project: Project) -> Client:
    return factories.a_client(factories.a_member(project, Role.ML_STAFF))


def read_already(project: Project) -> None:
    one = factories.a_reader(project, "r.one")
    for case in project.cases.order_by("number"):
        factories.a_reading(one, case, {"finding": "normal"})


def made(client: Client, project: Project, body: dict[str, Any], **headers: str) -> Any:
    return send(client, "POST", at(project, "batches"), body, **headers)


def numbers_in(batch: str) -> list[int]:
    return sorted(Entry.objects.filter(batch=UUID(batch)).values_list("case__number", flat=True))


def test_a_batch_is_made_once_a_key_listed_and_withdrawn(staff: Client, project: Project) -> None:
    body = {"numbers": [2, 3, 99], "why": "Like case 1", "skills": ["Chest"]}
    first, again = (made(staff, project, body, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert (first.json()["size"], first.json()["left_out"]) == (2, {"held_out": 1})
    batch = QueryBatch.objects.get()
    assert numbers_in(first.json()["batch"]) == [2, 3]
    [line] = staff.get(API + at(project, "batches")).json()["batches"]
    assert (line["why"], line["required_skills"], line["waiting"], line["read"]) == (
        "Like case 1",
        ["chest"],
        2,
        0,
    )
    path = at(project, f"batches/{batch.pk}/withdrawal")
    assert [send(staff, "POST", path).json()["went_back"] for _ in range(2)] == [2, 0]
    gone = send(staff, "POST", at(project, f"batches/{uuid4()}/withdrawal"))
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


def test_batches_are_listed_page_by_page_in_as_many_queries_for_many(staff: Client, project: Project) -> None:
    for number in (1, 2, 3):
        made(staff, project, {"numbers": [number], "why": f"case {number}"})
    first = staff.get(API + at(project, "batches?size=2")).json()
    rest = staff.get(API + at(project, f"batches?size=2&cursor={first['next']}")).json()
    assert [one["why"] for one in first["batches"] + rest["batches"]] == ["case 3", "case 2", "case 1"]
    assert rest["next"] is None
    with CaptureQueriesContext(connection) as few:
        staff.get(API + at(project, "batches?size=1"))
    with CaptureQueriesContext(connection) as many:
        staff.get(API + at(project, "batches?size=3"))
    assert len(few) == len(many)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "numbers"),
        ({"numbers": [1], "origin": "hasty"}, "numbers"),
        ({"numbers": [0]}, "numbers"),
        ({"numbers": [1], "why": ""}, "the reason has 0 characters"),
        ({"numbers": [1]}, "why: "),
        ({"numbers": [1], "why": "for you", "skills": ["a;b"]}, "is no tag"),
        ({"origin": "guessed"}, "origin"),
        ({"origin": "disputed"}, "measure it first"),
        ({"origin": "doubted"}, "check them first"),
        ({"origin": "hasty"}, "check them first"),
        ({"origin": "drift"}, "check them first"),
        ({"origin": "conflicts"}, "search first"),
    ],
)
def test_what_makes_no_batch_is_said(
    staff: Client, project: Project, body: dict[str, Any], words: str
) -> None:
    refused = made(staff, project, body)
    assert refused.status_code == 422
    assert words in refused.json()["detail"]
    assert not QueryBatch.objects.exists()


def test_the_lists_of_label_quality_become_batches(staff: Client, project: Project) -> None:
    read_already(project)
    reader = str(uuid4())
    LabelCheck.objects.create(
        project=project,
        doubted=[{"number": 3}, {"number": 1}],
        hasty=[{"number": 2, "reader": reader}],
        drifts=[{"reader": reader, "numbers": [5, 4]}, {"reader": "x", "numbers": [6]}],
        labels=8,
        readings=8,
        job_id=uuid4(),
        seconds=0.1,
        created_at=timezone.now(),
    )
    worst = made(staff, project, {"origin": "doubted", "most": 1}).json()["batch"]
    assert numbers_in(worst) == [3]
    assert QueryBatch.objects.get(pk=worst).why == READ_AGAIN
    assert numbers_in(made(staff, project, {"origin": "hasty"}).json()["batch"]) == [2]
    assert numbers_in(made(staff, project, {"origin": "drift", "reader": reader}).json()["batch"]) == [4, 5]
    event = Event.objects.filter(action="query_batch.make").earliest("sequence")
    assert event.details == {"cases": [3]}


def test_disputed_cases_become_a_batch_of_one_question_or_all(staff: Client, project: Project) -> None:
    read_already(project)
    finding = {"confusions": [{"one": "a", "other": "b", "count": 2, "cases": [7, 2]}]}
    Agreement.objects.create(
        project=project,
        figures={"mask": {"worst": [[5, 0.1], [6, 0.2]]}, "finding": finding},
        readings=8,
        job_id=uuid4(),
        seconds=0.1,
        created_at=timezone.now(),
    )
    one = made(staff, project, {"origin": "disputed", "question": "mask", "most": 1}).json()
    assert numbers_in(one["batch"]) == [5]
    all_of_them = made(staff, project, {"origin": "disputed"}).json()
    assert numbers_in(all_of_them["batch"]) == [2, 6, 7]
    assert all_of_them["left_out"] == {"in_batch": 1}


def test_no_case_on_which_readers_agree_is_among_the_disputed(staff: Client, project: Project) -> None:
    read_already(project)
    figures = {
        "mask": {"measure": "Mean Dice", "worst": [[5, 0.0], [6, 0.999], [7, 1.0]]},
        "size": {"measure": "Krippendorff's α, interval", "worst": [[1, 1.0], [2, 0.001], [3, 0.0]]},
    }
    kept = {"readings": 8, "job_id": uuid4(), "seconds": 0.1, "created_at": timezone.now()}
    Agreement.objects.create(project=project, figures=figures, **kept)
    made_of_all = made(staff, project, {"origin": "disputed"}).json()["batch"]
    assert numbers_in(made_of_all) == [1, 2, 5, 6]
    Agreement.objects.update(figures={"mask": {"measure": "Mean Dice", "worst": [[7, 1.0]]}})
    assert "measure it first" in made(staff, project, {"origin": "disputed"}).json()["detail"]


def test_near_duplicates_that_contradict_each_other_become_a_batch(staff: Client, project: Project) -> None:
    read_already(project)
    search = DuplicateSearch.objects.create(
        project=project,
        encoder=an_encoder(project),
        likeness=0.95,
        searched=8,
        group_count=2,
        seconds=0.1,
        job_id=uuid4(),
        created_at=timezone.now(),
    )
    for case in project.cases.filter(number__lte=4):
        Duplicate.objects.create(search=search, case=case, group=1 + case.number // 3, likeness=0.99)
    pneumonia = ReferenceStandard.objects.filter(case__project=project, case__number=1)
    assert pneumonia.update(answers={"finding": "pneumonia"}) == 1
    assert numbers_in(made(staff, project, {"origin": "conflicts"}).json()["batch"]) == [1, 2]


def test_a_search_is_asked_for_followed_and_its_hits_say_what_is_free(
    staff: Client, project: Project
) -> None:
    asked = send(staff, "POST", at(project, "searches"), {"like": [1], "unlike": [2]})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    search = SimilaritySearch.objects.get(pk=asked.json()["id"])
    assert Job.objects.get(pk=str(search.job_id)).name == "find_similar"
    path = API + at(project, f"searches/{search.pk}")
    assert staff.get(path).json()["hits"] is None
    SimilaritySearch.objects.update(hits=[[4, 0.9], [3, 0.8]], searched=6)
    made(staff, project, {"numbers": [4], "why": "Like case 1"})
    hits = staff.get(path).json()["hits"]
    assert [(one["number"], one["similarity"], one["is_free"]) for one in hits] == [
        (4, 0.9, False),
        (3, 0.8, True),
    ]
    send(staff, "POST", at(project, "searches"), {"like": [3]})
    first = staff.get(API + at(project, "searches?size=1")).json()
    rest = staff.get(API + at(project, f"searches?size=1&cursor={first['next']}")).json()
    assert [first["searches"][0]["like"], rest["searches"][0]["like"]] == [[3], [1]]
    assert staff.get(API + at(project, f"searches/{uuid4()}")).status_code == 404


def led(project: Project) -> None:
    """One reader: of ten cases whose suggestion was seen all sent as it was, of ten blank ones none."""
    reader = factories.a_reader(project, "r.one")
    said = {"question": "finding", "probabilities": {"normal": 0.9, "pneumonia": 0.1}, "shown": ""}
    for place, case in enumerate(factories.some_cases(project, 20)):
        is_shown = place < 10
        value = "normal" if is_shown else "pneumonia"
        revision = factories.a_reading(reader, case, {"finding": value}, seconds=30.0 - place)
        side = {"shown": "before_answer", "withheld": ""} if is_shown else {"withheld": "control"}
        Revision.objects.filter(pk=revision.pk).update(suggestion=said | side)


def test_what_who_is_led_sent_as_suggested_becomes_a_batch_by_program_and_by_one_click(
    staff: Client, project: Project
) -> None:
    refused = made(staff, project, {"origin": "anchored", "why": "Led"})
    assert (refused.status_code, "led by suggestions" in refused.json()["detail"]) == (422, True)
    led(project)
    numbers = list(range(18, 8, -1))
    [found] = staff.get(API + at(project, "anchoring")).json()
    assert found["taken"] == numbers
    some = made(staff, project, {"origin": "anchored", "why": "Led", "most": 4}).json()["batch"]
    assert numbers_in(some) == sorted(numbers[:4])
    where = f"/projects/{project.pk}/learning/anchoring"
    page = staff.get(where).content.decode()
    assert "Have 6 read again" in page
    answer = staff.post(
        reverse("read-doubted", kwargs={"project_id": project.pk}), {"list": "anchoring", "number": numbers}
    )
    assert answer["Location"] == where
    batch = QueryBatch.objects.get(why=READ_AGAIN)
    assert numbers_in(str(batch.pk)) == sorted(numbers[4:])


def test_the_next_of_who_is_led_come_where_the_first_were_read_again_or_wait_for_it(
    staff: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    led(project)
    second = factories.a_reader(project)
    factories.a_reading(second, project.cases.get(number=18), {"finding": "normal"})
    asked = {"origin": "anchored", "why": "Led", "most": 4}
    assert numbers_in(made(staff, project, asked).json()["batch"]) == [14, 15, 16, 17]
    monkeypatch.setattr(anchoring, "CASES_SHOWN", 3)
    page = staff.get(f"/projects/{project.pk}/learning/anchoring").content.decode()
    assert re.findall(r'name="number" value="(\d+)"', page) == ["13", "12", "11"]
    assert numbers_in(made(staff, project, asked).json()["batch"]) == [10, 11, 12, 13]
    Entry.objects.filter(batch__isnull=False, case__number=12).update(state=Entry.State.DONE)
    assert numbers_in(made(staff, project, asked).json()["batch"]) == [9, 12], "it was passed on unread"
    assert "led by suggestions" in made(staff, project, asked).json()["detail"]


def test_a_search_begins_with_labelled_cases_of_a_class_or_is_refused(
    staff: Client, project: Project
) -> None:
    read_already(project)
    normal = send(staff, "POST", at(project, "searches"), {"label": "normal"})
    assert len(normal.json()["like"]) == 5
    refused = send(staff, "POST", at(project, "searches"), {"label": "pneumonia"})
    assert (refused.status_code, "give 1 to 5" in refused.json()["detail"]) == (422, True)
    Case.objects.filter(project=project, number=8).update(stream=Case.Stream.AUDIT)
    audited = send(staff, "POST", at(project, "searches"), {"like": [8]})
    assert "case 8 is not in the pool" in audited.json()["detail"]


def test_anchoring_holds_readings_that_saw_a_suggestion_against_blank_starts(
    staff: Client, project: Project
) -> None:
    read_already(project)
    said = {"question": "finding", "probabilities": {"normal": 0.9, "pneumonia": 0.1}}
    sides = {1: {"shown": "before_answer"}, 2: {"withheld": "control"}, 3: {}}
    for number, side in sides.items():
        of_case = Revision.objects.filter(reading__case__project=project, reading__case__number=number)
        assert of_case.update(suggestion=said | {"shown": "", "withheld": ""} | side) == 1
    [found] = staff.get(API + at(project, "anchoring")).json()
    assert (found["question"], found["unseen"], found["all"]["missing"]) == ("finding", 1, 9)
    assert (found["all"]["shown"]["count"], found["all"]["control"]["count"]) == (1, 1)
    assert found["all"]["shown"]["agreement"]["value"] == 1.0
    assert found["all"]["agreement_effect"] is None
    assert [one["name"] for one in found["readers"]] == ["Reader 1"]
    assert found["verdict"].startswith("Not enough controls yet: 1 readings started blank")
    page = staff.get(f"/projects/{project.pk}/learning/anchoring").content.decode()
    assert "Not enough controls yet: 1 readings started blank" in page
