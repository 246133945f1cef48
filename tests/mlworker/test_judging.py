"""Models side by side on the audit stream: figures, differences, and every case by what it was taken for."""

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.learning.judged import Mistakes, kinds_of, mistakes_of, request_comparison
from annotation.learning.judged_models import Comparison, JudgedCase
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.queue.mistakes import reread_mistakes
from annotation.queue.models import Entry
from annotation.readings.models import ReferenceStandard
from jobs.models import Job, State
from mlworker.judging import calibration_of, confusion_of
from mlworker.runtime import run
from mlworker.targets import MULTI, SINGLE, Target
from tests.factories import CHOICES, a_member, a_reader
from tests.mlworker.stages import a_stage, of_stream, read, refitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    """A project with two versions, whose audit stream has two labels that its images do not show."""
    project, cases = a_stage(120, audit_share=0.5)
    pool, audit = of_stream(cases, "pool"), of_stream(cases, "audit")
    read(pool[:12])
    read(audit[:30])
    for case in audit[:2]:
        standard = ReferenceStandard.objects.get(case=case)
        other = next(value for value, _ in CHOICES if value != standard.answers["finding"])
        ReferenceStandard.objects.filter(case=case).update(answers={"finding": other})
    refitted(project)
    read(pool[12:30])
    refitted(project)
    return project


def compared(project: Project, *numbers: int) -> Job:
    job = request_comparison(project=project, numbers=numbers, by=a_member(project, Role.ML_STAFF))
    run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error
    return job


def test_both_models_are_judged_on_the_same_cases_with_a_paired_difference(project: Project) -> None:
    compared(project, 1, 2)
    found = Comparison.objects.get(project=project)
    assert (found.key, found.cases) == ("1,2", 30)
    first, second = found.figures["models"]
    assert (first["number"], second["number"]) == (1, 2)
    assert {"balanced_accuracy", "calibration_error", "recall:normal"} <= first["metrics"].keys()
    (difference,) = found.figures["differences"]
    score = difference["balanced_accuracy"]
    assert (difference["number"], difference["against"]) == (2, 1)
    one, other = (model["metrics"]["balanced_accuracy"]["value"] for model in (second, first))
    assert score["difference"] == pytest.approx(one - other)
    assert score["low"] <= score["difference"] <= score["high"]


def test_every_audit_case_is_kept_with_what_it_was_taken_for(project: Project) -> None:
    compared(project, 2)
    figures = Comparison.objects.get(project=project).figures["models"][0]
    rows = JudgedCase.objects.filter(model__number=2)
    assert rows.count() == 30 == sum(map(sum, figures["confusion"][0]["counts"]))
    names = figures["confusion"][0]["names"]
    for row, truth in enumerate(names):
        for column, thought in enumerate(names):
            counted = rows.filter(truth=truth, thought=thought).count()
            assert counted == figures["confusion"][0]["counts"][row][column]
    assert sum(one["count"] for one in figures["calibration"]) == 30


def test_wrong_labels_are_the_surest_mistakes(project: Project) -> None:
    compared(project, 2)
    staff = a_member(project, Role.ML_STAFF)
    model = project.models.get(number=2)
    audit = of_stream(list(project.cases.order_by("number")), "audit")
    mistakes = list(mistakes_of(staff, model, Mistakes()))
    assert {one.case_id for one in mistakes[:2]} == {case.pk for case in audit[:2]}
    shares = [one.share for one in mistakes]
    assert shares == sorted(shares, reverse=True)
    kinds = kinds_of(model)
    assert sum(one["count"] for one in kinds) == len(mistakes)
    only = mistakes_of(staff, model, Mistakes(truth=kinds[0]["truth"], thought=kinds[0]["thought"]))
    assert only.count() == kinds[0]["count"]


def test_judged_again_and_run_again_the_rows_are_the_same(project: Project) -> None:
    job = compared(project, 1, 2)
    before = set(JudgedCase.objects.values_list("model", "case", "share"))
    compared(project, 1, 2)
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_at=None, lease_until=None)
    run(job.pk)
    assert set(JudgedCase.objects.values_list("model", "case", "share")) == before
    assert Comparison.objects.count() == 1


def test_mistakes_are_read_again_with_as_many_controls(project: Project) -> None:
    compared(project, 2)
    staff, _reader = a_member(project, Role.ML_STAFF), a_reader(project)
    model = project.models.get(number=2)
    wrong = [one.case.number for one in mistakes_of(staff, model, Mistakes())]
    asked = reread_mistakes(version=model, numbers=wrong, by=staff, now=timezone.now())
    assert asked.controls == len(wrong)
    assert asked.gathered.batch is not None
    assert asked.gathered.batch.size == 2 * len(wrong)
    waiting = Entry.objects.filter(batch=asked.gathered.batch, state=Entry.State.WAITING)
    assert set(waiting.values_list("case__stream", flat=True)) == {Case.Stream.AUDIT}


def test_a_model_that_is_not_there_and_too_many_are_refused(project: Project) -> None:
    staff = a_member(project, Role.ML_STAFF)
    with pytest.raises(RefusedError, match="no model 9"):
        request_comparison(project=project, numbers=[1, 9], by=staff)
    with pytest.raises(RefusedError, match="5 models were chosen"):
        request_comparison(project=project, numbers=[1, 2, 3, 4, 5], by=staff)
    assert not Job.objects.filter(name="compare_models").exists()


def test_calibration_is_how_often_right_by_how_sure() -> None:
    said = np.array([[[0.95, 0.05]], [[0.92, 0.08]], [[0.45, 0.55]]])
    bins = calibration_of(said, np.array([[0], [1], [1]]))
    assert bins == [
        {"sure": 0.55, "right": 1.0, "count": 1},
        {"sure": 0.935, "right": 0.5, "count": 2},
    ]


def test_several_findings_have_a_table_each() -> None:
    said = np.array([[[0.2, 0.8], [0.9, 0.1]], [[0.7, 0.3], [0.4, 0.6]]])
    labels = np.array([[1, 0], [1, 1]])
    tables = confusion_of(said, labels, Target(MULTI, ("a", "b")))
    assert [one["choice"] for one in tables] == ["a", "b"]
    assert [one["counts"] for one in tables] == [[[0, 0], [1, 1]], [[1, 0], [0, 1]]]
    (only,) = confusion_of(said[:, :1], labels[:, :1], Target(SINGLE, ("a", "b")))
    assert only["counts"] == [[0, 0], [1, 1]]
