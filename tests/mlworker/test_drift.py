"""Drift of new images against labelled ones, and the trainings that a policy's triggers begin."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.learning import drifts, services
from annotation.learning.drifts import ask_drifts, ask_trainings, request_drift
from annotation.learning.judged_models import Drift
from annotation.learning.rules import Since, training_is_due
from annotation.projects.models import Case, Part, Project, Split
from annotation.projects.selectors import question_learned
from annotation.readings.models import ReferenceStandard
from audit.models import Event
from jobs.models import Job, Lane, State
from mlworker import tasks
from mlworker.runtime import run
from mlworker.vectors import encoder_of, store_of
from tests.factories import a_member, some_cases
from tests.mlworker.stages import WIDTH, a_stage, of_stream, read

pytestmark = pytest.mark.django_db(transaction=True)
A_WEEK = timedelta(days=7)


def a_project_with_new_images(shift: float) -> Project:
    """Forty labelled images of last week, and forty of today whose vectors lie elsewhere by a shift."""
    project, cases = a_stage(40, audit_share=0.0)
    read(cases)
    project.cases.update(created_at=timezone.now() - A_WEEK)
    encoder, random = encoder_of(project), np.random.default_rng(3)
    new = some_cases(project, 40)
    digests = [case.series.content_digest for case in project.cases.filter(pk__in=[one.pk for one in new])]
    vectors = random.normal(size=(40, WIDTH)) + 6.0 * np.eye(2, WIDTH)[np.arange(40) % 2]
    vectors[:, 5] += shift
    store_of(encoder).append(digests, vectors)
    return project


def measured(project: Project) -> Drift:
    job = request_drift(project=project, by=a_member(project, Role.ML_STAFF))
    run(job.pk)
    job.refresh_from_db()
    assert job.state == State.DONE, job.error
    return Drift.objects.get(job_id=job.pk)


def test_images_of_another_kind_are_told_and_alike_ones_are_not() -> None:
    alike, other = (measured(a_project_with_new_images(shift)) for shift in (0.0, 8.0))
    assert alike.value is not None
    assert other.value is not None
    assert alike.low is not None
    assert alike.low < 0.6
    assert other.value > 0.95
    assert (other.new_images, other.labelled_images) == (40, 40)
    assert Event.objects.filter(action="drift.measure").count() == 2


def test_too_few_images_give_a_reason_and_no_value() -> None:
    project, cases = a_stage(20, audit_share=0.0)
    read(cases)
    found = measured(project)
    assert found.value is None
    assert "0 images are labelled that came before" in found.reason


def test_a_measurement_that_ran_twice_is_one_row() -> None:
    found = measured(a_project_with_new_images(0.0))
    Job.objects.filter(pk=found.job_id).update(state=State.QUEUED, finished_at=None, lease_until=None)
    run(found.job_id)
    assert Drift.objects.count() == 1


def test_drift_is_asked_for_after_an_import_only_where_the_policy_trains_on_it() -> None:
    project, _ = a_stage(4)
    ask_drifts([project])
    assert not Job.objects.filter(name="measure_drift").exists()
    services.set_policy(project=project, by=None, drift_limit=0.8)
    ask_drifts([project])
    assert Job.objects.filter(name="measure_drift", scope_id=project.pk).count() == 1


@pytest.mark.parametrize(
    ("since", "why"),
    [
        (Since(0, 400.0, 0.99), ""),
        (Since(99, 0.5, None), ""),
        (Since(100, 0.0, None), "labels"),
        (Since(1, 30.0, None), "schedule"),
        (Since(1, 1.0, 0.81), "drift"),
        (Since(1, 1.0, 0.80), ""),
    ],
)
def test_a_training_is_due_by_labels_schedule_or_drift_and_never_without_a_label(
    since: Since, why: str
) -> None:
    assert training_is_due(since, labels=100, days=30, drift_limit=0.8) == why
    assert training_is_due(since, labels=None, days=None, drift_limit=None) == ""


def test_a_trigger_that_came_asks_once_and_rests() -> None:
    project, cases = a_stage(60, audit_share=0.0)
    read(of_stream(cases, Case.Stream.POOL)[:30])
    now = timezone.now()
    assert ask_trainings(now) == 0
    services.set_policy(project=project, by=None, train_labels=25)
    assert ask_trainings(now) == 1
    assert ask_trainings(now) == 0
    (job,) = Job.objects.filter(name="train")
    Job.objects.filter(pk=job.pk).update(state=State.FAILED)
    assert ask_trainings(now) == 0
    assert ask_trainings(now + timedelta(hours=7)) == 1
    Job.objects.filter(name="train").update(state=State.DONE)
    assert ask_trainings(now + timedelta(hours=14)) == 0
    read(of_stream(cases, Case.Stream.POOL)[30:])
    assert ask_trainings(now + timedelta(hours=14)) == 1
    (event,) = Event.objects.filter(action="training.trigger", details={"why": "labels"})[:1]
    assert event.object_id == str(project.pk)


def test_a_trigger_that_came_too_early_is_tried_again_later() -> None:
    project, cases = a_stage(8, audit_share=0.0)
    read(cases[:4])
    services.set_policy(project=project, by=None, train_days=1)
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - A_WEEK)
    assert ask_trainings(timezone.now()) == 0
    assert not Job.objects.filter(name="train").exists()


def learned_by(project: Project, now: datetime) -> None:
    """Let the training that was asked for end well."""
    assert ask_trainings(now) == 1
    Job.objects.filter(name="train", scope_id=project.pk).update(state=State.DONE)


def test_labels_that_no_training_learns_from_begin_none() -> None:
    project, cases = a_stage(60, audit_share=0.0)
    read(cases)
    Split.objects.create(project=project, likeness=0.95, created_at=timezone.now())
    project.cases.update(part=Part.TRAIN)
    project.cases.filter(pk__in=[one.pk for one in cases[30:]]).update(part=Part.TEST)
    services.set_policy(project=project, by=None, train_days=1)
    now = timezone.now() + A_WEEK
    learned_by(project, now)
    assert ask_trainings(now + A_WEEK) == 0
    project.cases.update(part=Part.TRAIN)
    ReferenceStandard.objects.filter(case__in=cases[30:]).update(answers={"comment": "blurred"})
    assert ask_trainings(now + A_WEEK) == 0


def test_the_same_labels_are_not_learned_twice_by_a_trigger() -> None:
    project, cases = a_stage(60, audit_share=0.0)
    read(cases)
    services.set_policy(project=project, by=None, train_days=1)
    now = timezone.now() + A_WEEK
    key = question_learned(project.pk).key
    ReferenceStandard.objects.filter(case__in=cases[30:]).update(answers={key: "no choice of this question"})
    learned_by(project, now)
    assert ask_trainings(now + A_WEEK) == 0
    assert Job.objects.filter(name="train").count() == 1
    assert Event.objects.filter(action="training.trigger").count() == 1


def test_a_refusal_rests(caplog: pytest.LogCaptureFixture) -> None:
    project, cases = a_stage(8, audit_share=0.0)
    read(cases[:4])
    services.set_policy(project=project, by=None, train_days=1)
    now = timezone.now() + A_WEEK
    with caplog.at_level("INFO", logger=drifts.__name__):
        for minutes in (0, 5, 7 * 60):
            assert ask_trainings(now + timedelta(minutes=minutes)) == 0
    assert sum("cannot be" in line for line in caplog.messages) == 2


def test_one_project_that_fails_leaves_the_others_their_training(caplog: pytest.LogCaptureFixture) -> None:
    broken, sound = (a_stage(40, audit_share=0.0) for _ in range(2))
    for project, cases in (broken, sound):
        read(cases)
        services.set_policy(project=project, by=None, train_labels=25)
    broken[0].protocols.all().delete()
    assert ask_trainings(timezone.now() + A_WEEK) == 1
    assert Job.objects.get(name="train").scope_id == sound[0].pk
    assert "could not be asked for" in caplog.text


def test_jobs_of_dead_workers_are_given_up_whatever_else_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    dead = Job.objects.create(
        name="refit",
        lane=Lane.LIGHT,
        state=State.RUNNING,
        attempts=5,
        lease_until=now - A_WEEK,
        created_at=now - A_WEEK,
    )

    def failing(**_: object) -> None:
        raise OSError("no room left")

    monkeypatch.setattr("mlworker.backing_up.ask_backup", failing)
    with pytest.raises(OSError, match="no room"):
        tasks.sweep()
    dead.refresh_from_db()
    assert dead.state == State.FAILED
