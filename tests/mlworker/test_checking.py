"""Labels in doubt: found among vectors by hand, and kept by a job with the readings that were too fast."""

import uuid

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.learning.check_models import LabelCheck
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.label_quality import Spent, hasty_among, request_check
from annotation.readings.services import Answered, add_reading, examine
from jobs.models import Job, State
from mlworker.embeddings import EmbeddingStore
from mlworker.evaluation.doubt import doubted, out_of_fold
from mlworker.heads.ensemble import Recipe
from mlworker.heads.features import Scaling
from mlworker.runtime import run
from mlworker.targets import Target
from mlworker.turn import Cases, Labelled
from mlworker.vectors import store_of
from tests.factories import a_member, a_project, a_reader, some_cases
from tests.mlworker.stages import WIDTH, an_encoder


def two_classes(count: int, *, wrong: int, width: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of two classes that lie apart, and labels of which the first few are wrong."""
    random = np.random.default_rng(0)
    truth = np.arange(count) % 2
    vectors = random.normal(size=(count, width)) + 2.0 * np.outer(2 * truth - 1, np.ones(width))
    labels = truth.copy()
    labels[:wrong] = 1 - labels[:wrong]
    return vectors.astype(np.float16), labels


def test_confident_disagreement_is_found_by_hand() -> None:
    """Each class is 0.65 likely on average where it is the label: only the second case reaches that."""
    likely = np.array([[[0.9, 0.1]], [[0.9, 0.1]], [[0.4, 0.6]], [[0.2, 0.8]], [[0.2, 0.8]], [[0.1, 0.9]]])
    labels = np.array([[0], [1], [0], [1], [1], [1]])
    found = doubted(likely, labels)
    assert found.cases.tolist() == [1]
    assert (found.decisions.tolist(), found.thought.tolist()) == ([0], [0])
    assert found.margins.tolist() == pytest.approx([0.8])


def test_labels_that_all_fit_are_not_doubted() -> None:
    likely = np.array([[[0.9, 0.1]], [[0.1, 0.9]]])
    assert len(doubted(likely, np.array([[0], [1]])).cases) == 0


def test_wrong_labels_among_vectors_are_doubted_by_heads_that_never_saw_them() -> None:
    vectors, labels = two_classes(100, wrong=5)
    known = Labelled(Cases(np.arange(100, dtype=np.uint64), vectors), labels, np.arange(100) // 2)
    recipe = Recipe(Target("single", ("a", "b")), adjusted=False)
    likely = out_of_fold(recipe, known, scaling=Scaling.of(vectors), seed=0)
    assert likely.shape == (100, 1, 2)
    assert set(doubted(likely, known.labels).cases[:5].tolist()) == {0, 1, 2, 3, 4}


def test_a_reading_in_a_fifth_of_the_readers_usual_time_is_too_fast() -> None:
    usual = [Spent(number, "slow", 20.0) for number in range(20)]
    found = hasty_among([*usual, Spent(30, "slow", 3.9), Spent(31, "slow", 4.1), Spent(32, "new", 0.1)])
    assert found == [{"number": 30, "reader": "slow", "seconds": 3.9, "usual": 20.0}]


def read(cases: list[Case], project: Project, labels: np.ndarray) -> None:
    reader, now = a_reader(project), timezone.now()
    for place, (case, label) in enumerate(zip(cases, labels, strict=True)):
        value = "pneumonia" if label else "normal"
        said = Answered({"finding": value}, 1.0 if place == 9 else 10.0, 1, uuid.uuid4())
        examined = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
        add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)


def a_read_stage() -> tuple[Project, list[Case]]:
    """Sixty read cases with vectors, the first three labelled wrong."""
    project = a_project()
    cases = some_cases(project, 60, audit_share=0.0)
    vectors, labels = two_classes(60, wrong=3, width=WIDTH)
    store: EmbeddingStore = store_of(an_encoder(project))
    store.append([case.series.content_digest for case in cases], vectors)
    read(cases, project, labels)
    return project, cases


@pytest.mark.django_db
def test_the_job_keeps_what_it_doubts_and_runs_twice() -> None:
    project, cases = a_read_stage()
    job = request_check(project=project, by=a_member(project, Role.ML_STAFF))
    run(job.pk)
    kept = LabelCheck.objects.values().get(project=project)
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED)
    run(job.pk)
    assert LabelCheck.objects.values().get(project=project) == kept
    assert (kept["labels"], kept["readings"]) == (60, 60)
    assert {one["number"] for one in kept["doubted"][:3]} == {case.number for case in cases[:3]}
    assert kept["doubted"][0]["label_share"] < kept["doubted"][0]["thought_share"]
    assert [one["number"] for one in kept["hasty"]] == [cases[9].number]


@pytest.mark.django_db
def test_too_few_labels_are_not_judged() -> None:
    project = a_project()
    run(request_check(project=project, by=a_member(project, Role.ML_STAFF)).pk)
    kept = LabelCheck.objects.get(project=project)
    assert (kept.labels, kept.doubted, kept.hasty) == (0, [], [])


@pytest.mark.django_db
@pytest.mark.parametrize(("people", "labels"), [(1, 0), (2, 60)])
def test_labels_of_one_patient_are_not_judged(people: int, labels: int) -> None:
    project, cases = a_read_stage()
    for place, case in enumerate(cases):
        Case.objects.filter(pk=case.pk).update(patient=cases[place % people].patient_id)
    job = request_check(project=project, by=a_member(project, Role.ML_STAFF))
    run(job.pk)
    assert LabelCheck.objects.get(project=project).labels == labels
