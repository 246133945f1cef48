"""How much a project stores, by what it is, and what its quotas leave."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from annotation.exchange.archives import DeliveryError
from annotation.exchange.out.models import Export
from annotation.learning.drawn_models import PixelHead
from annotation.learning.models import EmbeddingMap, Encoder, ModelVersion, Snapshot
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import record_act
from annotation.studies.models import Instance, QuarantinedFile, Series

KEY_BYTES = 32


class QuotaError(RefusedError, DeliveryError):
    """A project's quota leaves no room for what comes; nothing of it was taken."""

    code = "quota"
    refused = 0  # files of the batch that was not let in


class Sized(Protocol):
    """Something of a size in bytes."""

    @property
    def size(self) -> int:
        """Bytes, as announced."""


class Coming(Protocol):
    """A file on its way in."""

    @property
    def file(self) -> Sized:
        """The file itself."""


Arrived = TypeVar("Arrived", bound=Coming)


@dataclass(frozen=True)
class Usage:
    """Bytes of one project by what they are; shared images count for every project that reads them."""

    images: int
    originals: int
    held: int
    embeddings: int
    models: int
    snapshots: int
    exports: int
    cases: int

    @property
    def counted(self) -> int:
        """Bytes that the quota counts: images, stored and held, and kept originals."""
        return self.images + self.originals + self.held

    @property
    def total(self) -> int:
        """All bytes."""
        return self.counted + self.embeddings + self.models + self.snapshots + self.exports

    def rows(self) -> list[tuple[str, int, str]]:
        """Name each part, with its bytes and what it is."""
        return [
            ("Images", self.images, "de-identified, uncompressed; thumbnails are small beside them"),
            ("Originals", self.originals, "files as they came, sealed, where the data set keeps them"),
            ("Quarantine", self.held, "files as they came, until somebody has decided"),
            ("Embeddings", self.embeddings, "a vector an image and encoder"),
            ("Models", self.models, "heads and encoders"),
            ("Snapshots", self.snapshots, "frozen labels and maps"),
            ("Exports", self.exports, "until they expire"),
        ]


def usage_of(project: Project) -> Usage:
    """Measure a project."""
    series = Series.objects.filter(cases__project=project)
    encoders = Encoder.objects.filter(Q(dataset=project.dataset_id) | Q(models__project=project)).distinct()
    return Usage(
        images=image_bytes(project.pk),
        originals=original_bytes(project.pk),
        held=held_bytes(project.pk),
        embeddings=series.count() * sum(vector_bytes(one) for one in encoders),
        models=sizes(
            [
                *ModelVersion.objects.filter(project=project).values_list("artefact_name", flat=True),
                *PixelHead.objects.filter(project=project).values_list("artefact_name", flat=True),
                *encoders.values_list("weights_name", flat=True),
            ]
        ),
        snapshots=sizes(
            [
                *Snapshot.objects.filter(project=project, erased_members=0).values_list(
                    "file_name", flat=True
                ),
                *EmbeddingMap.objects.filter(project=project).values_list("file_name", flat=True),
            ]
        ),
        exports=Export.objects.filter(project=project, removed_at=None).aggregate(n=Sum("file_bytes"))["n"]
        or 0,
        cases=project.cases.count(),
    )


def image_bytes(project_id: UUID) -> int:
    """Bytes of a project's stored images: header and frames, as their rows say."""
    images = Instance.objects.filter(series__cases__project=project_id)
    return images.aggregate(n=Sum(F("pixel_offset") + F("frames") * F("frame_bytes")))["n"] or 0


def original_bytes(project_id: UUID) -> int:
    """Bytes of the kept originals of a project's images, as stored."""
    images = Instance.objects.filter(series__cases__project=project_id)
    return images.aggregate(n=Sum("original_bytes"))["n"] or 0


def held_bytes(project_id: UUID) -> int:
    """Bytes of a project's files in quarantine."""
    kept = Q(state=QuarantinedFile.State.HELD) | Q(kept_until__isnull=False)
    held = QuarantinedFile.objects.filter(kept, project_id=project_id)
    return held.aggregate(n=Sum("size"))["n"] or 0


