"""A patient who is everywhere: images, held files, readings, drafts, remarks, snapshots, exports, vectors."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.models import Role, User
from annotation.exchange import uploads
from annotation.exchange.imports import open_delivery, run_delivery
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.out.jobs import made_export
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import finish_export
from annotation.learning import services
from annotation.learning.files import keep
from annotation.learning.maps import NewMap, record_map
from annotation.learning.models import SimilaritySearch
from annotation.projects.models import Case, Project
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.models import Draft
from annotation.readings.services import Answered
from annotation.studies import files
from annotation.studies.keys import dataset_key, pseudonym_of
from annotation.studies.models import Import
from mlworker.vectors import store_of
from tests import phantoms
from tests.annotation.exchange.conftest import write
from tests.factories import a_member, a_project, a_reader
from tests.mlworker.stages import an_encoder

ERASED, OTHER = "CANARY-PATIENT-7", "PHANTOM-8"
FILE_WORD, TEXT_WORD = "canaryfile", "canarytext"
UID = "1.2.826.0.1.3680043.10.997"


@dataclass(frozen=True)
class Scene:
    """A project with two patients, one of whom is to be erased; secrets: what must not be found then."""

    project: Project
    reader: User
    secrets: dict[str, bytes]


def deliver(project: Project, folder: Path, name: str, patient: str, number: int) -> None:
    """Import a series of two slices, a second study, an ultrasound image that is held and a damaged file."""
    root = folder / name
    for place in (1, 2):
        write(root, f"{name}-ct{place}.dcm", a_file(patient, 10 * number + 1, place, modality="CT"))
    write(root, f"{name}-mr.dcm", a_file(patient, 10 * number + 2, 3, modality="MR"))
    write(root, f"{name}-us.dcm", a_file(patient, 10 * number + 3, 4, modality="US"))
    damaged = a_file(patient, 10 * number + 4, 5, modality="CT")
    write(root, f"{name}-bad.dcm", damaged[: len(damaged) - 100])
    delivery = open_delivery(project=project, source_name=name, requested_by=None, now=timezone.now())
    run_delivery(delivery.pk, source=root, progress=lambda _fraction, _message: None)


def a_file(patient: str, series: int, place: int, *, modality: str) -> bytes:
    """One DICOM file of a patient, in a study and series of the number."""
    made = phantoms.a_slice(place, modality=modality)
    made.PatientID, made.PatientName = patient, patient
    made.StudyInstanceUID, made.SeriesInstanceUID = f"{UID}.{series}", f"{UID}.{series}.1"
    made.SOPInstanceUID = f"{UID}.{series}.1.{place}"
    values = np.random.default_rng(100 * series + place).integers(0, 8, len(made.PixelData) // 2)
    made.PixelData = values.astype("<u2").tobytes()
    return phantoms.dicom(made)


def a_scene(folder: Path) -> Scene:
    """Two patients, read, learned from, frozen, exported, mapped, searched for and drafted about."""
    project = a_project()
    deliver(project, folder, FILE_WORD, ERASED, 1)
    deliver(project, folder, "other", OTHER, 2)
    reader = a_reader(project)
    read_all(project, reader)
    learn(project)
    export(project)
    write_about(project, reader)
    unfinished_upload(project)
    labels_in(project)
    return Scene(project, reader, secrets_of(project))


def mine(project: Project) -> list[Case]:
    """Cases of the patient who is to be erased."""
    pseudonym = pseudonym_of(dataset_key(project.dataset_id), ERASED)
    return list(project.cases.filter(patient__pseudonym=pseudonym).select_related("series__study"))


def read_all(project: Project, reader: User) -> None:
    """Answer for every case."""
    now = timezone.now()
    project.cases.update(stream=Case.Stream.POOL)
    work = lease_next(reader=reader, project_id=project.pk, now=now)
    while work.cases:
        held = work.cases[0]
        answered = Answered({"finding": "normal"}, 1.0, 1, uuid.uuid4())
        work = submit(
            reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=now
        ).workload


def learn(project: Project) -> None:
    """Vectors of all cases, and a model version whose snapshot names them."""
    encoder = an_encoder(project)
    cases = list(project.cases.select_related("series").order_by("number"))
    digests = [case.series.content_digest for case in cases]
    store_of(encoder).append(digests, vectors_of(len(cases)))
    labels = [
        {"case": str(case.pk), "digest": digest, "label": "normal"}
        for case, digest in zip(cases, digests, strict=True)
    ]
    new = services.NewModel(
        encoder=encoder,
        classes=["normal", "pneumonia"],
        artefact=keep(b"heads", folder="artefacts", suffix=".safetensors"),
        labels=labels,
        seconds=0.1,
        audit_cases=0,
        metrics={},
    )
    services.record_model(project=project, job_id=uuid.uuid4(), new=new, now=timezone.now())


def vectors_of(count: int) -> np.ndarray:
    """Vectors that are told apart by their bytes."""
    return np.random.default_rng(5).normal(size=(count, 16)).astype(np.float16)


def export(project: Project) -> None:
    """Freeze and export the project, and draw its map."""
    staff = a_member(project, Role.ML_STAFF)
    now = timezone.now()
    asked = Export.objects.create(project=project, format="jsonl", requested_by=staff, created_at=now)
    made = made_export(asked, now=now, progress=lambda _fraction, _message: None)
    finish_export(export_id=asked.pk, made=made, now=now)
    points = b"".join(case.pk.bytes for case in mine(project))
    stored = keep(points, folder="maps", suffix=".bin")
    encoder = services.policy_for(project).encoder
    assert encoder is not None
    new = NewMap("pca", encoder, None, stored, 1, [], [], {})
    record_map(project=project, job_id=uuid.uuid4(), new=new, now=now)
    numbers = [case.number for case in mine(project)]
    SimilaritySearch.objects.create(
        project=project, asked_by=staff, like=numbers[:1], hits=[[numbers[-1], 0.5]], created_at=now
    )


def write_about(project: Project, reader: User) -> None:
    """A draft and a remark that say something about the patient."""
    case, now = mine(project)[0], timezone.now()
    Draft.objects.update_or_create(
        case=case,
        reader=reader,
        defaults={"version": 1, "answers": {"note": TEXT_WORD}, "updated_at": now},
    )
    case.remarks.create(
        author=reader, kind="comment", text=TEXT_WORD, idempotency_key=uuid.uuid4(), created_at=now
    )


def unfinished_upload(project: Project) -> Import:
    """An upload whose pieces have come and whose import nobody has started."""
    content = a_file(ERASED, 19, 1, modality="CT")
    delivery = open_delivery(project=project, source_name="u", requested_by=None, now=timezone.now())
    listed = [uploads.Listed(f"{FILE_WORD}.dcm", len(content))]
    uploads.begin(settings.HOME.spool, delivery.pk, listed, max_bytes=1 << 30)
    span = uploads.Span(0, 0, len(content))
    uploads.write_pieces(settings.HOME.spool, delivery.pk, [span], io.BytesIO(content))
    return delivery


def labels_in(project: Project) -> None:
    """A file of labels that waits for a word, and a report that names the patient's case."""
    stored = keep(f"patient,{TEXT_WORD}".encode(), folder="labels", suffix=".csv")
    LabelImport.objects.create(
        project=project,
        source_name="elsewhere",
        use="kept",
        format="csv",
        file_title=f"{FILE_WORD}.csv",
        file_name=stored.name,
        file_digest=stored.digest,
        lines=[[f"{FILE_WORD} row 1", mine(project)[0].number, "new", ""]],
        created_at=timezone.now(),
    )


