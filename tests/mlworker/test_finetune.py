"""Fine-tuning on a snapshot: learns, resumes, runs in several processes, and stands before the gate."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.learning import promotion, services
from annotation.learning.cards import markdown_of
from annotation.learning.models import ModelVersion, Policy, Promotion, TrainingRun
from annotation.learning.training import TrainingSettings, request_training
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.readings.models import ReferenceStandard
from audit.models import Event
from jobs.models import Job, State
from mlworker import encode, teaching
from mlworker.comparison import by_group, compared
from mlworker.encoders import checkpoints, distributed, encoding, finetuning, networks, weights
from mlworker.encoders.finetuning import Way
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.training import Plan, Source
from mlworker.targets import SINGLE, Target
from mlworker.vectors import store_of
from tests.factories import CHOICES, OFFSET, a_member, a_project, some_cases
from tests.mlworker.test_encode import again, done_here, embedded
from tests.servers import ROOT

SMALL = Preprocessing(size=32)
DEEP = Preprocessing(size=32, slices=16, architecture="resnet10-3d", seen=networks.VOLUME, own_scale=True)
CPU = torch.device("cpu")


def squares(count: int, seed: int = 0) -> Source:
    """Bright squares on the left (0) or on the right (1)."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.integers(0, 60, size=(count, 1, 32, 32)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 8:24, 4 + 14 * label : 14 + 14 * label] += 150
    return Source(torch.from_numpy(images), torch.from_numpy(labels))


def a_folder(folder: Path, mode: str = "last_block") -> Path:
    network = networks.random_network(SMALL, seed=0)
    networks.calibrate_normalisation(network, squares(32).images.float() / 255.0)
    finetuning.begin(folder, network, SMALL, (squares(32), squares(12, 1)), Way(mode=mode, rank=4))
    return folder