def vector_bytes(encoder: Encoder) -> int:
    """Bytes of one vector with its key; 0 where the encoder has no store here."""
    return 2 * encoder.dimension + KEY_BYTES if (settings.HOME.embeddings / encoder.digest).is_dir() else 0


def sizes(names: Iterable[str]) -> int:
    """Bytes of stored files, each once; what is gone counts nothing."""
    return sum(default_storage.size(name) for name in set(names) - {""} if default_storage.exists(name))


@transaction.atomic
def set_quota(*, project: Project, bytes_: int | None, cases: int | None, by: User) -> None:
    """Limit what a project may take in from now on; what is there stays."""
    project.quota_bytes, project.quota_cases = bytes_, cases
    project.save(update_fields=["quota_bytes", "quota_cases"])
    record_act("quota.set", project.pk, by=by, details={"bytes": bytes_, "cases": cases})


def check_room(project_id: UUID, coming_bytes: int = 0) -> None:
    """Make sure that a project may take in so much more.

    raises: QuotaError naming the quota.
    """
    found = Project.objects.filter(pk=project_id).values_list("quota_bytes", "quota_cases").first()
    quota_bytes, quota_cases = found or (None, None)
    if quota_bytes is not None:
        used = counted_bytes(project_id)
        if used + max(coming_bytes, 1) > quota_bytes:
            raise QuotaError(
                f"the project's quota of {in_units(quota_bytes)} is used up: {in_units(used)} are stored and "
                f"{in_units(coming_bytes)} more are to come. Ask an administrator to raise it"
            )
    if quota_cases is not None and Project.objects.get(pk=project_id).cases.count() >= quota_cases:
        raise QuotaError(
            f"the project's quota of {quota_cases} cases is used up. Ask an administrator to raise it"
        )


def fitting(project_id: UUID, series: Sequence[UUID]) -> Sequence[UUID]:
    """Give of series that are to be cases the first ones, as many as the quotas have room for."""
    quotas = Project.objects.filter(pk=project_id).values_list("quota_bytes", "quota_cases").get()
    quota_bytes, quota_cases = quotas
    if quota_cases is not None:
        there = Project.objects.get(pk=project_id).cases.count()
        series = series[: max(0, quota_cases - there)]
    if quota_bytes is not None:
        stored = bytes_by_series(series)
        totals = list(accumulate(stored[one] for one in series))
        series = series[: bisect_right(totals, quota_bytes - counted_bytes(project_id))]
    return series


def counted_bytes(project_id: UUID) -> int:
    """Bytes that a project's quota counts."""
    return image_bytes(project_id) + original_bytes(project_id) + held_bytes(project_id)


def bytes_by_series(series: Sequence[UUID]) -> Counter[UUID]:
    """Bytes of series, stored images and kept originals."""
    rows = Instance.objects.filter(series__in=series).order_by().values_list("series")
    size = F("pixel_offset") + F("frames") * F("frame_bytes") + Coalesce("original_bytes", 0)
    return Counter(dict(rows.annotate(stored=Sum(size))))


class Room:
    """Lets batches pass while a project's quota has room; what was let in before is brought to its end."""

    def __init__(self, project: Project) -> None:
        self._project_id = project.pk
        self._limited = project.quota_bytes is not None or project.quota_cases is not None
        self._full: QuotaError | None = None

    def passing(self, batches: Iterable[Sequence[Arrived]]) -> Iterator[Sequence[Arrived]]:
        """Give the batches that there is room for; the one before is on its way and in no row yet."""
        ahead = 0
        for batch in batches:
            coming = sum(one.file.size for one in batch)
            try:
                if self._limited:
                    check_room(self._project_id, ahead + coming)
            except QuotaError as error:
                self._full = error
                self._full.refused = len(batch)
                return
            ahead = coming
            yield batch

    def check(self) -> None:
        """Say at the end that a batch was not let in.

        raises: QuotaError.
        """
        if self._full is not None:
            raise self._full


def in_units(count: int) -> str:
    """Write bytes for people."""
    for unit, size in (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
