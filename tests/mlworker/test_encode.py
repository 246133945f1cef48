"""The embed and pretrain jobs on stored pixels: run here, in this process, once and twice."""

import shutil
from pathlib import Path

import pytest
import torch
from django.conf import settings

from annotation.learning import services
from annotation.learning.models import Encoder, Promotion, TrainingRun
from annotation.projects.models import Project
from annotation.studies.models import Instance
from jobs.models import Job, State
from jobs.services import claim
from mlworker import encode, pretrain, teaching
from mlworker.encoders import networks
from mlworker.registry import lookup
from mlworker.runtime import Work, perform
from mlworker.vectors import store_at, store_of
from tests.factories import a_project, some_cases

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_vectors_yet() -> None:
    """Remove what other tests stored: data sets of few images begin with one encoder, so with one store."""
    store_at.cache_clear()
    shutil.rmtree(settings.HOME.embeddings, ignore_errors=True)


def done_here(job: Job) -> Job:
    """Do a job in this process, as its child would."""
    from django.utils import timezone

    held = claim(job.pk, worker="test", now=timezone.now())
    assert held is not None
    perform(lookup(job.name), Work(held))
    job.refresh_from_db()
    return job


def embedded(project: Project) -> Job:
    return done_here(services.ask_embed(dataset_id=project.dataset_id))


def again(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_at=None, lease_until=None)
    return done_here(job)


def test_embedding_gives_every_series_a_vector_and_asks_for_a_ranking() -> None:
    project = a_project()
    some_cases(project, 5)
    assert embedded(project).state == State.DONE
    encoder = services.policy_for(project).encoder
    assert encoder is not None
    assert store_of(encoder).missing(encode.series_digests(project.dataset)) == []
    assert Job.objects.filter(name="refit", scope_id=project.pk).count() == 1


def test_held_out_cases_are_encoded_too() -> None:
    project = a_project()
    some_cases(project, 3, split="test")
    embedded(project)
    assert len(store_of(Encoder.objects.get())) == 3


def test_embedding_twice_computes_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 4)
    job = embedded(project)
    size = len(store_of(Encoder.objects.get()))
    monkeypatch.setattr(encode, "encoded", None)
    again(job)
    assert (len(store_of(Encoder.objects.get())), Encoder.objects.count()) == (size, 1)
    assert Job.objects.filter(name="refit").count() == 1


def test_new_images_are_encoded_by_the_encoder_that_is_there() -> None:
    project = a_project()
    some_cases(project, 2)
    embedded(project)
    some_cases(project, 3)
    embedded(project)
    assert len(store_of(Encoder.objects.get())) == 5


def test_slices_of_a_series_are_pooled_into_one_vector() -> None:
    project = a_project()
    some_cases(project, 2, frames=40)
    embedded(project)
    assert len(store_of(Encoder.objects.get())) == 2


def test_a_series_that_cannot_be_read_does_not_stop_the_others() -> None:
    project = a_project()
    some_cases(project, 3)
    broken = Instance.objects.first()
    assert broken is not None
    Instance.objects.filter(pk=broken.pk).update(attributes=broken.attributes | {"BitsAllocated": 1})
    assert embedded(project).state == State.DONE
    assert len(store_of(Encoder.objects.get())) == 2


def test_a_weights_file_becomes_the_encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.save(networks.resnet18(3).state_dict(), tmp_path / "weights.pth")
    monkeypatch.setenv("FOVEA_ENCODER_WEIGHTS", str(tmp_path / "weights.pth"))
    project = a_project()
    some_cases(project, 2)
    embedded(project)
    encoder = Encoder.objects.get()
    assert encoder.name == "ResNet-18, weights.pth"
    assert encoder.preprocessing["size"] == 224


def test_pretraining_is_asked_for_once_where_the_pool_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.learning.rules.PRETRAINING_POOL", 3)
    project = a_project()
    some_cases(project, 4)
    job = embedded(project)
    again(job)
    assert Job.objects.filter(name="pretrain", scope_id=project.dataset_id).count() == 1


def a_pretraining(project: Project, monkeypatch: pytest.MonkeyPatch, method: str = "SimCLR") -> Job:
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 3 == 0)
    monkeypatch.setattr(teaching, "FEWEST_HELD_BACK", 2)
    return services.ask_pretrain(dataset_id=project.dataset_id, minutes=0.01, method=method)


def test_pretraining_measures_its_gain_and_keeps_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 40)
    embedded(project)
    job = done_here(a_pretraining(project, monkeypatch))
    run = TrainingRun.objects.get(job_id=job.pk)
    assert job.state == State.DONE
    assert [point["epoch"] for point in run.history] == list(range(1, len(run.history) + 1))
    assert set(run.result["retrieval"]) == {"candidate", "current", "low", "high"}
    assert run.checkpoint_digest


def test_a_better_encoder_is_chosen_with_its_vectors_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 40)
    embedded(project)
    before = services.policy_for(project).encoder
    monkeypatch.setattr(pretrain, "better", lambda found, probed: True)
    done_here(a_pretraining(project, monkeypatch))
    after = services.policy_for(project).encoder
    assert after is not None
    assert after != before
    assert store_of(after).missing(encode.series_digests(project.dataset)) == []
    decision = Promotion.objects.get()
    assert (decision.encoder, decision.previous, decision.promoted) == (after, before, True)
    assert "pictures found again" in decision.reason


def test_an_encoder_that_is_no_better_is_kept_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 40)
    embedded(project)
    before = services.policy_for(project).encoder
    monkeypatch.setattr(pretrain, "better", lambda found, probed: False)
    job = done_here(a_pretraining(project, monkeypatch))
    assert services.policy_for(project).encoder == before
    assert TrainingRun.objects.get(job_id=job.pk).result["promoted"] is False


def test_pretraining_sees_no_image_that_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 30)
    some_cases(project, 10, split="test")
    some_cases(project, 10, audit_share=1.0)
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 3 == 0)
    monkeypatch.setattr(teaching, "FEWEST_HELD_BACK", 0)
    images, held_back = teaching.pictures(project.dataset, networks.Preprocessing())
    assert len(images) + len(held_back) == 30


def test_pretraining_twice_leaves_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project()
    some_cases(project, 40)
    embedded(project)
    job = done_here(a_pretraining(project, monkeypatch))
    before = (list(TrainingRun.objects.values()), list(Encoder.objects.values()), Job.objects.count())
    again(job)
    assert (list(TrainingRun.objects.values()), list(Encoder.objects.values()), Job.objects.count()) == before


def test_too_small_a_pool_says_so() -> None:
    project = a_project()
    some_cases(project, 5)
    embedded(project)
    with pytest.raises(ValueError, match="pretraining needs about 200"):
        done_here(services.ask_pretrain(dataset_id=project.dataset_id, minutes=0.01))
