"""Encoders from outside, by command and by upload: a project changes over when its vectors are there."""

import hashlib
import io
import json
from pathlib import Path

import pytest
import torch
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from safetensors.torch import save as save_safetensors

from accounts.models import Role
from annotation.exchange.lifecycle.backup.making import stored_names
from annotation.learning import promotion, services
from annotation.learning.catalogue import CATALOGUE
from annotation.learning.models import Encoder, Promotion
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.services import set_membership
from audit.models import Event
from jobs.models import Job, State
from mlworker import encode
from mlworker.encoders import networks
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.weights import WrongWeightsError
from mlworker.vectors import store_of
from tests.factories import a_member, a_project, some_cases
from tests.mlworker.test_encode import done_here, embedded

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    project = a_project()
    some_cases(project, 3, frames=5)
    embedded(project)
    return project


def weights_of(name: str) -> dict[str, torch.Tensor]:
    return dict(networks.built(Preprocessing(**dict(CATALOGUE[name].preprocessing))).state_dict())


def added(project: Project, path: Path, name: str) -> str:
    out = io.StringIO()
    call_command("encoders", "add", name, "--file", str(path), "--project", project.name, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["imagenet-resnet18-2.5d", "medicalnet-resnet10"])
def test_a_file_becomes_the_project_s_encoder_once_every_image_has_its_vector(
    project: Project, tmp_path: Path, name: str
) -> None:
    before = services.policy_for(project).encoder
    torch.save(weights_of(name), tmp_path / "weights.pth")
    said = added(project, tmp_path / "weights.pth", name)
    assert "is registered as" in said
    assert services.policy_for(project).encoder == before
    job = Job.objects.get(name="adopt_encoder")
    event = Event.objects.get(action="encoder.add")
    assert (event.actor, event.object_type, event.object_id) == ("system", "project", str(project.pk))
    digest = Encoder.objects.latest("created_at").digest[:12]
    assert event.details == {"name": name, "digest": digest, "job": str(job.pk)}
    done_here(job)
    after = services.policy_for(project).encoder
    assert after is not None
    assert (after.licence, after.source) == (CATALOGUE[name].licence, CATALOGUE[name].source)
    assert store_of(after).missing(encode.series_digests(project.dataset)) == []
    assert Job.objects.filter(name="refit", scope_id=project.pk).exists()
    assert Promotion.objects.get().previous == before


def test_a_wrong_file_is_refused_with_its_first_tensor_that_does_not_fit(
    project: Project, tmp_path: Path
) -> None:
    torch.save(weights_of("imagenet-resnet18"), tmp_path / "weights.pth")
    with pytest.raises(
        CommandError, match=r"layer1\.0\.conv1\.weight is \(64, 64, 3, 3\) in the file, not \(64, 64, 1, 1\)"
    ):
        added(project, tmp_path / "weights.pth", "imagenet-resnet50")
    assert Encoder.objects.count() == 1


def test_a_project_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no project is called"):
        call_command("encoders", "add", "imagenet-resnet18", "--file", str(tmp_path), "--project", "none")


def test_the_list_names_what_there_is_and_what_is_registered(project: Project) -> None:
    out, table = io.StringIO(), io.StringIO()
    call_command("encoders", "--json", stdout=out)
    call_command("encoders", stdout=table)
    listed = json.loads(out.getvalue())
    assert {row["name"] for row in listed["catalogue"]} == set(CATALOGUE)
    assert [row["dataset"] for row in listed["registered"]] == [project.dataset.name]
    assert "medicalnet-resnet50" in table.getvalue()


def uploaded(project: Project, content: bytes, name: str = "imagenet-resnet18") -> Job:
    digest = hashlib.sha256(content).hexdigest()
    stored = default_storage.save(f"incoming/{digest}.safetensors", ContentFile(content))
    staff = a_member(project, Role.ML_STAFF)
    return promotion.request_upload(project=project, name=name, stored=stored, digest=digest, by=staff)


def test_an_upload_is_checked_in_the_worker_and_then_used(project: Project) -> None:
    job = uploaded(project, save_safetensors(weights_of("imagenet-resnet18")))
    assert done_here(job).state == State.DONE
    encoder = services.policy_for(project).encoder
    assert encoder is not None
    assert encoder.name == "ResNet-18, ImageNet"
    assert Promotion.objects.get().decided_by == job.requested_by
    assert not default_storage.exists(job.arguments["stored"])


def test_an_upload_of_one_who_manages_the_project_no_more_is_not_read(project: Project) -> None:
    job = uploaded(project, save_safetensors(weights_of("imagenet-resnet18")))
    staff = job.requested_by
    assert staff is not None
    set_membership(user=staff, project=project, role=None)
    with pytest.raises(ForbiddenError, match="does not manage the project any more"):
        done_here(job)
    assert Encoder.objects.count() == 1
    encoder = Encoder.objects.get()
    again = promotion.request_encoder(project=project, encoder=encoder, by=staff)
    with pytest.raises(ForbiddenError, match="does not manage"):
        done_here(again)


def test_weights_that_are_sent_twice_are_stored_once(project: Project) -> None:
    first, again = uploaded(project, b"the same"), uploaded(project, b"the same")
    assert first == again
    names = [name for name in stored_names("incoming/") if hashlib.sha256(b"the same").hexdigest() in name]
    assert names == [first.arguments["stored"]]


def test_an_uploaded_pickle_in_disguise_is_never_read_as_one(project: Project) -> None:
    content = io.BytesIO()
    torch.save(weights_of("imagenet-resnet18"), content)
    with pytest.raises(WrongWeightsError, match="no safetensors file"):
        done_here(uploaded(project, content.getvalue()))
    assert Encoder.objects.count() == 1


def test_an_upload_for_another_encoder_names_the_tensor(project: Project) -> None:
    content = save_safetensors(weights_of("imagenet-resnet18"))
    with pytest.raises(WrongWeightsError, match=r"conv1\.weight"):
        done_here(uploaded(project, content, "medicalnet-resnet10"))