def secrets_of(project: Project) -> dict[str, bytes]:
    """Everything by which the patient could be found again."""
    found = {
        "patient id": ERASED.encode(),
        "file name": FILE_WORD.encode(),
        "text": TEXT_WORD.encode(),
        "pseudonym": pseudonym_of(dataset_key(project.dataset_id), ERASED).encode(),
    }
    encoder = services.policy_for(project).encoder
    assert encoder is not None
    store = store_of(encoder)
    for case in mine(project):
        series = case.series
        found[f"study {case.number}"] = series.study.study_instance_uid.encode()
        found[f"series {case.number}"] = series.series_instance_uid.encode()
        found[f"vector {case.number}"] = store.vectors(store.rows([series.content_digest])).tobytes()
        found[f"key {case.number}"] = bytes.fromhex(series.content_digest)
        for instance in series.instances.all():
            found[f"instance {instance.pk}"] = instance.sop_instance_uid.encode()
            found[f"digest {instance.pk}"] = instance.digest.encode()
            span = files.frame_span(instance.digest, instance.pixel_offset, instance.frame_bytes, 1)
            found[f"pixels {instance.pk}"] = span.read()[:64]
    return found


def places() -> Iterator[tuple[str, bytes]]:
    """Every file under the data directory, the database's pages and log among them; every row; the cache."""
    for path in sorted(settings.HOME.root.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(settings.HOME.root)), str(path).encode() + path.read_bytes()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            yield f"table {table}", repr(cursor.fetchall()).encode()
    yield "cache", repr(getattr(cache, "_cache", {})).encode()


def hits(secrets: dict[str, bytes]) -> list[tuple[str, str]]:
    """Where which of the secrets is found."""
    return [
        (place, name) for place, content in places() for name, secret in secrets.items() if secret in content
    ]