def blocks(count: int, seed: int = 0) -> Source:
    """Bright blocks in the upper slices (0) or in the lower ones (1) of volumes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.integers(0, 60, size=(count, 1, 16, 32, 32)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 8 * label : 8 + 8 * label, 8:24, 8:24] += 150
    return Source(torch.from_numpy(images), torch.from_numpy(labels))


def a_plan(epochs: int = 3, **changes: Any) -> Plan:
    settings = {"minutes": 1e6, "batch": 8, "checkpoint_seconds": 0.0, "patience": 50, "threads": 1}
    return Plan(epochs=epochs, keep_best=True, **{**settings, **changes})


def ran(folder: Path, plan: Plan) -> torch.nn.Module:
    finetuning.run(folder, plan, CPU, lambda _training, _point: None)
    return finetuning.result_of(folder, plan)[0]


@pytest.mark.parametrize("mode", ["full", "last_block", "lora"])
def test_every_mode_lowers_the_loss_and_keeps_the_layout(tmp_path: Path, mode: str) -> None:
    network = ran(a_folder(tmp_path, mode), a_plan())
    _, training = finetuning.result_of(tmp_path, a_plan())
    assert training.history[-1]["loss"] < training.history[0]["loss"]
    weights.loaded(networks.built(SMALL), dict(network.state_dict()))


@pytest.mark.parametrize("mode", ["full", "last_block", "lora"])
def test_an_encoder_of_volumes_learns_from_volumes(tmp_path: Path, mode: str) -> None:
    network = networks.random_network(DEEP, seed=0)
    networks.calibrate_normalisation(network, networks_see(blocks(16)))
    finetuning.begin(tmp_path, network, DEEP, (blocks(32), blocks(12, 1)), Way(mode=mode, rank=4, flip=True))
    tuned = ran(tmp_path, a_plan())
    _, training = finetuning.result_of(tmp_path, a_plan())
    assert training.history[-1]["loss"] < training.history[0]["loss"]
    weights.loaded(networks.built(DEEP), dict(tuned.state_dict()))


def networks_see(source: Source) -> torch.Tensor:
    """Images as the network of volumes takes them."""
    return encoding.prepared(source.images.float() / 255.0, DEEP)


def test_the_last_block_alone_moves(tmp_path: Path) -> None:
    before = networks.random_network(SMALL, seed=0).state_dict()
    after = ran(a_folder(tmp_path), a_plan(1)).state_dict()
    moved = {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}
    still = {"layer1", "layer2", "layer3"}
    moved_weights = {
        name.partition(".")[0]
        for name in before
        if "running" not in name and "num_batches" not in name and not torch.equal(before[name], after[name])
    }
    assert moved_weights == {"layer4"}
    assert moved >= moved_weights
    assert not still & moved_weights


def test_low_rank_training_moves_what_the_adapters_stand_beside(tmp_path: Path) -> None:
    before = networks.random_network(SMALL, seed=0).state_dict()
    after = ran(a_folder(tmp_path, "lora"), a_plan(1)).state_dict()
    moved = {
        name.partition(".")[0]
        for name in before
        if name.endswith("weight") and not torch.equal(before[name], after[name])
    }
    assert moved == {"layer3", "layer4"}


def test_parts_of_a_batch_give_the_step_of_the_whole(tmp_path: Path) -> None:
    whole = ran(a_folder(tmp_path / "whole", "lora"), a_plan(1))
    parts = ran(a_folder(tmp_path / "parts", "lora"), a_plan(1, accumulate=2))
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_two_processes_of_torchrun_learn_what_one_learns(tmp_path: Path) -> None:
    alone = ran(a_folder(tmp_path / "alone", "lora"), a_plan(2))
    told: list[dict[str, float]] = []
    folder = a_folder(tmp_path / "together", "lora")
    distributed.launched(folder, a_plan(2), 2, lambda point, _share: told.append(point))
    together, training = finetuning.result_of(folder, a_plan(2))
    assert [point["epoch"] for point in told] == [1, 2]
    assert training.history[-1]["held_back_loss"] == pytest.approx(told[-1]["held_back_loss"])
    for name, tensor in alone.state_dict().items():
        torch.testing.assert_close(together.state_dict()[name], tensor, rtol=1e-2, atol=1e-3)


SLOWLY = """
import sys
from pathlib import Path
import torch
from mlworker.encoders import finetuning
from mlworker.encoders.training import Plan
plan = Plan(epochs=200, minutes=1e6, batch=8, checkpoint_seconds=0.0, patience=1000, threads=1)
told = lambda _training, point: print(point["epoch"], flush=True)
finetuning.run(Path(sys.argv[1]), plan, torch.device("cpu"), told)
"""


def test_a_training_killed_with_9_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    paths = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    child = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(3)]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert lines[-1].strip() == b"3"
    state = checkpoints.load(folder / finetuning.STATE)
    assert state is not None
    done = state["counts"]["epoch"]
    assert done >= 3
    epochs: list[float] = []
    finetuning.run(folder, a_plan(done + 2), CPU, lambda _training, point: epochs.append(point["epoch"]))
    assert epochs == [done + 1, done + 2]


def test_the_paired_interval_sees_a_difference_that_two_intervals_would_not() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    hard = random.random(200) < 0.3
    champion = np.where(hard[:, None], np.eye(2)[1 - labels], np.eye(2)[labels]) * 0.8 + 0.1
    helped = hard & (random.random(200) < 0.3)
    candidate = np.where(helped[:, None], np.eye(2)[labels] * 0.8 + 0.1, champion)
    target, labels = Target(SINGLE, ("a", "b")), labels[:, None]
    candidate, champion = candidate[:, None], champion[:, None]
    found = compared(candidate, champion, labels, np.arange(200) // 2, target=target)
    score = found["balanced_accuracy"]
    assert score["difference"] == pytest.approx(score["candidate"] - score["champion"])
    assert 0.0 < score["low"] <= score["difference"] <= score["high"]
    assert promotion.gate(found).promoted
    same = compared(champion, champion, labels, np.arange(200) // 2, target=target)
    assert (same["balanced_accuracy"]["low"], same["balanced_accuracy"]["high"]) == (0.0, 0.0)
    assert not promotion.gate(same).promoted


def test_scanners_are_judged_apart_with_an_interval_where_patients_suffice() -> None:
    said = np.eye(2)[[0, 0, 1, 1, 0, 1, 0, 1]][:, None]
    labels = np.array([0, 0, 1, 1, 0, 1, 1, 0])[:, None]
    groups = [{"scanner": "A"}] * 6 + [{"scanner": "B"}, {}]
    found = by_group(said, labels, np.arange(8), groups)["scanner"]
    assert (found["A"]["cases"], found["A"]["accuracy"]) == (6, 1.0)
    assert {"low", "high"} <= found["A"].keys()
    assert found["B"] == {"cases": 1, "accuracy": 0.0}


# The job


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with read cases whose images show their class."""
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 4 == 0)
    project = a_project()
    some_cases(project, 40)
    some_cases(project, 24, audit_share=1.0)
    for case in project.cases.select_related("series"):
        show(case)
    embedded(project)
    return project


def show(case: Case) -> None:
    """Store an image of the case's class, and the reference standard that says so."""
    truth = case.number % 2
    (instance,) = case.series.instances.all()
    pixels = np.random.default_rng(case.number).integers(0, 60, size=(8, 6)).astype(np.uint8)
    pixels[2:6, 3 * truth : 3 * truth + 3] += 150
    name = f"instances/{instance.digest[:2]}/{instance.digest}.dcm"
    default_storage.delete(name)
    default_storage.save(name, ContentFile(bytes(OFFSET) + pixels.tobytes()))
    series = case.series
    series.manufacturer, series.manufacturer_model_name = "Maker", f"Device {case.number % 3}"
    series.save()
    ReferenceStandard.objects.create(
        case=case, answers={"finding": CHOICES[truth][0]}, readings=1, updated_at=timezone.now()
    )


