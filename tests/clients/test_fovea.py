"""The Python client: against a live server with a worker, and against an exported file."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fovea
import numpy as np
import pytest

from tests import phantoms
from tests.browser.serving import PASSWORD, Fovea, build_front_end, whole_system_in
from tests.servers import ROOT

pytestmark = pytest.mark.processes
PROJECT = "phantoms out"
READ = """
import uuid
from django.core.management import call_command
from django.utils import timezone
from accounts.models import User
from accounts.tokens import Wish, make_token
from annotation.learning.models import Policy
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.services import set_membership, start_project
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from annotation.projects.masks import written
import numpy as np
lung = {{"value": "lung", "label": "Lung"}}
asked = {{"key": "organ", "prompt": "Paint", "kind": "segmentation", "classes": [lung]}}
document = document_of({{"questions": [asked], "settings": {{"suggestions": "never"}}}})
project = start_project(name={name!r}, document=document, now=timezone.now())
Policy.objects.create(project=project, audit_share=0.0)  # none of the three patients is drawn for validation
call_command("import", {source!r}, project={name!r})
people = {{name: User.objects.create_user(name, password={password!r}) for name in ("rita", "mila")}}
set_membership(project=project, user=people["rita"], role="reader")
set_membership(project=project, user=people["mila"], role="ml_staff")
work = lease_next(reader=people["rita"], project_id=project.pk, now=timezone.now())
while work.cases:
    held = work.cases[0]
    images = sorted(held.case.series.instances.all(), key=lambda one: one.instance_number)
    shape = (len(images), images[0].rows, images[0].columns)
    drawn = np.zeros(shape, dtype=bool)
    drawn[1, 3:9, 4:12] = True
    mask = written(shape, [one.sop_instance_uid for one in images], {{"lung": drawn}})
    work = submit(reader=people["rita"], lease_id=held.lease.pk, case_id=held.case.pk, now=timezone.now(),
        answered=Answered({{"organ": mask}}, 2.0, 1, uuid.uuid4())).workload
