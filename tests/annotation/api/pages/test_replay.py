"""The replay page of ML staff."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.learning import runs
from annotation.learning.models import Policy
from annotation.learning.replays import request_replay
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from audit.models import Event
from jobs.models import Job, State
from mlworker.replay.settings import policies_of
from mlworker.replay.study import Question, answer
from tests.annotation.api.pages.addresses import address
from tests.mlworker.test_replay import a_world, silent

ASKED: dict[str, Any] = {"strategies": ["default", "random"], "seeds": 20, "budget": 60}


def a_replay(project: Project) -> dict[str, Any]:
    """Keep a real replay of a synthetic set."""
    policies = policies_of(["default", "random"], Policy())
    found = answer(a_world(), Question(policies, seeds=2, budget=60), silent)
    job_id, now = uuid.uuid4(), timezone.now()
    runs.start_run(job_id=job_id, new=runs.NewRun(kind="replay", project_id=project.pk), now=now)
    runs.finish_run(job_id=job_id, result=found)
    return found


def test_before_the_first_replay_the_page_says_what_it_needs(ml_staff: Client, project: Project) -> None:
    page = ml_staff.get(address(project, "replay")).content.decode()
    assert "No replay yet" in page
    assert "Ask for a replay" in page
    assert 'value="20"' in page


def test_a_replay_is_shown_as_curves_tables_and_words(ml_staff: Client, project: Project) -> None:
    found = a_replay(project)
    page = ml_staff.get(address(project, "replay")).content.decode()
    assert 'role="img"' in page
    assert "Policy in force" in page
    assert f"{found['strategies']['random']['area_mean']:.3f}" in page
    assert "no difference can be significant" in page


def test_asking_makes_one_job_and_one_audit_event(ml_staff: Client, project: Project) -> None:
    for _ in range(2):
        assert ml_staff.post(address(project, "ask-replay"), ASKED).status_code == 302
    job = Job.objects.get(name="replay")
    assert job.arguments == {"project_id": str(project.pk), **ASKED}
    assert Event.objects.filter(action="replay.request").count() == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strategies": []}, "Choose at least one strategy."),
        ({"seeds": 0}, "greater than or equal to 1"),
        ({"budget": 5}, "greater than or equal to 20"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    ml_staff: Client, project: Project, change: dict[str, Any], said: str
) -> None:
    answered = ml_staff.post(address(project, "ask-replay"), ASKED | change)
    assert answered.status_code == 422
    assert said in answered.content.decode()
    assert not Job.objects.filter(name="replay").exists()


def test_progress_is_a_piece_of_the_page(ml_staff: Client, project: Project) -> None:
    ml_staff.post(address(project, "ask-replay"), ASKED)
    Job.objects.filter(name="replay").update(state=State.RUNNING, progress=0.25, message="seed 5: random")
    piece = ml_staff.get(address(project, "replay"), {"part": "progress"}).content.decode()
    assert "seed 5: random" in piece
    assert "<html" not in piece


def test_the_page_is_loaded_again_once_a_replay_has_ended(ml_staff: Client, project: Project) -> None:
    ml_staff.post(address(project, "ask-replay"), ASKED)
    Job.objects.filter(name="replay").update(state=State.DONE)
    piece = ml_staff.get(address(project, "replay"), {"part": "progress"})
    assert (piece.status_code, piece.headers["HX-Refresh"]) == (204, "true")
    page = ml_staff.get(address(project, "replay")).content.decode()
    assert "hx-get" not in page[page.index("<main") :]


def test_a_replay_that_failed_says_why(ml_staff: Client, project: Project) -> None:
    ml_staff.post(address(project, "ask-replay"), ASKED)
    Job.objects.filter(name="replay").update(state=State.FAILED, error="it has 3 labelled cases to read")
    assert "it has 3 labelled cases to read" in ml_staff.get(address(project, "replay")).content.decode()


@pytest.mark.parametrize("wrong", [{"strategies": ["oracle"]}, {"seeds": 0}, {"budget": 1}])
def test_the_service_refuses_by_field(project: Project, wrong: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=next(iter(wrong))):
        request_replay(project=project, by=None, **(ASKED | wrong))
