"""The demo: which images, which accounts, and that running it again changes nothing."""

import csv
import json
import stat
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from annotation.exchange import phantoms
from annotation.projects.models import Case, Membership, Project
from annotation.studies.models import Import
from config.demo import accounts, medmnist, sources
from config.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give the demo a data directory of its own."""
    own = Home(tmp_path / "home")
    own.root.mkdir()
    monkeypatch.setattr(settings, "HOME", own)
    return own


def archive(folder: Path, *, count: int = 4) -> Path:
    """Write a small file as MedMNIST does."""
    random = np.random.default_rng(3)
    arrays: dict[str, Any] = {
        f"{split}_{kind}": value
        for split in medmnist.SPLITS
        for kind, value in (
            ("images", random.integers(0, 255, (count, 28, 28), dtype=np.uint8)),
            ("labels", np.arange(count, dtype=np.uint8).reshape(-1, 1) % 2),
        )
    }
    path = folder / "pneumoniamnist.npz"
    np.savez(path, **arrays)
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_medmnist_file_becomes_a_delivery_with_its_splits_and_labels(tmp_path: Path) -> None:
    folder = medmnist.unpack(archive(tmp_path), tmp_path / "out")
    table = rows(folder)
    assert len(table) == 12
    assert {row["split"] for row in table} == {"train", "val", "test"}
    assert {row["label"] for row in table} == {"normal", "pneumonia"}
    assert all((folder / row["path"]).is_file() for row in table)


def test_the_real_medmnist_file_loads_capped(real_data: Path, tmp_path: Path) -> None:
    folder = medmnist.unpack(real_data / "pneumoniamnist" / "pneumoniamnist.npz", tmp_path / "out")
    assert len(rows(folder)) == sum(medmnist.MOST_IMAGES.values())


def test_a_file_without_its_arrays_is_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", train_images=np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(medmnist.MedmnistError, match="train_labels is missing"):
        medmnist.unpack(tmp_path / "bad.npz", tmp_path / "out")


def test_a_pickle_in_an_archive_is_never_loaded(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "evil.npz", train_images=np.array([{"a": 1}], dtype=object), train_labels=np.zeros((1, 1))
    )
    with pytest.raises(medmnist.MedmnistError):
        medmnist.unpack(tmp_path / "evil.npz", tmp_path / "out")


def test_phantoms_are_the_same_each_time_and_their_grades_are_visible_in_the_pixels() -> None:
    assert np.array_equal(phantoms.phantom(7).pixels, phantoms.phantom(7).pixels)
    assert {phantoms.phantom(number).label for number in range(0, 20, 2)} == {"no_lesion"}
    assert {phantoms.phantom(number).grade for number in range(1, 60, 2)} == set(phantoms.CONTRASTS)


def test_phantoms_are_written_with_patients_that_never_cross_the_splits(tmp_path: Path) -> None:
    table = rows(phantoms.write_phantoms(tmp_path / "out", count=24))
    splits: dict[str, set[str]] = {}
    for row in table:
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(split) == 1 for split in splits.values())
    assert {"train", "test"} == set.union(*splits.values())


def test_without_data_and_internet_phantoms_and_real_dicom_files_are_used_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOVEA_MEDMNIST", raising=False)
    monkeypatch.setattr(medmnist, "URL", "http://127.0.0.1:1/none.npz")
    monkeypatch.setattr(phantoms, "COUNT", 2)
    chosen = sources.sources("", tmp_path)
    assert [source.project for source in chosen] == ["Chest phantoms", "DICOM examples"]
    assert "cannot be had here" in chosen[0].said
    assert len(list(chosen[1].path.iterdir())) == len(sources.DICOM_FILES)


def test_a_download_with_another_checksum_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(medmnist, "fetched", lambda: b"an error page")
    assert medmnist.download(tmp_path) is None
    monkeypatch.setattr(medmnist, "fetched", raise_unreachable)
    assert medmnist.download(tmp_path) is None


def raise_unreachable() -> bytes:
    raise httpx.ConnectError("no internet")


def test_the_file_that_the_environment_names_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEA_MEDMNIST", str(archive(tmp_path)))
    (chosen,) = sources.sources("", tmp_path / "spool")
    assert (chosen.project, chosen.modality) == ("PneumoniaMNIST", "DX")


def test_a_folder_that_holds_a_medmnist_file_is_used_as_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    archive(tmp_path / "given")
    (tmp_path / "given" / "README").write_text("about")
    (chosen,) = sources.sources(str(tmp_path / "given"), tmp_path / "spool")
    assert chosen.project == "PneumoniaMNIST"


@pytest.mark.django_db
def test_the_accounts_are_made_once_with_passwords_that_only_their_owner_can_read(home: Home) -> None:
    people = accounts.ensure_people(home)
    made = accounts.known_accounts(home)
    assert accounts.ensure_people(home) == people
    assert accounts.known_accounts(home) == made
    assert stat.S_IMODE(home.accounts.stat().st_mode) == 0o600
    assert {account.role for account in made} == {"reader", "ML staff", "admin"}
    assert all(User.objects.get(username=one.username).check_password(one.password) for one in made)
    assert User.objects.filter(is_admin=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_demo_made_twice_is_made_once(home: Home, tmp_path: Path) -> None:
    given = archive(tmp_path)
    call_command("demo", data=str(given))
    before = (
        Project.objects.count(),
        Case.objects.count(),
        Membership.objects.count(),
        Import.objects.count(),
    )
    call_command("demo", data=str(given))
    call_command("demo")
    assert before == (1, 12, 3, 1)
    after = (
        Project.objects.count(),
        Case.objects.count(),
        Membership.objects.count(),
        Import.objects.count(),
    )
    assert after == before
    assert list(json.loads((home.root / "demo.json").read_text())) == ["PneumoniaMNIST"]


@pytest.mark.django_db
def test_images_that_are_not_there_are_named(home: Home) -> None:
    with pytest.raises(CommandError, match="/nowhere does not exist"):
        call_command("demo", data="/nowhere")
