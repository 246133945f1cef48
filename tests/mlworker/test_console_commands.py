"""The ML console on the command line: models listed, compared, changed; trainings asked for and followed."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.learning import promotion, services
from annotation.learning.judged_models import Comparison, JudgedCase
from annotation.learning.models import Encoder, Promotion
from annotation.projects.models import Project
from audit.models import Event
from jobs.models import Job, State
from tests.mlworker.stages import a_judged_project, an_encoder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    """A project with two versions that can be judged."""
    return a_judged_project(versions=2)


def said(*command: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_models_are_listed_and_compared_as_on_the_page(project: Project) -> None:
    listed = json.loads(said("models", "--project", project.name, "--json"))
    assert [one["number"] for one in listed] == [2, 1]
    assert "2  refit " in said("models", "--project", project.name)
    told = said("models", "--project", project.name, "compare", "1", "2")
    assert "model 2 less model 1: +0.000 (+0.000 to +0.000)" in told
    assert Comparison.objects.get(project=project).key == "1,2"
    assert JudgedCase.objects.filter(model__project=project).count() == 40
    with pytest.raises(CommandError, match="no model 7"):
        said("models", "--project", project.name, "compare", "7")


def test_an_encoder_is_promoted_by_a_job_and_rolled_back_at_once(project: Project) -> None:
    first = services.policy_for(project).encoder
    assert first is not None
    with pytest.raises(CommandError, match="no earlier encoder"):
        said("models", "--project", project.name, "rollback")
    told = said("models", "--project", project.name, "promote", first.digest[:8])
    assert str(Job.objects.get(name="adopt_encoder").pk) in told
    with pytest.raises(CommandError, match="no encoder 000000"):
        said("models", "--project", project.name, "promote", "000000")
    second = an_encoder(project)
    assert second != first
    Encoder.objects.filter(pk=second.pk).update(digest=first.digest[:8] + second.digest[8:])
    with pytest.raises(CommandError, match="several encoders begin with"):
        said("models", "--project", project.name, "promote", first.digest[:8])


def test_what_the_page_refuses_the_command_refuses_too_and_going_back_encodes(project: Project) -> None:
    first, second = services.policy_for(project).encoder, an_encoder(project)
    assert first is not None
    with pytest.raises(CommandError, match="5 models were chosen"):
        said("models", "--project", project.name, "compare", "1", "2", "3", "4", "5")
    Encoder.objects.filter(pk=second.pk).update(weights_name="", report={"method": "SimCLR"})
    with pytest.raises(CommandError, match="its weights were refused"):
        said("models", "--project", project.name, "promote", second.digest[:12])
    services.choose_encoder(project=project, encoder=first)
    promotion.change_encoder(
        project=project,
        encoder=second,
        kind=Promotion.Kind.CHOICE,
        reason="chosen",
        by=None,
        now=timezone.now(),
    )
    assert said("models", "--project", project.name, "rollback") == f"Back on {first.name}.\n"
    assert Job.objects.filter(name="embed", scope_id=project.dataset_id).exists()
    assert Event.objects.get(action="encoder.rollback").actor == "system"


def test_a_training_is_asked_for_listed_logged_and_cancelled(project: Project) -> None:
    told = said("train", "--project", project.name, "--mode", "lora", "--epochs", "3")
    job = Job.objects.get(name="train")
    assert told == f"{job.pk} queued\n"
    assert (job.arguments["settings"]["mode"], job.arguments["settings"]["epochs"]) == ("lora", 3)
    assert str(job.pk) in said("train", "--project", project.name, "--list")
    assert said("train", "--project", project.name, "--cancel", str(job.pk)[:8]) == "cancelled\n"
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED
    with pytest.raises(CommandError, match="0 runs begin with"):
        said("train", "--project", project.name, "--log", "zzzz")
    with pytest.raises(CommandError, match="epochs is 0"):
        said("train", "--project", project.name, "--epochs", "0")
    assert Event.objects.filter(action="training.request").count() == 1