def asked(project: Project, **changes: Any) -> Job:
    settings = TrainingSettings(**{"epochs": 2, "batch": 8, **changes})
    return request_training(project=project, settings=settings, by=None, now=timezone.now())


pytestmark = pytest.mark.django_db(transaction=True)


def test_training_makes_a_version_with_card_comparison_and_verdict(project: Project) -> None:
    job = done_here(asked(project))
    version = ModelVersion.objects.get(job_id=job.pk)
    decision = Promotion.objects.get(model=version)
    run = TrainingRun.objects.get(job_id=job.pk)
    assert job.state == State.DONE
    assert version.origin == ModelVersion.Origin.TRAIN
    assert version.label_count == 40
    assert decision.comparison["balanced_accuracy"].keys() == {
        "candidate",
        "champion",
        "difference",
        "low",
        "high",
    }
    assert run.result["verdict"] == decision.reason
    assert [point["epoch"] for point in run.history] == [1, 2]
    page = markdown_of(version.card.content)
    assert set(version.card.content["groups"]["scanner"]) == {
        "Maker Device 0",
        "Maker Device 1",
        "Maker Device 2",
    }
    assert "## Per site and scanner" in page
    assert version.encoder.digest in page


def test_a_project_of_volumes_is_fine_tuned_by_its_encoder_of_volumes(project: Project) -> None:
    network = networks.random_network(DEEP, seed=0)
    champion = encode.registered(project.dataset, network, DEEP, name="volumes", report={})
    Policy.objects.filter(project=project).update(encoder=champion)
    job = done_here(asked(project, epochs=1))
    version = ModelVersion.objects.get(job_id=job.pk)
    assert job.state == State.DONE
    assert version.encoder.preprocessing["seen"] == networks.VOLUME
    assert version.encoder.digest != champion.digest
    assert len(store_of(version.encoder)) > 0


def test_training_twice_leaves_the_same_rows(project: Project) -> None:
    job = done_here(asked(project))
    before = [list(table.objects.values()) for table in (ModelVersion, Promotion, TrainingRun)]
    again(job)
    assert [list(table.objects.values()) for table in (ModelVersion, Promotion, TrainingRun)] == before


def test_a_candidate_that_passed_is_used_with_its_vectors_in_place(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion, "gate", lambda _: promotion.Verdict(promoted=True, reason="better"))
    before = services.policy_for(project).encoder
    job = done_here(asked(project))
    after = services.policy_for(project).encoder
    assert after == ModelVersion.objects.get(job_id=job.pk).encoder != before
    assert Job.objects.filter(name="refit", scope_id=project.pk).exists()
    staff = a_member(project)
    back = promotion.roll_back(project=project, by=staff, now=timezone.now())
    assert (back.encoder, services.policy_for(project).encoder) == (before, before)
    assert Event.objects.filter(action="encoder.rollback", actor=str(staff.pk)).count() == 1


def test_a_candidate_that_did_not_pass_changes_nothing_and_says_why(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        promotion, "gate", lambda _: promotion.Verdict(promoted=False, reason="not surely better")
    )
    before = services.policy_for(project).encoder
    done_here(asked(project))
    assert services.policy_for(project).encoder == before
    assert Promotion.objects.get().reason == "not surely better"
    assert Event.objects.filter(action="model.refuse").count() == 1


def test_the_snapshot_is_frozen_when_training_is_asked_for(project: Project) -> None:
    job = asked(project)
    some = project.cases.filter(stream=Case.Stream.POOL).values_list("pk")[:10]
    ReferenceStandard.objects.filter(case__in=some).delete()
    assert ModelVersion.objects.get(job_id=done_here(job).pk).label_count == 40


def test_a_job_that_was_broken_off_goes_on_from_its_checkpoint_when_asked_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(project, epochs=3)
    monkeypatch.setattr("mlworker.finetune.plan_of", lambda _: a_plan(1))
    monkeypatch.setattr("mlworker.finetune.outcome", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        done_here(job)
    monkeypatch.undo()
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 4 == 0)
    job_again = Job.objects.create(
        name=job.name,
        lane=job.lane,
        arguments=job.arguments,
        scope_id=job.scope_id,
        created_at=timezone.now(),
    )
    done_here(job_again)
    history = TrainingRun.objects.get(job_id=job_again.pk).history
    assert [point["epoch"] for point in history] == [1, 2, 3]


def test_too_few_labels_are_refused_with_what_there_is() -> None:
    project = a_project()
    with pytest.raises(RefusedError, match="normal 0, pneumonia 0: training needs 5 of two classes"):
        asked(project)


@pytest.mark.parametrize(
    ("field", "value"), [("mode", "deep"), ("epochs", 0), ("rate", 5.0), ("processes", 99)]
)
def test_settings_that_cannot_be_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(RefusedError, match=field):
        asked(a_project(), **{field: value})
