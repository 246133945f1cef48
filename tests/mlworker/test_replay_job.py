"""Replays of a project's own labels: the job, the command, what they say when labels do not suffice."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from annotation.learning.models import TrainingRun
from annotation.learning.replays import replays_for, request_replay
from annotation.projects.models import Project
from annotation.readings.models import Reading
from jobs import services as jobs
from jobs.models import Job, State
from mlworker.replay import job as replaying
from mlworker.replay.projects import world_of_project
from mlworker.runtime import Work
from tests.factories import a_member
from tests.mlworker.stages import a_stage, read

pytestmark = pytest.mark.django_db(transaction=True)


def asked(project: Project, *, budget: int = 30) -> Job:
    """Ask for a small replay."""
    return request_replay(project=project, strategies=["default", "random"], seeds=2, budget=budget, by=None)


def done(job: Job) -> Job:
    """Do a job's body as a worker does, in this process."""
    claim = jobs.claim(job.pk, worker="here", now=timezone.now())
    assert claim is not None
    replaying.replay(Work(claim), **claim.arguments)
    job.refresh_from_db()
    return job


def test_a_project_s_labels_are_replayed_and_the_outcome_is_kept() -> None:
    project, cases = a_stage(80)
    read(cases)
    assert done(asked(project)).state == State.DONE
    staff = a_member(project, Role.ML_STAFF)
    kept = replays_for(staff, project.pk).get()
    assert set(kept.result["strategies"]) == {"default", "random"}
    assert kept.result["strategies"]["default"]["curve"][-1][0] == 30
    assert kept.settings == {"strategies": ["default", "random"], "seeds": 2, "budget": 30}


def test_the_job_done_twice_leaves_one_run() -> None:
    project, cases = a_stage(80)
    read(cases)
    job = done(asked(project))
    first = TrainingRun.objects.get(kind="replay").result
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_at=None)
    done(job)
    assert TrainingRun.objects.get(kind="replay").result == first


def test_nothing_of_the_project_is_changed_by_a_replay() -> None:
    project, cases = a_stage(80)
    read(cases)
    done(asked(project))
    assert project.models.count() == 0
    assert not Reading.objects.exists()
    assert project.policy.seed == 0


def test_too_few_labels_end_the_command_with_a_sentence() -> None:
    project, cases = a_stage(40)
    read(cases[:12])
    with pytest.raises(CommandError, match="12 labelled cases to read: a replay needs 30"):
        call_command("replay", project=project.name, seeds=1, budget=20, verbosity=0)


def test_an_unknown_project_is_named_with_those_there_are() -> None:
    a_stage(2)
    with pytest.raises(CommandError, match='there is no project "nothing"'):
        call_command("replay", project="nothing", verbosity=0)


def test_the_command_replays_a_project_by_name(tmp_path: Path) -> None:
    project, cases = a_stage(80)
    read(cases)
    out = tmp_path / "replay.json"
    call_command(
        "replay", project=project.name, strategies="random", seeds=1, budget=30, out=out, verbosity=0
    )
    assert list(json.loads(out.read_text())["strategies"]) == ["random"]


def test_expert_seconds_come_from_the_readings() -> None:
    project, cases = a_stage(40)
    read(cases)
    world = world_of_project(project)
    assert world.seconds is not None
    assert world.seconds.tolist() == [0.0] * 40
    assert world.judge is None
