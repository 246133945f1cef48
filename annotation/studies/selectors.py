"""Reads of studies, scoped by the user: what a person may not see does not exist."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Role, User
from annotation.studies import files
from annotation.studies.files import Span
from annotation.studies.models import Import, ImportedFile, Instance, QuarantinedFile
from annotation.studies.pictures import in_reading_order


@dataclass(frozen=True)
class FrameBytes:
    """One frame as stored (uncompressed, little endian, colour by pixel), with a name for its content."""

    content: bytes
    tag: str


PLACE = ("sop_instance_uid", "digest", "frames", "pixel_offset", "frame_bytes")


@dataclass(frozen=True)
class Place:
    """Where an instance's frames lie."""

    digest: str
    frames: int
    pixel_offset: int
    frame_bytes: int

    def span(self, n: int) -> Span:
        """Frame n, from 1."""
        return files.frame_span(self.digest, self.pixel_offset, self.frame_bytes, n)

    def tag(self, n: int) -> str:
        """Name the content of frame n."""
        return f"{self.digest}-{n}"


def instances_for(user: User, case_id: UUID) -> QuerySet[Instance]:
    """Instances of a case's series, where the person is a member of the case's project or an admin."""
    instances = Instance.objects.filter(series__cases=case_id, series__cases__project__deletion=None)
    return instances if user.is_admin else instances.filter(series__cases__project__memberships__user=user)


def frames_of(user: User, case_id: UUID) -> list[Instance]:
    """Instances of a case in reading order, each with its number of frames."""
    return in_reading_order(instances_for(user, case_id))


def frame(user: User, case_id: UUID, sop_uid: str, n: int) -> FrameBytes:
    """Frame n (from 1) of an instance of a case: just its bytes are read.

    raises: Instance.DoesNotExist where the person may not see the case, or there is no such frame.
    """
    row = instances_for(user, case_id).values_list(*PLACE).get(sop_instance_uid=sop_uid)
    place = Place(*row[1:])
    if not 1 <= n <= place.frames:
        raise Instance.DoesNotExist(f"the instance has {place.frames} frames")
    return FrameBytes(place.span(n).read(), place.tag(n))


def places(user: User, case_id: UUID, most: int) -> dict[str, Place]:
    """Say where the frames of a case's instances lie, by SOP Instance UID, of at most so many instances."""
    rows = instances_for(user, case_id).values_list(*PLACE)[:most]
    return {row[0]: Place(*row[1:]) for row in rows}


def thumbnail(user: User, case_id: UUID) -> FrameBytes:
    """Read the small picture of a case's middle instance, as PNG.

    raises: Instance.DoesNotExist where the person may not see the case.
    """
    found = frames_of(user, case_id)
    if not found:
        raise Instance.DoesNotExist("the case has no image that this person may see")
    digest = found[len(found) // 2].digest
    return FrameBytes(files.read_whole(files.thumbnail_name(digest)), digest)


def imports_for(user: User, project_id: UUID | None = None) -> QuerySet[Import]:
    """Deliveries, newest first, for admins and for the ML staff of their projects."""
    deliveries = Import.objects.select_related("requested_by")
    if project_id is not None:
        deliveries = deliveries.filter(project_id=project_id)
    if user.is_admin:
        return deliveries
    own = user.memberships.filter(role=Role.ML_STAFF).values("project")
    return deliveries.filter(project_id__in=own)


def import_for(user: User, import_id: UUID) -> Import:
    """One delivery that the person may see.

    raises: Import.DoesNotExist.
    """
    return imports_for(user).get(pk=import_id)


def imported_files(user: User, import_id: UUID, outcome: str = "") -> QuerySet[ImportedFile]:
    """List what became of a delivery's files, by path.

    raises: Import.DoesNotExist.
    """
    found = import_for(user, import_id).files.order_by("path")
    return found.filter(outcome=outcome) if outcome else found


def quarantined_files(user: User, project_id: UUID | None = None) -> QuerySet[QuarantinedFile]:
    """Files that were ever held, oldest first: for admins alone, since their pixels may name a patient."""
    if not user.is_admin:
        return QuarantinedFile.objects.none()
    found = QuarantinedFile.objects.select_related("decided_by").filter(dataset__deletion=None)
    return found.filter(project_id=project_id) if project_id is not None else found


def quarantine_for(user: User, project_id: UUID | None = None) -> QuerySet[QuarantinedFile]:
    """Files that are held, oldest first: for admins alone."""
    return quarantined_files(user, project_id).filter(state=QuarantinedFile.State.HELD)


def quarantined_for(user: User, quarantined_id: UUID) -> QuarantinedFile:
    """One held file.

    raises: QuarantinedFile.DoesNotExist.
    """
    return quarantine_for(user).get(pk=quarantined_id)


def quarantine_preview(user: User, quarantined_id: UUID) -> FrameBytes:
    """Read the picture in which an admin looks for burned-in text, as PNG.

    raises: QuarantinedFile.DoesNotExist, also where there is no preview.
    """
    held = quarantined_files(user).get(pk=quarantined_id)
    if not held.has_preview or not held.has_bytes:
        raise QuarantinedFile.DoesNotExist("this file has no preview")
    return FrameBytes(files.read_whole(files.preview_name(held.source_digest)), held.source_digest)
