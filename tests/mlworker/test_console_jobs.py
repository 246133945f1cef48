"""Searches, maps and notes on real rows: found once, drawn once, audit cases never offered."""

import uuid
from array import array

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.learning import similar
from annotation.learning.judgements import advice_for
from annotation.learning.maps import map_bytes, maps_for, request_map
from annotation.learning.models import EmbeddingMap, Evaluation, SimilaritySearch
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.queue.batches import make_batch
from annotation.queue.models import Entry
from audit.models import Event
from jobs.models import Job, State
from mlworker.projection import has_umap
from mlworker.runtime import run
from tests.factories import a_member, a_project, some_cases
from tests.mlworker.stages import a_stage, of_stream, read, refitted, truth_of

pytestmark = pytest.mark.django_db(transaction=True)


def searched(
    project: Project, like: list[int], unlike: list[int] | None = None
) -> tuple[SimilaritySearch, Job]:
    staff = a_member(project, Role.ML_STAFF)
    search = similar.ask_similar(
        project=project, like=like, unlike=unlike or [], by=staff, now=timezone.now()
    )
    run(str(search.job_id))
    search.refresh_from_db()
    return search, Job.objects.get(pk=str(search.job_id))


def drawn(project: Project) -> EmbeddingMap:
    staff = a_member(project, Role.ML_STAFF)
    job = request_map(project=project, by=staff)
    run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error
    return maps_for(staff, project.pk)["pca"]


def hits_of(search: SimilaritySearch) -> list[tuple[int, float]]:
    assert search.hits is not None
    return [(number, similarity) for number, similarity in search.hits]


def numbers(cases: list[Case]) -> list[int]:
    return [case.number for case in cases]


def test_cases_of_the_examples_class_come_first_and_the_audit_stream_is_left_out() -> None:
    project, cases = a_stage(120)
    pool = of_stream(cases, Case.Stream.POOL)
    example = pool[0]
    like = [case.number for case in pool if truth_of(case) == truth_of(example)][:5]
    search, job = searched(project, like)
    assert job.state == State.DONE
    hits = [number for number, _ in hits_of(search)]
    by_number = {case.number: case for case in cases}
    assert set(hits) <= set(numbers(pool)) - set(like)
    places = {True: [0], False: [0]}
    for place, number in enumerate(hits):
        places[truth_of(by_number[number]) == truth_of(example)].append(place)
    assert np.mean(places[True]) < np.mean(places[False])
    assert (search.searched, search.like) == (len(pool), like)
    similarities = [similarity for _, similarity in hits_of(search)]
    assert similarities == sorted(similarities, reverse=True)


def test_read_held_and_batched_cases_are_not_offered() -> None:
    project, cases = a_stage(40, audit_share=0.0)
    read(cases[:5])
    Entry.objects.filter(case=cases[5]).update(state=Entry.State.LEASED)
    staff = a_member(project, Role.ML_STAFF)
    make_batch(project=project, numbers=[cases[6].number], why="to see", by=staff, now=timezone.now())
    search, _ = searched(project, [cases[0].number])
    assert {number for number, _ in hits_of(search)} == set(numbers(cases[7:]))


def test_a_search_that_runs_twice_finds_the_same() -> None:
    project, cases = a_stage(40, audit_share=0.0)
    search, job = searched(project, [cases[0].number], [cases[1].number])
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_at=None)
    run(job.pk)
    again = SimilaritySearch.objects.get(pk=search.pk)
    assert (again.hits, again.seconds) == (search.hits, search.seconds)
    assert cases[1].number not in [number for number, _ in hits_of(again)]


def test_an_audit_case_is_no_example() -> None:
    project, cases = a_stage(60)
    staff = a_member(project, Role.ML_STAFF)
    audit = of_stream(cases, Case.Stream.AUDIT)[0]
    with pytest.raises(RefusedError, match="audit stream"):
        similar.ask_similar(project=project, like=[audit.number], unlike=[], by=staff, now=timezone.now())
    with pytest.raises(RefusedError, match="1 to 5"):
        similar.ask_similar(project=project, like=[], unlike=[], by=staff, now=timezone.now())
    assert not SimilaritySearch.objects.exists()


