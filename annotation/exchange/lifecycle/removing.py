"""What nobody brought back in time is removed for good: files and vectors first, then rows."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.exchange.lifecycle.deleting import note, remove_all
from annotation.projects.models import Case
from annotation.studies import files
from annotation.studies.models import Deletion, Instance, QuarantinedFile, Series, Study
from annotation.studies.originals import claims, with_original


@dataclass(frozen=True)
class Due:
    """What of a deletion is to be removed for good: names in the file store, digests of vectors."""

    deletion: Deletion
    names: list[str]
    vectors: list[str]


def overdue(now: datetime) -> QuerySet[Deletion]:
    """List deletions that nobody brought back in time."""
    return Deletion.objects.filter(kept_until__lt=now, returned_at=None, removed_at=None)


def due_of(deletion: Deletion) -> Due:
    """Collect the files and vectors that nothing else needs."""
    series = series_of(deletion)
    own = Instance.objects.filter(series__in=series)
    digests = set(own.values_list("digest", flat=True))
    others = Instance.objects.filter(digest__in=digests).exclude(series__in=series)
    alone = sorted(digests - set(others.values_list("digest", flat=True)))
    names = [name(digest) for digest in alone for name in (files.instance_name, files.thumbnail_name)]
    names += originals_of(own)
    for source in held_of(deletion).values_list("source_digest", flat=True):
        names += [files.quarantine_name(source), files.preview_name(source)]
    keys = set(series.exclude(content_digest="").values_list("content_digest", flat=True))
    same = Series.objects.filter(content_digest__in=keys).exclude(pk__in=series.values("pk"))
    return Due(deletion, names, sorted(keys - set(same.values_list("content_digest", flat=True))))


def originals_of(own: QuerySet[Instance]) -> list[str]:
    """Name the kept originals that no other image has: a file that came again keeps its own."""
    sources = set(with_original(own).values_list("source_digest", flat=True))
    others = claims(sources).exclude(pk__in=own.values("pk"))
    alone = sorted(sources.difference(others.values_list("source_digest", flat=True)))
    return [files.original_name(source) for source in alone]


def series_of(deletion: Deletion) -> QuerySet[Series]:
    """List the series of what was deleted."""
    return Series.objects.filter(study__dataset__deletion=deletion)


def held_of(deletion: Deletion) -> QuerySet[QuarantinedFile]:
    """List the held files of a deleted data set, or of a deleted project that shares one."""
    if deletion.kind == Deletion.Kind.STUDY:
        return QuarantinedFile.objects.none()
    return QuarantinedFile.objects.filter(Q(dataset__deletion=deletion) | Q(project_id=deletion.project_id))


def remove_files(due: Due) -> None:
    """Delete what lies in the file store: unseen by now, so this may be broken off and done again."""
    remove_all(due.names)


@transaction.atomic
def remove_rows(deletion: Deletion, *, now: datetime) -> None:
    """Delete the rows of images, and of cases that nobody read; what was read stays, without its images.

    Where somebody brought it back at the last moment, nothing is removed.
    """
    locked = Deletion.objects.select_for_update().get(pk=deletion.pk)
    if not locked.is_open:
        return
    series = list(series_of(locked).values_list("pk", flat=True))
    unread = Case.objects.filter(series__in=series, readings=None)
    unread.filter(pk__in=list(unread.values_list("pk", flat=True))).delete()
    Instance.objects.filter(series__in=series).delete()
    held_of(locked).delete()
    Series.objects.filter(pk__in=series, cases=None).delete()
    Series.objects.filter(pk__in=series).update(content_digest="")
    Study.objects.filter(dataset__deletion=locked, series=None).delete()
    locked.removed_at = now
    locked.save(update_fields=["removed_at"])
    note(locked, "deletion.removed", by=None)
