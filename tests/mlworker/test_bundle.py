"""MONAI bundles of models: MONAI's own tools verify, run and export them as production predicts."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from annotation.learning.models import ModelCard, ModelVersion
from annotation.projects.models import Project
from annotation.studies.models import ImportedFile
from mlworker.portable.building import portable
from mlworker.portable.bundle import as_words
from tests.mlworker.portable_models import IMAGES, a_project_of, predicted, seen_of, taken_out, xrays
from tests.mlworker.test_encode import no_vectors_yet

pytestmark = pytest.mark.django_db(transaction=True)
assert no_vectors_yet
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
