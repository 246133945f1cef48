"""The same on disk and in an S3-compatible store: stored, read in parts, exported, saved, erased, deleted."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.exchange.lifecycle.backup.archive import Archive, Manifest
from annotation.exchange.lifecycle.backup.making import make_backup, stored_names
from annotation.exchange.lifecycle.backup.restoring import files_back
from annotation.exchange.lifecycle.belongings import find
from annotation.exchange.lifecycle.deleting import Asked, delete_project
from annotation.exchange.lifecycle.erasing import request_erasure
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import remove_expired
from annotation.studies import files
from annotation.studies.forms import change_all
from annotation.studies.models import Instance
from annotation.studies.originals import opened, sealed_into
from jobs.models import Job
from mlworker.removing import ask_removal
from mlworker.runtime import run
from tests.annotation.exchange.lifecycle.patients import ERASED, Scene, a_scene
from tests.factories import a_client, a_user
from tests.servers import running_object_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
KEYS = {"access_key": "fovea", "secret_key": "fovea-secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    """Start one for this module."""
    with running_object_store() as address:
        yield address


@pytest.fixture(params=["disk", "s3", "disk, packed", "s3, packed"])
def store(request: pytest.FixtureRequest, settings: Any) -> str:
    """Use an empty file store: a folder, or a bucket of its own; images as they are read, or packed."""
    shutil.rmtree(settings.HOME.files, ignore_errors=True)
    shutil.rmtree(settings.HOME.embeddings, ignore_errors=True)
    shutil.rmtree(settings.HOME.spool, ignore_errors=True)
    settings.PACKED_FRAMES = request.param.endswith("packed")
    if request.param.startswith("s3"):
        address = request.getfixturevalue("object_store")
        use_bucket(settings, address, f"fovea-{os.urandom(6).hex()}")
    kind: str = request.param
    return kind


def use_bucket(settings: Any, address: str, name: str) -> None:
    """Make a bucket, and store files there as production does."""
    client = boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
        region_name=KEYS["region_name"],
    )
    client.create_bucket(Bucket=name)
    options = KEYS | {
        "bucket_name": name,
        "endpoint_url": address,
        "default_acl": None,
        "file_overwrite": False,
        "querystring_auth": True,
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "annotation.studies.objects.RangedS3Storage", "OPTIONS": options},
    }


def all_files() -> dict[str, bytes]:
    """Every stored file."""
    return {name: files.read_whole(name) for name in stored_names()}


def test_a_file_is_stored_once_and_read_in_parts(store: str) -> None:
    content = os.urandom(3_000_000)
    name = files.instance_name(hashlib.sha256(content).hexdigest())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: files.put(name, io.BytesIO(content)), range(8)))
    assert list(stored_names()) == [name]
    assert files.read_span(name, 1_000_000, 500) == content[1_000_000:1_000_500]
    assert b"".join(files.Span(name, 7, 2_500_000).blocks()) == content[7:2_500_007]
    assert files.read_whole(name) == content
    with pytest.raises(EOFError):
        list(files.Span(name, 0, 3_000_001).blocks())
    files.remove(name)
    files.remove(name)
    assert list(stored_names()) == []
    with pytest.raises(FileNotFoundError):
        files.read_span(name, 0, 1)


@pytest.mark.parametrize("length", [1000, 9_000_001])
def test_an_original_is_sealed_on_its_way_in_and_opened_on_its_way_out(store: str, length: int) -> None:
    content = os.urandom(length)
    one = Instance(source_digest=hashlib.sha256(content).hexdigest())
    name = files.original_name(one.source_digest)
    with ExitStack() as stack:
        sealed, size = sealed_into(stack, io.BytesIO(content))
        files.put_all({name: sealed})
    assert default_storage.size(name) == size
    assert content[:500] not in files.read_whole(name)
    with closing(opened(one)) as original:
        assert (original.length, b"".join(original)) == (length, content)
    files.remove(name)
    with pytest.raises(FileNotFoundError):
        opened(one)


@pytest.fixture
def scene(store: str, tmp_path: Path) -> Scene:
    """Two patients, imported, read, exported."""
    return a_scene(tmp_path)


def test_what_was_imported_can_be_seen_and_exported(scene: Scene) -> None:
    case = scene.project.cases.order_by("number")[0]
    uid = case.series.instances.order_by("sop_instance_uid")[0].sop_instance_uid
    client = a_client(scene.reader)
    frame = client.get(f"/api/v1/cases/{case.pk}/instances/{uid}/frames/1")
    assert frame.status_code == 200
    assert len(frame.content) == Instance.objects.get(sop_instance_uid=uid).frame_bytes
    assert client.get(f"/api/v1/cases/{case.pk}/thumbnail").content.startswith(b"\x89PNG")
    export = Export.objects.get()
    assert hashlib.sha256(files.read_whole(export.file_name)).hexdigest() == export.file_digest
    assert remove_expired(now=timezone.now() + timedelta(days=60)) == 1
    assert not default_storage.exists(export.file_name)


def test_images_change_their_form_and_back(scene: Scene, settings: Any) -> None:
    before, contents = pixels(), all_files()
    assert any(name.endswith(files.PACKED) for name in contents) == settings.PACKED_FRAMES
    for to_packed in (not settings.PACKED_FRAMES, settings.PACKED_FRAMES):
        changed = change_all(to_packed=to_packed, told=lambda _changed: None)
        assert changed.files == len(before) > 0
        assert (changed.after < changed.before) == to_packed
        assert {Path(name).suffix for name in stored_names("instances/")} == {suffix_of_form(to_packed)}
        assert pixels() == before
        again = change_all(to_packed=to_packed, told=lambda _changed: None)
        assert (again.files, again.kept) == (0, len(before))
    assert all_files() == contents


def pixels() -> dict[str, bytes]:
    """All frames of every image."""
    return {one.digest: frames_of(one).read() for one in Instance.objects.all()}


def frames_of(image: Instance) -> files.Span:
    """Where they lie."""
    name = files.instance_name(image.digest)
    return files.Span(name, image.pixel_offset, image.frames * image.frame_bytes)


def suffix_of_form(to_packed: bool) -> str:
    """How files of a form are called."""
    return files.PACKED if to_packed else files.PLAIN


def test_a_backup_brings_every_file_back(scene: Scene, tmp_path: Path) -> None:
    before = all_files()
    root = tmp_path / "backups"
    made = make_backup(root, now=timezone.now(), progress=lambda _part, _words: None)
    assert made.files == made.copied == len(before)
    again = make_backup(root, now=timezone.now() + timedelta(seconds=2), progress=lambda _part, _words: None)
    assert again.copied == 0
    for name in before:
        files.remove(name)
    archive = Archive(root)
    manifest = Manifest.read(archive.folder())
    assert archive.problems_of(manifest, archive.folder()) == []
    assert files_back(archive, manifest, lambda _part, _words: None) == []
    assert all_files() == before


def test_an_erased_patient_leaves_no_file(scene: Scene) -> None:
    found = find(scene.project.dataset, pseudonym="", patient_id=ERASED)
    asked = request_erasure(
        project=scene.project, found=found, reason="asked", by=a_user(is_admin=True), now=timezone.now()
    )
    run(str(asked.job_id))
    assert Job.objects.get(pk=str(asked.job_id)).error == ""
    left = all_files()
    told = [name for name, secret in scene.secrets.items() if any(secret in one for one in left.values())]
    assert told == []
    assert not [name for name in left if any(secret in name.encode() for secret in scene.secrets.values())]
    assert len([name for name in left if name.startswith("instances/")]) == 3


def test_a_deleted_project_leaves_no_image(scene: Scene) -> None:
    now = timezone.now() - timedelta(days=8)
    delete_project(project=scene.project, asked=Asked(a_user(is_admin=True), "ended", now))
    job = ask_removal(now=timezone.now())
    assert job is not None
    run(job.pk)
    assert not [one for one in stored_names() if one.startswith(("instances/", "thumbnails/", "quarantine/"))]