def test_a_search_is_audited_by_case_numbers() -> None:
    project, cases = a_stage(40, audit_share=0.0)
    searched(project, [cases[3].number])
    assert Event.objects.get(action="similar.search").details == {"like": [cases[3].number], "unlike": []}


def test_examples_of_a_class_are_its_newest_labels_in_the_pool() -> None:
    project, cases = a_stage(60)
    read(cases[:40])
    found = similar.examples_of(project.pk, "pneumonia")
    by_number = {case.number: case for case in cases}
    assert len(found) == 5
    assert {(truth_of(by_number[number]), by_number[number].stream) for number in found} == {(1, "pool")}


def test_without_an_encoder_the_job_says_what_to_wait_for() -> None:
    project = a_project()
    case = some_cases(project, 3)[0]
    _, job = searched(project, [case.number])
    assert job.state == State.FAILED
    assert "no encoder yet" in job.error


def test_a_map_shows_every_readable_case_with_todays_labels() -> None:
    project, cases = a_stage(60)
    Case.objects.filter(pk=cases[0].pk).update(stream=Case.Stream.HELD_OUT)
    read(of_stream(cases[1:40], Case.Stream.POOL)[:20])
    refitted(project)
    found = drawn(project)
    count = found.case_count
    assert count == 59
    assert found.model is not None
    assert 0.1 < found.facts["explained"] <= 1.0
    read(cases[40:41])
    content = map_bytes(found)
    listed = list(array("I", content[: 4 * count]))
    places = np.frombuffer(content, "<u2", 2 * count, 4 * count)
    unsure, predicted, site, labels = (
        np.frombuffer(content, np.uint8, count, offset)
        for offset in (8 * count, 9 * count, 10 * count, 27 * count)
    )
    first_id = uuid.UUID(bytes=content[11 * count : 11 * count + 16])
    assert listed == [case.number for case in cases[1:]]
    assert first_id == cases[1].pk
    assert places.max() <= 65_535
    assert places.std() > 5_000
    assert unsure.max() <= 254
    assert np.mean(predicted == [truth_of(case) for case in cases[1:]]) > 0.9
    assert found.sites[site[0]] == "Device not told"
    assert labels[listed.index(cases[40].number)] == truth_of(cases[40])
    assert len(content) == 28 * count


def test_a_map_is_drawn_once_a_job_and_replaces_the_older_one() -> None:
    project, _ = a_stage(20)
    first = drawn(project)
    Job.objects.filter(pk=first.job_id).update(state=State.QUEUED, finished_at=None)
    run(first.job_id)
    assert EmbeddingMap.objects.get(project=project) == first
    assert drawn(project) != first
    assert EmbeddingMap.objects.filter(project=project).count() == 1


def test_umap_is_asked_for_only_where_it_is_installed() -> None:
    project, _ = a_stage(20)
    drawn(project)
    asked = Job.objects.filter(name="map_pool_umap", arguments={"project_id": str(project.pk)})
    assert asked.exists() is has_umap()


def test_a_fit_notes_the_pools_uncertainty_and_how_it_agrees_with_the_one_before() -> None:
    project, cases = a_stage(120)
    pool = of_stream(cases, Case.Stream.POOL)
    read(pool[:20])
    refitted(project)
    read(pool[20:50])
    refitted(project)
    refitted(project)
    first, second, third = Evaluation.objects.order_by("model__number").values_list("advice", flat=True)
    assert 0.0 <= first["uncertainty"] <= 1.0
    assert "stability" not in first
    assert 0.5 < second["stability"] <= 1.0
    assert third == second
    staff = a_member(project, Role.ML_STAFF)
    assert advice_for(staff, project.pk).verdict == "early"
