"""Freezing: all that a project knows of its read and held-out cases becomes one snapshot.

A snapshot is a file of JSON lines, named by its content: the project with its protocols, then a case a line,
by number. Nothing in it says when it was frozen; readers are pseudonyms.
"""

import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch, Q

from annotation.exchange.out.cards import CardOf
from annotation.exchange.out.rules import slug
from annotation.learning.models import Snapshot
from annotation.learning.services import record_project_snapshot
from annotation.projects.models import Case, Project, Protocol
from annotation.queue.models import Lease
from annotation.readings.models import Reading, Revision
from annotation.studies.models import Instance
from annotation.studies.pictures import in_reading_order

FORMAT: Final = 1
CHUNK: Final = 200
# What says where a frame lies and how its values are read; the rest of the header stays in the stored file.
KEPT: Final = frozenset({
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "PixelSpacing", "ImagerPixelSpacing", "ImagePositionPatient",
    "ImageOrientationPatient", "SliceThickness", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "InstanceNumber", "FrameOfReferenceUID",
    "SequenceOfUltrasoundRegions", "PerFrame",
})  # fmt: skip
Progress = Callable[[float, str], None]


def freeze(*, project: Project, now: datetime, progress: Progress) -> Snapshot:
    """Freeze a project; what is frozen already is the snapshot that is there.

    Each case is read in one moment; a snapshot spans the seconds that freezing takes.
    """
    card = CardOf(project.name)
    with tempfile.TemporaryFile() as written:
        for line in lines_of(project, progress):
            card.add(line)
            written.write(as_line(line))
        return record_project_snapshot(
            project=project, content=written, label_count=card.references, card=card.plain(), now=now
        )


def as_line(line: dict[str, Any]) -> bytes:
    """Write one line: the same values, the same bytes."""
    return json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def lines_of(project: Project, progress: Progress) -> Iterator[dict[str, Any]]:
    """Give the project, then its cases by number."""
    yield project_line(project)
    cases = project.cases.filter(Q(readings__isnull=False) | Q(stream=Case.Stream.HELD_OUT))
    numbers = list(cases.order_by("number").values_list("number", flat=True).distinct())
    key = reader_key(project.pk)
    for first in range(0, len(numbers), CHUNK):
        progress(first / len(numbers), f"Freezing case {first + 1} of {len(numbers)}")
        with transaction.atomic():
            chunk = [case_line(case, key) for case in loaded(project, numbers[first : first + CHUNK])]
        yield from chunk


def project_line(project: Project) -> dict[str, Any]:
    """Describe the project and every version of what it asked."""
    protocols = Protocol.objects.filter(project=project).order_by("version")
    return {
        "kind": "project",
        "format": FORMAT,
        "project": str(project.pk),
        "name": project.name,
        "dataset": project.dataset.name,
        "protocols": [
            {"version": one.version, "questions": one.questions, "settings": one.settings}
            for one in protocols
        ],
    }


def loaded(project: Project, numbers: Sequence[int]) -> list[Case]:
    """Load cases with all that is frozen of them, in six queries."""
    leases = Lease.objects.filter(ending=Lease.Ending.SUBMITTED, slot=0).select_related("pick__ranking")
    revisions = Revision.objects.select_related("protocol").order_by("number")
    readings = Reading.objects.order_by("pk").select_related("source")
    readings = readings.prefetch_related(Prefetch("revisions", revisions))
    return list(
        project.cases.filter(number__in=numbers)
        .order_by("number")
        .select_related("series__study", "patient", "reference")
        .prefetch_related(
            "series__instances", Prefetch("readings", readings), Prefetch("leases", leases, "submitted")
        )
    )


def case_line(case: Case, key: bytes) -> dict[str, Any]:
    """Describe a case, its images and everything that was said of it."""
    series = case.series
    shared, instances = images_of(in_reading_order(series.instances.all()))
    reference = getattr(case, "reference", None)
    picks = {
        lease.reader_id: lease.pick for lease in getattr(case, "submitted", []) if hasattr(lease, "pick")
    }
    readings = [
        reading_row(one, author_of(key, one), picks.get(one.reader_id)) for one in case.readings.all()
    ]
    return {
        "kind": "case",
        "case": str(case.pk),
        "number": case.number,
        "stream": case.stream,
        "split": case.part or case.split,
        "patient": case.patient.pseudonym,
        "study_instance_uid": series.study.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "body_part_examined": series.body_part_examined,
        "manufacturer": series.manufacturer,
        "manufacturer_model_name": series.manufacturer_model_name,
        "content_digest": series.content_digest,
        "attributes": shared,
        "instances": instances,
        "readings": sorted(readings, key=lambda row: row["reader"]),
        "reference": reference
        and {
            "answers": reference.answers,
            "readings": reference.readings,
            "provenance": reference.provenance,
        },
    }


def images_of(instances: Sequence[Instance]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Describe stored images in reading order: what all of them share, and what each has of its own."""
    kept = [{name: one.attributes[name] for name in KEPT & set(one.attributes)} for one in instances]
    first = kept[0] if kept else {}
    shared = {name: value for name, value in first.items() if all(one.get(name) == value for one in kept)}
    rows = [
        {
            "sop_instance_uid": one.sop_instance_uid,
            "sop_class_uid": one.sop_class_uid,
            "digest": one.digest,
            "frames": one.frames,
            "pixel_offset": one.pixel_offset,
            "frame_bytes": one.frame_bytes,
            "attributes": {name: value for name, value in own.items() if name not in shared},
        }
        for one, own in zip(instances, kept, strict=True)
    ]
    return shared, rows


def author_of(key: bytes, reading: Reading) -> str:
    """Name whose a reading is: a reader by pseudonym, a source by its name, fit for files."""
    if reading.reader_id is not None:
        return pseudonym_of(key, reading.reader_id)
    if reading.source is None:
        raise ValueError("a reading has neither reader nor source")
    words = slug(reading.source.name).replace("_", "-")
    return f"source-{words}-{reading.source.pk.hex[:6]}"


def reading_row(reading: Reading, reader: str, pick: Any) -> dict[str, Any]:  # noqa: ANN401  a Pick or None
    """Describe one reader's answers, every revision, and why the reader was given the case."""
    return {
        "reader": reader,
        "source": reading.source.name if reading.source else "",
        "revisions": [revision_row(one) for one in reading.revisions.all()],
        "pick": pick
        and {
            "stream": pick.stream,
            "reason": pick.reason,
            "rank": pick.rank,
            "score": pick.score,
            "draw_probability": pick.draw_probability,
            "strategy": pick.ranking.strategy if pick.ranking else "",
        },
    }


def revision_row(revision: Revision) -> dict[str, Any]:
    """Describe one revision."""
    return {
        "number": revision.number,
        "protocol": revision.protocol.version,
        "answers": revision.answers,
        "measurements": revision.measurements,
        "seconds": revision.seconds,
        "suggestion": revision.suggestion,
        "at": revision.created_at.isoformat(),
    }


def reader_key(project_id: UUID) -> bytes:
    """Derive the project's key of reader pseudonyms from the installation's secret."""
    secret: str = settings.DEIDENTIFICATION_SECRET
    return hmac.new(secret.encode(), b"readers:" + project_id.bytes, hashlib.sha256).digest()


def pseudonym_of(key: bytes, reader_id: UUID) -> str:
    """Name a reader so that only who has the key can say who it is; the same one in every export."""
    return hmac.new(key, reader_id.bytes, hashlib.sha256).hexdigest()[:16]
