"""Several projects teach one encoder; labels only where their owners allow it; images from formulas."""

import uuid
from pathlib import Path

import numpy as np
import pytest
import torch
from django.utils import timezone

from annotation.learning import services
from annotation.learning.models import Encoder, Policy, TrainingRun
from annotation.projects.models import Case, Project
from annotation.readings.models import ReferenceStandard
from jobs.models import State
from mlworker import teaching
from mlworker.encoders import gain, networks
from mlworker.encoders.formulas import KINDS, generated
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.objectives import Batch, Classified, balance_of
from mlworker.encoders.training import Plan, Source, Training
from mlworker.targets import SINGLE, Target
from mlworker.teaching import Wanted
from tests.factories import CHOICES, a_project, some_cases
from tests.mlworker.test_encode import done_here, embedded

SMALL = Preprocessing(size=32)


@pytest.mark.parametrize("kind", KINDS)
def test_images_from_formulas_are_the_same_for_a_seed_and_differ_by_class(kind: str) -> None:
    first, again = (generated(kind, classes=3, each=2, size=32, seed=1) for _ in range(2))
    other = generated(kind, classes=3, each=2, size=32, seed=2)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert first.images.shape == (6, 1, 32, 32)
    assert first.labels is not None
    assert first.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert float(first.images.float().std()) > 5.0


def test_sources_take_turns_and_the_smaller_one_comes_round_again(tmp_path: Path) -> None:
    seen: list[int] = []

    class Watched(Classified):
        def loss(self, network: torch.nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
            seen.append(batch.source)
            return super().loss(network, batch, random)

    sources = [labelled_noise(24, 2), labelled_noise(8, 3)]
    balance = [
        balance_of(torch.as_tensor(source.labels), classes)
        for source, classes in zip(sources, (2, 3), strict=True)
    ]
    objective = Watched(networks.dimension_of(SMALL), SMALL, None, balance)
    plan = Plan(epochs=1, minutes=1e6, batch=8)
    training = Training(networks.random_network(SMALL, seed=0), objective, plan, tmp_path / "run.pt")
    training.run(sources, [], lambda _: None)
    assert seen == [0, 1, 0, 1, 0, 1]
    assert [len(objective.get_buffer(f"balance_{number}")) for number in (0, 1)] == [1, 1]


def labelled_noise(count: int, classes: int) -> Source:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (count, 1, 32, 32), generator=random, dtype=torch.uint8)
    return Source(images, torch.arange(count) % classes)


def test_classes_weigh_alike() -> None:
    weights = balance_of(torch.tensor([0, 0, 0, 1]), 3)
    assert weights[0].tolist() == pytest.approx([2 / 3, 2.0, 0.0])


def test_label_efficiency_grows_with_labels_and_tells_encoders_apart() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 120)
    good = (random.normal(size=(120, 8)) + 1.5 * np.eye(2, 8)[labels]).astype(np.float32)
    noise = random.normal(size=(120, 8)).astype(np.float32)
    found = gain.efficiency(
        {"candidate": good, "random": noise},
        gain.Known(labels[:, None], np.arange(120), Target(SINGLE, ("a", "b"))),
        seed=0,
    )
    points = found["candidate"]
    assert [point["labels"] for point in points] == [10, 20, 50, 90]
    assert points[-1]["value"] >= points[0]["value"]
    assert points[-1]["value"] > found["random"][-1]["value"] + 0.2
    assert all(point["low"] <= point["value"] <= point["high"] for point in points)


# The job

in_database = pytest.mark.django_db(transaction=True)


def a_read_project(count: int, *, share: bool) -> Project:
    project = a_project()
    some_cases(project, count)
    some_cases(project, 24, audit_share=1.0)
    for case in project.cases.all():
        answer = {"finding": CHOICES[case.number % 2][0]}
        ReferenceStandard.objects.create(case=case, answers=answer, readings=1, updated_at=timezone.now())
    Policy.objects.update_or_create(project=project, defaults={"share_labels": share})
    return project


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 4 == 0)
    monkeypatch.setattr(teaching, "FEWEST_HELD_BACK", 2)


def wanted(method: str, *projects: Project) -> Wanted:
    return Wanted(0.01, method, [str(project.pk) for project in projects], str(uuid.uuid4()))


@in_database
def test_labels_are_learned_from_where_their_owners_allow_it_and_never_from_the_audit_stream(
    held_back: None,
) -> None:
    own, open_one, closed = (a_read_project(40, share=share) for share in (False, True, False))
    taught = teaching.taught_by(own.dataset, SMALL, wanted("labels", own, open_one, closed))
    assert set(taught.names) == {own.name, open_one.name}
    for source, held in zip(taught.sources, taught.held_back, strict=True):
        assert len(source.images) + len(held.images) == 40


@in_database
def test_a_sharing_that_was_taken_back_holds_when_the_job_runs(held_back: None) -> None:
    own, other = a_read_project(40, share=False), a_read_project(40, share=True)
    Policy.objects.filter(project=other).update(share_labels=False)
    assert teaching.taught_by(own.dataset, SMALL, wanted("SimCLR", own, other)).names == [own.dataset.name]


@in_database
def test_images_of_several_projects_are_learned_from_without_labels(held_back: None) -> None:
    own, other = a_read_project(40, share=False), a_read_project(30, share=True)
    taught = teaching.taught_by(own.dataset, SMALL, wanted("SimCLR", own, other))
    counts = [len(s.images) + len(h.images) for s, h in zip(taught.sources, taught.held_back, strict=True)]
    assert sorted(counts) == [30, 40]


@in_database
@pytest.mark.parametrize("method", ["labels", "SimSiam"])
def test_a_pretraining_on_two_projects_reports_what_it_bought(held_back: None, method: str) -> None:
    own, other = a_read_project(40, share=False), a_read_project(40, share=True)
    embedded(own)
    job = services.ask_pretrain(
        dataset_id=own.dataset_id, minutes=0.01, method=method, project_ids=[own.pk, other.pk]
    )
    assert done_here(job).state == State.DONE
    result = TrainingRun.objects.get(job_id=job.pk).result
    assert result["method"] == method
    assert set(result["label_efficiency"]) == {"candidate", "current", "random"}
    assert result["judged_on"] >= 24
    assert set(result["probe"]) == {"candidate", "current", "low", "high"}
    assert Encoder.objects.filter(dataset=own.dataset).count() == 2


def test_large_images_are_fewer_so_that_they_fit_into_memory() -> None:
    assert teaching.most_series(Preprocessing()) == teaching.MOST_SERIES
    large = Preprocessing(size=224, channels=3)
    assert teaching.most_series(large) * 4 * 3 * 224**2 <= teaching.MOST_BYTES
    assert teaching.most_series(large) < teaching.MOST_SERIES


@in_database
def test_an_encoder_of_whole_volumes_says_that_it_cannot_be_pretrained() -> None:
    project = a_project()
    with pytest.raises(ValueError, match="sees whole volumes"):
        teaching.taught_by(project.dataset, Preprocessing(seen="volume"), wanted("SimCLR", project))


@in_database
def test_what_judges_an_encoder_is_what_it_never_learned_from(held_back: None) -> None:
    project = a_read_project(40, share=False)
    unseen = teaching.Unseen.of(project.dataset, SMALL)
    assert unseen is not None
    held = [case for case in project.cases.all() if case.stream == Case.Stream.POOL and is_held(case)]
    assert len(unseen.known.labels) == 24 + len(held)


def is_held(case: Case) -> bool:
    return teaching.is_held_back(str(case.patient_id))
