"""Models taken out: what MONAI, ONNX Runtime and plain torch make of them is what production predicts."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

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
from annotation.learning import services
from annotation.learning.models import ModelCard, ModelVersion
from annotation.projects.models import Case, Project
from annotation.projects.protocols import document_of
from annotation.projects.rules import RefusedError
from annotation.projects.services import start_project
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import ImportedFile
from audit.models import Event
from jobs.models import State
from mlworker import encode
from mlworker.encoders import encoding
from mlworker.encoders.networks import ADJACENT, VOLUME, Preprocessing
from mlworker.portable import transforms
from mlworker.portable.building import plain, portable
from mlworker.portable.bundle import as_words
from mlworker.portable.model import PortableModel
from mlworker.portable.writing import write
from mlworker.predicting import predictions
from mlworker.vectors import store_of
from tests import factories
from tests.annotation.exchange.out.conftest import do_job
from tests.mlworker.stages import refitted
from tests.mlworker.test_encode import embedded, no_vectors_yet
from tests.real import real_images

pytestmark = pytest.mark.django_db(transaction=True)
assert no_vectors_yet
CHOICES = ["no_finding", "pneumonia", "covid19"]
IMAGES = 24
# What the specification of metadata.json says must be there; MONAI's own schema is fetched from the network.
SCHEMA = {
    "type": "object",
    "required": [
        *("version", "monai_version", "pytorch_version", "numpy_version", "optional_packages_version"),
        *("task", "description", "authors", "copyright", "network_data_format"),
    ],
    "properties": {
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "optional_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "additionalProperties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/tensor"}},
        },
    },
    "$defs": {
        "tensor": {
            "type": "object",
            "required": [
                *("type", "format", "num_channels", "spatial_shape", "dtype", "value_range"),
                *("is_patch_data", "channel_def"),
            ],
            "properties": {
                "num_channels": {"type": "integer", "minimum": 1},
                "spatial_shape": {"type": "array"},
                "is_patch_data": {"type": "boolean"},
                "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    },
}


def question(kind: str) -> dict[str, Any]:
    choices = [{"value": value, "label": value} for value in CHOICES]
    return {"questions": [{"key": "finding", "prompt": "What is it?", "kind": kind, "choices": choices}]}


def a_project_of(kind: str, images: list[Path], folder: Path) -> Project:
    """Real images in a project whose cases are read and encoded, with a model."""
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        (folder / f"{number:02d}{image.suffix}").write_bytes(image.read_bytes())
    project = start_project(name=f"out {kind}", document=document_of(question(kind)), now=timezone.now())
    services.set_policy(project=project, by=None, audit_share=0.0)
    delivery = open_delivery(
        project=project, source_name="images", requested_by=None, now=timezone.now(), modality="DX"
    )
    run_delivery(delivery.pk, source=folder, progress=lambda _fraction, _message: None)
    label(project, kind)
    embedded(project)
    refitted(project)
    return project


def label(project: Project, kind: str) -> None:
    """Give every case an answer, each answer often enough."""
    for number, case in enumerate(project.cases.order_by("number")):
        value = CHOICES[number % 3]
        said: Any = [value, CHOICES[2]] if kind == "multi" and number % 2 else value
        answer = said if isinstance(said, list) or kind != "multi" else [said]
        ReferenceStandard.objects.create(
            case=case, answers={"finding": answer}, readings=1, updated_at=timezone.now()
        )


def xrays() -> list[Path]:
    """Take as many real X-rays of each kind."""
    with (real_images() / "chest_xray" / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = [[row["path"] for row in rows if row["label"] == name][: IMAGES // 3] for name in sorted(CHOICES)]
    return [real_images() / "chest_xray" / path for turn in zip(*found, strict=True) for path in turn]


def predicted(version: ModelVersion) -> dict[str, np.ndarray[Any, Any]]:
    """What production predicts of each case, by the series' digest."""
    digests = list(version.project.cases.values_list("series__content_digest", flat=True))
    store = store_of(version.encoder)
    found = predictions(version, store.vectors(store.rows(digests)))
    last = found[:, :, 1] if found.shape[1] > 1 else found[:, 0]
    return dict(zip(digests, last, strict=True))


def taken_out(version: ModelVersion, name: str, folder: Path) -> Path:
    """Write a version, and unpack it."""
    target = folder / f"{name}.zip"
    report = write(version, name, target, lambda _part, _words: None)
    assert report["counts"]["answers"] == len(version.classes)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder / name)
    return folder / name


