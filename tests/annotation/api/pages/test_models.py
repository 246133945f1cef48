"""The page of encoders, trainings and models: what it shows, what ML staff may do there."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from annotation.learning import promotion, services
from annotation.learning.files import keep
from annotation.learning.models import Encoder, ModelVersion, Promotion, TrainingRun
from annotation.learning.runs import note_line
from annotation.projects.models import Project
from annotation.readings.models import ReferenceStandard
from audit.models import Event
from jobs.models import Job, Lane, State
from tests.factories import CHOICES, a_project, some_cases

FIGURE = {"value": 0.8, "low": 0.7, "high": 0.9}


def address(project: Project, part: str = "models") -> str:
    return f"/projects/{project.pk}/learning/{part}"


def an_encoder(project: Project, name: str) -> Encoder:
    new = services.NewEncoder(name, uuid.uuid4().hex * 2, 8, {"size": 64}, "", {}, "MIT", "somewhere")
    return services.register_encoder(dataset=project.dataset, new=new, now=timezone.now())


def a_version(project: Project, encoder: Encoder, **changes: object) -> ModelVersion:
    facts = {
        "encoder": encoder,
        "classes": ["normal", "pneumonia"],
        "artefact": keep(b"heads", folder="artefacts", suffix=".safetensors"),
        "labels": [{"case": "1", "label": "normal"}],
        "seconds": 0.5,
        "audit_cases": 20,
        "metrics": {"balanced_accuracy": FIGURE, "recall:normal": FIGURE, "calibration_error": FIGURE},
        "card": {
            "groups": {"scanner": {"Maker <One>": {"cases": 20, "accuracy": 0.8, "low": 0.6, "high": 0.9}}}
        },
    }
    new = services.NewModel(**{**facts, **changes})  # type: ignore[arg-type]
    return services.record_model(project=project, job_id=uuid.uuid4(), new=new, now=timezone.now())


def used(project: Project, encoder: Encoder) -> None:
    promotion.change_encoder(
        project=project,
        encoder=encoder,
        kind=Promotion.Kind.CHOICE,
        reason="chosen",
        by=None,
        now=timezone.now(),
    )


def test_the_page_says_what_is_used_and_why(ml_staff: Client, project: Project) -> None:
    first, second = an_encoder(project, "First"), an_encoder(project, "Second")
    used(project, first)
    used(project, second)
    a_version(project, second)
    a_version(project, second, metrics={}, reason="3 audit cases have been read: an estimate needs 10")
    page = ml_staff.get(address(project)).content.decode()
    for words in (
        "to First",
        "Champion",
        "0.800",
        "3 audit cases have been read",
        "MIT",
    ):
        assert words in page


def test_training_is_asked_for_with_frozen_labels(ml_staff: Client, project: Project) -> None:
    cases = some_cases(project, 12)
    now = timezone.now()
    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(case=case, answers={"finding": CHOICES[number % 2][0]}, readings=1, updated_at=now)
        for number, case in enumerate(cases)
    )
    form = {"mode": "lora", "epochs": 3, "minutes": 1, "rate": 0.001, "batch": 8, "accumulate": 1}
    answer = ml_staff.post(address(project, "train"), form | {"rank": 4, "processes": 0}, follow=True)
    job = Job.objects.get(name="train")
    assert "Asked for training" in answer.content.decode()
    assert (job.arguments["settings"]["mode"], job.arguments["settings"]["flip"]) == ("lora", False)
    assert project.snapshots.get().label_count == 12
    assert Event.objects.filter(action="training.request").count() == 1


@pytest.mark.parametrize("change", [{"mode": "deep"}, {"epochs": "0"}, {"rate": "x"}, {"processes": "99"}])
def test_a_training_that_cannot_be_comes_back_with_what_is_wrong(
    ml_staff: Client, project: Project, change: dict[str, str]
) -> None:
    form = {"mode": "lora", "epochs": "3", "minutes": "1", "rate": "0.001", "batch": "8", "accumulate": "1"}
    answer = ml_staff.post(address(project, "train"), form | {"rank": "4", "processes": "0"} | change)
    assert answer.status_code == 422
    assert 'class="problem"' in answer.content.decode()
    assert not Job.objects.exists()


def test_too_few_labels_are_said_in_the_form(ml_staff: Client, project: Project) -> None:
    form = {"mode": "lora", "epochs": 3, "minutes": 1, "rate": 0.001, "batch": 8, "accumulate": 1}
    answer = ml_staff.post(address(project, "train"), form | {"rank": 4, "processes": 0})
    assert answer.status_code == 422
    assert "training needs 5 of two classes" in answer.content.decode()


def test_a_run_shows_its_live_loss_and_can_be_cancelled_and_resumed(
    ml_staff: Client, project: Project
) -> None:
    job = Job.objects.create(
        name="train",
        lane=Lane.TRAINING,
        scope_id=project.pk,
        state=State.RUNNING,
        progress=0.4,
        message="Epoch 3: loss 0.31",
        created_at=timezone.now(),
    )
    TrainingRun.objects.create(
        job_id=job.pk,
        project=project,
        kind="train",
        settings={"mode": "lora"},
        history=[{"epoch": 1, "loss": 0.6}, {"epoch": 2, "loss": 0.4}],
        created_at=timezone.now(),
    )
    note_line(job_id=job.pk, event="epoch", values={"epoch": 2, "loss": 0.4})
    for page in (address(project, "runs"), address(project, f"runs/{job.pk}")):
        part = "runs" if page.endswith("runs") else "live"
        piece = ml_staff.get(page, {"part": part}).content.decode()
        assert "Epoch 3: loss 0.31" in piece
        assert f"/jobs/{job.pk}/cancel" in piece
        assert "<html" not in piece
    assert 'data-plot="loss"' in piece
    assert "<strong>epoch</strong>" in piece
    Job.objects.filter(pk=job.pk).update(state=State.CANCELLED)
    assert f"/jobs/{job.pk}/retry" in ml_staff.get(address(project, "runs")).content.decode()


def test_what_a_run_takes_is_drawn_by_minute(ml_staff: Client, project: Project) -> None:
    now = timezone.now()
    job = Job.objects.create(name="train", lane=Lane.TRAINING, scope_id=project.pk, created_at=now)
    samples = [{"seconds": 30.0, "memory_mb": 512.0, "gpu_memory_mb": 2048.0, "gpu_percent": 80.0}]
    TrainingRun.objects.create(job_id=job.pk, project=project, kind="train", samples=samples, created_at=now)
    page = ml_staff.get(address(project, f"runs/{job.pk}"))
    assert page.context["figures"]["memory"] == [
        {"series": "Memory", "x": 0.5, "y": 0.5},
        {"series": "GPU memory in use on the device", "x": 0.5, "y": 2.0},
    ]
    assert page.context["figures"]["busy"] == [{"series": "GPU", "x": 0.5, "y": 80.0}]
    assert ml_staff.get(address(project, f"runs/{uuid.uuid4()}")).status_code == 404


def test_a_pretraining_shows_what_it_bought_by_number_of_labels(ml_staff: Client, project: Project) -> None:
    now = timezone.now()
    job = Job.objects.create(
        name="pretrain", lane=Lane.TRAINING, scope_id=project.dataset_id, state=State.DONE, created_at=now
    )
    line = [{"labels": count, "value": 0.6, "low": 0.5, "high": 0.7} for count in (10, 20)]
    probe = {"candidate": 0.7, "current": 0.6, "low": 0.02, "high": 0.18}
    result = {"label_efficiency": {"candidate": line, "current": line, "random": line}, "probe": probe}
    TrainingRun.objects.create(
        job_id=job.pk, dataset=project.dataset, kind="pretrain", result=result, created_at=now
    )
    piece = ml_staff.get(address(project, f"runs/{job.pk}")).content.decode()
    assert "on images that no encoder learned from" in piece
    assert "Random weights" in piece
    assert "70 %" in piece
    assert "+2.0 points to +18.0 points" in piece


def test_labels_are_shared_only_after_it_was_said_and_it_is_audited(
    ml_staff: Client, project: Project
) -> None:
    assert services.policy_for(project).share_labels is False
    ml_staff.post(address(project, "sharing"), {"share_labels": "on"})
    assert services.policy_for(project).share_labels is True
    ml_staff.post(address(project, "sharing"), {})
    assert services.policy_for(project).share_labels is False
    assert Event.objects.filter(action="policy.share_labels").count() == 2


def test_pretraining_offers_only_projects_that_share(ml_staff: Client, project: Project) -> None:
    open_one, closed = a_project("Open"), a_project("Closed")
    promotion.set_sharing(project=open_one, share_labels=True, by=User.objects.get(username="m.lind"))
    page = ml_staff.get(address(project, "runs")).content.decode()
    assert "Open" in page
    assert "Closed" not in page
    form = {"method": "labels", "pretrain_minutes": 1}
    assert ml_staff.post(address(project, "pretrain"), form | {"others": closed.pk}).status_code == 422
    assert ml_staff.post(address(project, "pretrain"), form | {"others": open_one.pk}).status_code == 302
    assert Job.objects.get(name="pretrain").arguments["project_ids"] == [str(project.pk), str(open_one.pk)]


def test_every_version_has_a_card_as_page_markdown_and_json(ml_staff: Client, project: Project) -> None:
    version = a_version(project, an_encoder(project, "First"))
    where = address(project, f"models/{version.pk}")
    page = ml_staff.get(where).content.decode()
    assert "Maker &lt;One&gt;" in page
    text = ml_staff.get(where, {"format": "markdown"}).content.decode()
    assert "| scanner | Maker <One> | 20 | 0.800 | 0.600 – 0.900 |" in text
    assert "## Lineage" in text
    card = ml_staff.get(where, {"format": "json"}).json()
    assert card["answers"]["normal"] == {"recall": FIGURE}
    assert "Balanced accuracy" in page
    assert "Recognised" in page
    assert "balanced_accuracy" not in page + text
    assert card["calibration"]["expected_error"] == FIGURE


def test_another_project_s_version_has_no_card_here(ml_staff: Client, project: Project) -> None:
    other = a_project()
    version = a_version(other, an_encoder(other, "Other"))
    assert ml_staff.get(address(project, f"models/{version.pk}")).status_code == 404


def test_administrators_look_and_change_nothing(admin: Client, project: Project) -> None:
    page = admin.get(address(project)).content.decode()
    assert "Use it" not in page
    assert "Fine-tune on the labels" not in admin.get(address(project, "runs")).content.decode()
    assert admin.post(address(project, "train")).status_code == 403


def test_a_challenger_s_figures_are_not_taken_for_those_of_the_model_in_use(
    ml_staff: Client, project: Project
) -> None:
    encoder = an_encoder(project, "First")
    used(project, encoder)
    names = ("balanced_accuracy", "worst_class_recall", "prevalence:normal", "recall:normal")
    figures = dict.fromkeys(names, FIGURE)
    champion = a_version(project, encoder, metrics=figures)
    a_version(project, encoder, origin=ModelVersion.Origin.TRAIN, metrics=figures)
    page = ml_staff.get(f"/projects/{project.pk}/learning")
    assert page.context["answers"].model_number == champion.number
    assert [one.number for one in page.context["models"]] == [champion.number]
