"""Pages of the map, a case, searches and query batches: what ML staff see and set off."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from annotation.learning.files import keep
from annotation.learning.maps import NewMap, record_map
from annotation.learning.models import EmbeddingMap, Evaluation, SimilaritySearch
from annotation.projects.models import Case, Project
from annotation.queue.batches import make_batch
from annotation.queue.models import Entry, QueryBatch
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from audit.models import Event
from jobs.models import Job, State
from tests.annotation.api.pages.addresses import address
from tests.annotation.api.pages.test_learning import a_model
from tests.factories import a_reader, some_cases


@pytest.fixture
def cases(project: Project) -> list[Case]:
    return sorted(some_cases(project, 6), key=lambda case: case.number)


def started(client: Client, project: Project, **form: Any) -> SimilaritySearch:
    answer = client.post(address(project, "start-search"), form)
    search = SimilaritySearch.objects.latest("created_at")
    assert answer["Location"] == address(project, "search", search_id=search.pk)
    return search


def found(search: SimilaritySearch, numbers: list[int]) -> None:
    search.hits = [[number, 0.9 - 0.1 * place] for place, number in enumerate(numbers)]
    search.searched, search.seconds = 6, 0.1
    search.save()


def read_one(project: Project, reader: User) -> Case:
    now = timezone.now()
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    answered = Answered({"finding": "pneumonia"}, 7.0, 1, uuid.uuid4())
    submit(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, answered=answered, now=now)
    return first.case


def test_a_search_is_a_job_and_its_page_waits_for_it(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    search = started(ml_staff, project, like=[2, 3])
    job = Job.objects.get(pk=str(search.job_id))
    assert (job.name, job.lane, search.like) == ("find_similar", "light", [2, 3])
    page = ml_staff.get(address(project, "search", search_id=search.pk)).content.decode()
    assert "Searching" in page
    assert "hx-get" in page


def test_what_was_found_is_shown_with_similarity_and_can_be_chosen(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    search = started(ml_staff, project, like=[2])
    found(search, [4, 5])
    Entry.objects.filter(case=cases[4]).update(state=Entry.State.LEASED)
    page = ml_staff.get(address(project, "search", search_id=search.pk)).content.decode()
    assert page.index('value="4"') < page.index('value="5"')
    assert "0.900" in page
    assert 'aria-label="Choose case 5" disabled' in page
    assert "Being read" in page


def test_a_failed_search_says_why(ml_staff: Client, project: Project, cases: list[Case]) -> None:
    search = started(ml_staff, project, like=[2])
    Job.objects.filter(pk=str(search.job_id)).update(state=State.FAILED, error="ValueError: no encoder yet")
    page = ml_staff.get(address(project, "search", search_id=search.pk)).content.decode()
    assert "no encoder yet" in page
    assert "load delay" not in page


def test_a_class_starts_from_its_labels(ml_staff: Client, project: Project, cases: list[Case]) -> None:
    read = read_one(project, a_reader(project))
    assert started(ml_staff, project, label="pneumonia").like == [read.number]
    ml_staff.post(address(project, "start-search"), {"label": "normal"}, follow=True)
    assert SimilaritySearch.objects.count() == 1


def test_a_search_is_refined_by_what_is_meant_and_what_is_not(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    form = {"like": [1], "number": [2, 3]}
    assert started(ml_staff, project, **form, **{"as": "like"}).like == [1, 2, 3]
    refined = started(ml_staff, project, **form, **{"as": "unlike"}, unlike=[4])
    assert (refined.like, refined.unlike) == ([1], [2, 3, 4])


def test_an_audit_case_starts_no_search(ml_staff: Client, project: Project, cases: list[Case]) -> None:
    Case.objects.filter(pk=cases[0].pk).update(stream=Case.Stream.AUDIT)
    answer = ml_staff.post(address(project, "start-search"), {"like": [1]}, follow=True)
    assert "audit stream are no examples" in answer.content.decode()
    page = ml_staff.get(address(project, "case", number=1)).content.decode()
    assert "Find more like this" not in page
    assert "in no query batch" in page


def test_the_chosen_become_a_query_batch_and_what_was_left_out_is_told(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    Case.objects.filter(pk=cases[0].pk).update(stream=Case.Stream.AUDIT)
    form = {"number": [1, 2, 3], "why": "like case 5"}
    page = ml_staff.post(address(project, "make-batch"), form, follow=True).content.decode()
    assert "2 cases are at the front of the queue until read." in page
    assert "1 of the audit stream, which chance alone fills" in page
    assert set(Entry.objects.exclude(batch=None).values_list("case__number", flat=True)) == {2, 3}
    assert Event.objects.filter(action="query_batch.make").count() == 1


def test_a_batch_asks_for_tags_and_one_whose_tags_are_none_is_not_made(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    form = {"number": [2], "why": "rare", "skills": "Neuro, chest"}
    ml_staff.post(address(project, "make-batch"), form)
    assert QueryBatch.objects.get().required_skills == "chest|neuro"
    page = ml_staff.post(address(project, "make-batch"), form | {"number": [3], "skills": "=x"}, follow=True)
    assert "Nothing was changed" in page.content.decode()
    assert QueryBatch.objects.count() == 1


def test_a_batch_without_a_word_of_why_is_refused(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    page = ml_staff.post(address(project, "make-batch"), {"number": [2], "why": " "}, follow=True)
    assert "Nothing was changed" in page.content.decode()
    assert not QueryBatch.objects.exists()


def test_a_batch_is_withdrawn_where_it_is_listed(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    staff = User.objects.get(username="m.lind")
    made = make_batch(project=project, numbers=[2, 3], why="like case 5", by=staff, now=timezone.now())
    assert made.batch is not None
    page = ml_staff.post(address(project, "withdraw-batch", batch_id=made.batch.pk), follow=True)
    assert "2 cases are back among all others" in page.content.decode()
    assert "Withdrawn" in page.content.decode()
    assert ml_staff.post(address(project, "withdraw-batch", batch_id=uuid.uuid4())).status_code == 404


def test_a_case_shows_its_reading_without_the_readers_name(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    read = read_one(project, a_reader(project, "r.ode"))
    page = ml_staff.get(address(project, "case", number=read.number)).content.decode()
    assert "Reader 1" in page
    assert "r.ode" not in page
    assert "Pneumonia" in page
    assert "7 s" in page
    assert "Modality" in page
    views = Event.objects.filter(action="case.view", object_id=str(read.pk))
    assert views.count() == 1
    assert ml_staff.get(address(project, "case", number=999)).status_code == 404


def test_a_case_of_another_project_has_no_page_here(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    assert ml_staff.get(address(project, "case", number=7)).status_code == 404


def test_an_administrator_looks_and_sets_nothing_off(
    admin: Client, project: Project, cases: list[Case]
) -> None:
    page = admin.get(address(project, "similar")).content.decode()
    assert "Query batches" in page
    assert "Find more like these" not in page
    assert admin.post(address(project, "make-batch"), {"number": [1], "why": "x"}).status_code == 403


def test_a_map_is_asked_for_drawn_and_sent_with_labels(
    ml_staff: Client, project: Project, cases: list[Case]
) -> None:
    assert "No map yet" in ml_staff.get(address(project, "map")).content.decode()
    ml_staff.post(address(project, "draw-map"))
    ml_staff.post(address(project, "draw-map"))
    assert Job.objects.filter(name="map_pool").count() == 1
    busy = ml_staff.get(address(project, "map"), headers={"HX-Request": "true"})
    assert "Draw the map" in busy.content.decode()
    Job.objects.update(state=State.DONE, finished_at=timezone.now())
    assert ml_staff.get(address(project, "map"), headers={"HX-Request": "true"})["HX-Refresh"] == "true"

    model = a_model(project, 1, 0.7)
    Case.objects.filter(pk=cases[1].pk).update(stream=Case.Stream.POOL)
    read = read_one(project, a_reader(project))
    numbers = b"".join(case.number.to_bytes(4, "little") for case in cases)
    stored = keep(numbers + bytes(23 * 6), folder="maps", suffix=".bin")
    facts = {"explained": 0.3, "seconds": 0.2}
    new = NewMap("pca", model.encoder, model, stored, 6, ["A"], ["normal", "pneumonia"], facts)
    record_map(project=project, job_id=uuid.uuid4(), new=new, now=timezone.now())
    page = ml_staff.get(address(project, "map")).content.decode()
    assert "with 30 % of what differs" in page
    content = ml_staff.get(address(project, "map-points"), {"method": "pca"}).content
    labels = list(content[-6:])
    assert len(content) == 28 * 6
    assert labels[read.number - 1] == 1
    assert labels.count(255) == 5
    assert ml_staff.get(address(project, "map-points"), {"method": "umap"}).status_code == 404
    assert EmbeddingMap.objects.get().case_count == 6


def test_the_learning_page_says_calmly_whether_more_labels_pay(ml_staff: Client, project: Project) -> None:
    page = ml_staff.get(address(project, "ml")).content.decode()
    assert "It is too early to say" in page
    assert "Too early for a forecast" in page
    for number in range(1, 6):
        a_model(project, number, 0.8)
    foreseen = {"labels": 100, "gain": 0.004, "low": 0.0, "high": 0.01}
    Evaluation.objects.update(advice={"stability": 0.997, "uncertainty": 0.2, "forecast": foreseen})
    piece = ml_staff.get(address(project, "ml"), {"part": "advice"}).content.decode()
    assert "you could stop here" in piece
    assert "about +0.4 ± 0.6 points" in piece
    assert "advice only" in piece