def monai_says(bundle: Path, command: str, *more: str) -> str:
    """Run one of MONAI's tools in the bundle's folder, where nothing of ours can be imported."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "monai.bundle", command, *more],
        cwd=bundle,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


CONFIGS = ("--config_file", "configs/inference.json", "--meta_file", "configs/metadata.json")


def seen_of(case: Case, version: ModelVersion) -> torch.Tensor:
    """A case's pixels as the network takes them."""
    how = portable(version).how
    pixels = encode.seen(list(case.series.instances.all()), how, how.slices)
    return torch.from_numpy(pixels).permute(1, 2, 3, 0)[None]


@pytest.mark.parametrize("kind", ["single", "ordinal", "multi"])
def test_the_network_predicts_what_production_predicts(kind: str, tmp_path: Path) -> None:
    project = a_project_of(kind, xrays()[:12], tmp_path / "images")
    version = project.models.get()
    wanted, network = predicted(version), portable(version).network
    for case in project.cases.select_related("series"):
        with torch.no_grad():
            found = network(seen_of(case, version)).numpy()[0]
        np.testing.assert_allclose(found, wanted[case.series.content_digest], atol=1e-5)


def test_monais_own_tools_run_the_bundle_and_predict_what_production_predicts(tmp_path: Path) -> None:
    project = a_project_of("single", xrays(), tmp_path / "images")
    Project.objects.filter(pk=project.pk).update(name="$1/0 and @nobody")
    card = ModelCard.objects.get(model__project=project)
    card.content["model"]["question"] = "@nobody::knows"
    card.save()
    ModelVersion.objects.filter(project=project).update(classes=["%nowhere", "$open('run', 'w')", "a @## b"])
    version = project.models.get()
    bundle = taken_out(version, "model-bundle", tmp_path) / f"fovea-model-{version.number}"
    run = monai_says(bundle, "run", *CONFIGS, "--bundle_root", ".", "--dataset_dir", str(tmp_path / "images"))
    assert "rror" not in run
    assert not (bundle / "run").exists()
    with (bundle / "eval" / "chances.csv").open() as lines:
        rows = {Path(row[0]).name: [float(value) for value in row[1:]] for row in csv.reader(lines)}
    assert len(rows) == IMAGES
    wanted = predicted(version)
    for file in ImportedFile.objects.filter(delivery__project_id=project.pk):
        assert file.instance is not None
        digest = file.instance.series.content_digest
        np.testing.assert_allclose(rows[Path(file.path).name], wanted[digest], atol=1e-5)


def test_metadata_are_words_whatever_a_project_calls_its_things() -> None:
    told = as_words({"name": "$1/0", "classes": ["%x", " @y", "50 % of @# b"], "plain": "a @b", "count": 3})
    assert told == {
        "name": "called $1/0",
        "classes": ["called %x", "called  @y", "50 % of @ # b"],
        "plain": "a @b",
        "count": 3,
    }


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:DeprecationWarning")
def test_monais_own_tools_verify_and_export_the_bundle(tmp_path: Path) -> None:
    project = a_project_of("single", xrays()[:12], tmp_path / "images")
    version = project.models.get()
    bundle = taken_out(version, "model-bundle", tmp_path) / f"fovea-model-{version.number}"
    (bundle / "eval").mkdir()
    (bundle / "eval" / "schema.json").write_text(json.dumps(SCHEMA))
    verified = monai_says(
        bundle, "verify_metadata", "--meta_file", "configs/metadata.json", "--filepath", "eval/schema.json"
    )
    assert "verified with no error" in verified
    shapes = monai_says(bundle, "verify_net_in_out", "--net_id", "network_def", *CONFIGS, "--device", "cpu")
    assert "verified with no error" in shapes
    shape = str(portable(version).input_shape)
    monai_says(
        bundle,
        *("ckpt_export", "--net_id", "network_def", *CONFIGS, "--filepath", "models/model.ts"),
        *("--ckpt_file", "models/model.pt", "--use_trace", "True", "--input_shape", shape),
    )
    scripted = torch.jit.load(str(bundle / "models" / "model.ts"))  # type: ignore[no-untyped-call]
    case = project.cases.select_related("series").first()
    assert case is not None
    pixels = seen_of(case, version)
    with torch.no_grad():
        found = scripted(pixels).numpy()[0]
    np.testing.assert_allclose(found, predicted(version)[case.series.content_digest], atol=1e-5)


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