wish = Wish("client", ["export"], 1)
print(make_token(user=people["mila"], wish=wish, now=timezone.now())[1],
      make_token(user=people["rita"], wish=wish, now=timezone.now())[1])
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four oblique, anisotropic series of three slices, a patient each; one is held out."""
    folder = tmp_path_factory.mktemp("phantoms")
    lines = ["path,label,patient_id,split"]
    for patient in range(4):
        for number in range(1, 4):
            made = phantoms.a_slice(number)
            made.PatientID = f"P{patient}"
            for keyword, arc in (("SeriesInstanceUID", 7), ("StudyInstanceUID", 8)):
                setattr(made, keyword, f"1.2.826.0.1.3680043.10.{arc}.{patient}")
            made.SOPInstanceUID = f"1.2.826.0.1.3680043.10.9.{patient}.{number}"
            name = f"{patient}-{number}.dcm"
            (folder / name).write_bytes(phantoms.dicom(made))
            lines.append(f"{name},,P{patient},{'test' if patient == 3 else 'train'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fovea]:
    build_front_end()
    with whole_system_in(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(system: Fovea, source: Path) -> list[str]:
    """Keys of ML staff and of a reader."""
    return system.run(READ.format(name=PROJECT, source=str(source), password=PASSWORD)).split()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(system: Fovea, tokens: list[str], cache: Path) -> fovea.Dataset:
    return fovea.load(f"{PROJECT}@now", url=system.url, token=tokens[0], cache=cache)


def check(data: fovea.Dataset) -> None:
    """What the phantoms are, and what was painted on them."""
    assert data.labels == {"background": 0, "lung": 1}
    read = [*data.training, *data.validation]
    assert len(read) == 3
    assert len(data.test) == 1
    for item in read:
        assert item["image"].shape == (1, 20, 24, 3)
        label = item["label"]
        assert isinstance(label, np.ndarray)
        wanted = np.zeros((20, 24, 3), dtype=np.uint8)
        wanted[4:12, 3:9, 1] = 1
        assert np.array_equal(label, wanted)
        assert len(item["meta"]["patient"]) > 8
    (held,) = data.test
    assert held["label"] is None


def test_a_snapshot_of_a_live_server_is_a_data_set_in_one_line(data: fovea.Dataset) -> None:
    check(data)
    slices = [np.frombuffer(phantoms.a_slice(number).PixelData, "<i2") for number in (1, 2, 3)]
    values = np.stack(slices).reshape(3, 24, 20) - 1024.0
    assert np.array_equal(data.training[0]["image"][0], values.transpose(2, 1, 0))


def test_the_affine_takes_voxels_to_the_patient(data: fovea.Dataset) -> None:
    row, column = np.array(phantoms.OBLIQUE[:3]), np.array(phantoms.OBLIQUE[3:])
    normal = np.cross(row, column)
    placed = (
        normal * phantoms.SLICE_MM * 3
        + row * phantoms.SPACING_MM[1] * 5
        + column * phantoms.SPACING_MM[0] * 7
    )
    found = data.training[0]["affine"] @ (5, 7, 2, 1)
    assert found[:3] == pytest.approx(placed * (-1, -1, 1), abs=0.01)


def test_what_was_fetched_is_not_fetched_again(
    system: Fovea, tokens: list[str], cache: Path, data: fovea.Dataset
) -> None:
    before = len(system.run("from annotation.models import Export; print('x' * Export.objects.count())"))
    check(fovea.load(f"{PROJECT}@latest", url=system.url, token=tokens[0], cache=cache))
    after = len(system.run("from annotation.models import Export; print('x' * Export.objects.count())"))
    assert before == after == 1
    (kept,) = cache.glob("*.zip")
    assert kept.stat().st_mode & 0o077 == 0


def test_a_reader_s_token_takes_nothing_out(system: Fovea, tokens: list[str], tmp_path: Path) -> None:
    with pytest.raises(fovea.FoveaError, match="there are none"):
        fovea.load(f"{PROJECT}@now", url=system.url, token=tokens[1], cache=tmp_path)


def test_a_wrong_token_is_told_so(system: Fovea, tmp_path: Path) -> None:
    with pytest.raises(fovea.FoveaError, match="401"):
        fovea.load(f"{PROJECT}@now", url=system.url, token="fovea_wrong", cache=tmp_path)


def test_a_command_s_file_and_its_unpacked_folder_are_the_same_data_set(
    system: Fovea, tokens: list[str], tmp_path: Path
) -> None:
    target = tmp_path / "out.zip"
    system.manage("export", "--project", PROJECT, "--format", "monai", "--out", str(target))
    check(fovea.load(target))
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "folder")
        names = [one for one in archive.namelist() if one.endswith("dataset.json")]
        described = json.loads(archive.read(names[0]))
    assert described["channel_names"] == {"0": "CT"}
    assert described["numTraining"] == 3
    check(fovea.load(tmp_path / "folder"))


def test_torch_and_monai_take_it(data: fovea.Dataset) -> None:
    from monai.transforms.spatial.dictionary import Spacingd
    from torch.utils.data import DataLoader

    batch: Any = next(iter(DataLoader(data.to_torch(), batch_size=2)))
    assert batch["image"].shape == (2, 1, 20, 24, 3)
    assert batch["label"].sum() == 2 * 48
    first = data.to_monai("training")[0]
    assert first["image"].affine[:3, :3].numpy() == pytest.approx(data.training[0]["affine"][:3, :3])
    spaced = data.to_monai(
        "training", Spacingd(["image", "label"], pixdim=(1, 1, 1), mode=["bilinear", "nearest"])
    )
    assert spaced[0]["image"].shape[1:] == spaced[0]["label"].shape[1:]


def test_what_is_no_export_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "wrong.zip").write_bytes(b"no zip")
    with pytest.raises(fovea.FoveaError, match="no zip file"):
        fovea.load(tmp_path / "wrong.zip")
    with pytest.raises(fovea.FoveaError, match="names no snapshot"):
        fovea.load("nothing there")


def test_it_installs_and_needs_neither_torch_nor_django(tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    copied = tmp_path / "source"
    subprocess.run(["cp", "-r", str(ROOT / "clients" / "python"), str(copied)], check=True)
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(copied)], check=True, timeout=200)
    said = "import sys, fovea; print(fovea.__file__, 'torch' in sys.modules, 'django' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", said],
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    where, *loaded = ended.stdout.split()
    assert where.startswith(str(tmp_path))
    assert loaded == ["False", "False"]
