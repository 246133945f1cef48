"""Models taken out: what ONNX Runtime and plain torch make of them is what production predicts."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone
from safetensors import safe_open

from accounts.models import Role
from annotation.exchange.imports import open_delivery, run_delivery
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import request_model_export
from annotation.learning.models import ModelVersion
from annotation.projects.protocols import document_of
from annotation.projects.rules import RefusedError
from annotation.projects.services import start_project
from audit.models import Event
from jobs.models import State
from mlworker import encode
from mlworker.encoders import encoding
from mlworker.encoders.networks import ADJACENT, VOLUME, Preprocessing
from mlworker.portable import transforms
from mlworker.portable.building import plain, portable
from mlworker.portable.model import PortableModel
from mlworker.portable.writing import write
from tests import factories
from tests.annotation.exchange.out.conftest import do_job
from tests.mlworker.portable_models import (
    CHOICES,
    a_project_of,
    predicted,
    question,
    seen_of,
    taken_out,
    xrays,
)
from tests.mlworker.test_encode import no_vectors_yet
from tests.real import real_images

pytestmark = pytest.mark.django_db(transaction=True)
assert no_vectors_yet


@pytest.mark.parametrize("kind", ["single", "ordinal", "multi"])
def test_the_network_predicts_what_production_predicts(kind: str, tmp_path: Path) -> None:
    project = a_project_of(kind, xrays()[:12], tmp_path / "images")
    version = project.models.get()
    wanted, network = predicted(version), portable(version).network
    for case in project.cases.select_related("series"):
        with torch.no_grad():
            found = network(seen_of(case, version)).numpy()[0]
        np.testing.assert_allclose(found, wanted[case.series.content_digest], atol=1e-5)


def test_a_real_series_of_slices_is_read_as_production_reads_it(tmp_path: Path) -> None:
    source = next(one for one in sorted((real_images() / "chest_ct").rglob("*.dcm"))).parent
    project = start_project(name="slices", document=document_of(question("single")), now=timezone.now())
    delivery = open_delivery(
        project=project, source_name="slices", requested_by=None, now=timezone.now(), modality="CT"
    )
    run_delivery(delivery.pk, source=source, progress=lambda _fraction, _message: None)
    case = project.cases.select_related("series").get()
    for how in (
        Preprocessing(size=32, slices=5),
        Preprocessing(size=32, slices=4, channels=3, seen=ADJACENT),
        Preprocessing(size=32, slices=6, architecture="resnet10-3d", seen=VOLUME, own_scale=True),
    ):
        wanted = encode.seen(list(case.series.instances.all()), how, how.slices)
        found = transforms.LoadSeriesd("image", plain(how))({"image": str(source)})["image"].numpy()
        ours = wanted[0].transpose(0, 2, 3, 1) if how.seen == VOLUME else wanted.transpose(1, 2, 3, 0)
        np.testing.assert_array_equal(found, ours)


def test_a_network_of_volumes_gives_the_vectors_that_production_stores() -> None:
    how = Preprocessing(size=32, slices=8, architecture="resnet10-3d", seen=VOLUME, own_scale=True)
    made = PortableModel(plain(how), "single", 2, 1).eval()
    pixels = np.random.default_rng(0).random((2, 1, 8, 32, 32), dtype=np.float32)
    wanted = encoding.encoded(made.encoder, pixels, how).astype(np.float16)
    with torch.no_grad():
        found = made.vectors(torch.from_numpy(pixels).permute(0, 1, 3, 4, 2))
    np.testing.assert_allclose(found.numpy(), wanted.astype(np.float32), rtol=1e-3, atol=1e-5)


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    """A model of a few real X-rays."""
    return a_project_of("single", xrays()[:12], tmp_path / "images").models.get()


def test_onnx_runtime_predicts_what_production_predicts(version: ModelVersion, tmp_path: Path) -> None:
    folder = taken_out(version, "model-onnx", tmp_path)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    wanted = predicted(version)
    cases = list(version.project.cases.select_related("series"))
    pixels = torch.cat([seen_of(case, version) for case in cases]).numpy()
    (found,) = session.run(["pred"], {"image": pixels})
    for case, row in zip(cases, found, strict=True):
        np.testing.assert_allclose(row, wanted[case.series.content_digest], atol=1e-4)
    (twice,) = session.run(["pred"], {"image": np.repeat(pixels[:1], 3, axis=4)})
    np.testing.assert_allclose(twice, found[:1], atol=1e-4)


def test_safetensors_hold_every_tensor_and_say_how_they_are_put_together(
    version: ModelVersion, tmp_path: Path
) -> None:
    folder = taken_out(version, "model-safetensors", tmp_path)
    with safe_open(folder / "model.safetensors", "pt") as file:
        told = json.loads(file.metadata()["fovea"])
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    network = PortableModel(**told["network"]).eval()
    network.load_state_dict(tensors)
    case = version.project.cases.select_related("series").first()
    assert case is not None
    with torch.no_grad():
        found = network(seen_of(case, version)).numpy()[0]
    np.testing.assert_allclose(found, predicted(version)[case.series.content_digest], atol=1e-5)
    assert told["classes"] == CHOICES
    for paper in ("README.md", "model_card.json", "data_card.md", "license.txt", "preprocessing.json"):
        assert (folder / paper).read_text().strip()


@pytest.mark.parametrize("name", ["model-safetensors", "model-onnx", "model-bundle"])
def test_the_same_version_gives_the_same_bytes(version: ModelVersion, tmp_path: Path, name: str) -> None:
    for at in ("first", "second"):
        write(version, name, tmp_path / at, lambda _part, _words: None)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_job_makes_the_file_audited_and_it_expires_as_exports_do(version: ModelVersion) -> None:
    staff = factories.a_member(version.project, Role.ML_STAFF)
    export = request_model_export(model=version, name="model-onnx", by=staff, now=timezone.now())
    assert do_job(export.job_id).state == State.DONE
    made = Export.objects.get(pk=export.pk)
    assert made.expires_at is not None
    assert made.snapshot_id == version.snapshot_id
    with default_storage.open(made.file_name) as stored, zipfile.ZipFile(io.BytesIO(stored.read())) as file:
        assert "model.onnx" in file.namelist()
    (event,) = Event.objects.filter(action="export.create")
    assert (event.details["model"], event.details["format"]) == (version.number, "model-onnx")
    with pytest.raises(RefusedError, match="docx"):
        request_model_export(model=version, name="docx", by=staff, now=timezone.now())


def test_the_command_writes_the_newest_version(version: ModelVersion, tmp_path: Path) -> None:
    target, said = tmp_path / "out.zip", io.StringIO()
    call_command(
        "export-model",
        project=version.project.name,
        format="model-safetensors",
        out=target,
        stdout=said,
        stderr=io.StringIO(),
    )
    assert f"model {version.number} → " in said.getvalue()
    assert zipfile.is_zipfile(target)
