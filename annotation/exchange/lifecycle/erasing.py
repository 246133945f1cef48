"""Erasure of a patient: asked for, rows withdrawn, files removed, certified. A transaction each."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, QuerySet

from accounts.models import User
from annotation.exchange import uploads
from annotation.exchange.lifecycle.attribution import Attributed
from annotation.exchange.lifecycle.belongings import UNDER_WAY, UNFINISHED, Belongings, subject_of
from annotation.exchange.lifecycle.label_files import forget_label_lines
from annotation.exchange.lifecycle.learned import learned_from, snapshots_with
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.learning.models import EmbeddingMap, SimilaritySearch, Snapshot
from annotation.learning.services import ask_embed, ask_refit
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import actor_name
from annotation.readings.models import Reading, Revision
from annotation.studies import files
from annotation.studies.models import Dataset, Import, ImportedFile, Instance, Series
from annotation.studies.originals import with_original
from audit.services import record
from jobs.models import OPEN, Job, Lane
from jobs.services import ask, cancel

ERASED: Final = "erased"
DISTURBING: Final = ("embed", "export", "refit", "map_pool", "map_pool_umap", "find_similar", "learn_regions")


@transaction.atomic
def request_erasure(
    *, project: Project, found: Belongings, reason: str, by: User | None, now: datetime, address: str = ""
) -> Erasure:
    """Ask for a patient to be removed from everywhere. The audit names no patient.

    raises: RefusedError where images are coming in, or the same erasure is under way.
    """
    Dataset.objects.select_for_update().get(pk=found.dataset.pk)
    check_quiet(found.dataset)
    subject = subject_of(found.dataset.pk, found.pseudonym)
    if Erasure.objects.filter(dataset=found.dataset, subject=subject, done_at=None).exists():
        raise RefusedError("this erasure is under way already: its certificate follows on this page")
    erasure = Erasure.objects.create(
        dataset=found.dataset,
        project_id=project.pk,
        pseudonym=found.pseudonym,
        subject=subject,
        reason=reason,
        requested_by=by,
        created_at=now,
    )
    job = ask(
        name="erase",
        lane=Lane.LIGHT,
        arguments={"erasure_id": str(erasure.pk)},
        requested_by=by,
        scope_id=project.pk,
    )
    erasure.job_id = job.pk
    erasure.save(update_fields=["job_id"])
    note(erasure, "erasure.request", by=by, address=address)
    return erasure


def check_quiet(dataset: Dataset) -> None:
    """Make sure that no delivery is being read, which might bring the patient in behind the erasure.

    raises: RefusedError.
    """
    if Import.objects.filter(dataset=dataset, state__in=UNDER_WAY).exists():
        raise RefusedError("images are being imported into this data set: wait until the import has ended")
    projects = Project.every.filter(dataset=dataset).values_list("pk", flat=True)
    if any(any((settings.HOME.received / str(pk)).glob("*/*")) for pk in projects):
        raise RefusedError("received images wait to be imported: wait until they are in, or set a quota free")


def note(erasure: Erasure, action: str, *, by: User | None, address: str = "", **counts: int) -> None:
    """Audit an act of an erasure, in the caller's transaction: ids and counts alone."""
    record(
        actor=actor_name(by),
        action=action,
        object_type="erasure",
        object_id=str(erasure.pk),
        remote_address=address,
        details={"project": str(erasure.project_id), **counts},
    )


@transaction.atomic
def withdraw(erasure: Erasure, *, attributed: Attributed, now: datetime) -> Erasure:
    """Remove a patient's rows, and note what files and vectors are to go; done once, it does nothing more.

    raises: RefusedError where images are coming in.
    """
    locked = Erasure.objects.select_for_update().select_related("dataset").get(pk=erasure.pk)
    if locked.certificate:
        return locked
    check_quiet(locked.dataset)
    found = Belongings(locked.dataset, locked.pseudonym)
    stop_disturbing(found)
    snapshots = snapshots_with(found)
    locked.certificate = {
        "learned": learned_from(found, snapshots),
        "snapshots": snapshot_rows(snapshots),
        "held_files_of_unknown_patients": attributed.unknown,
    }
    locked.remains = remains_of(found, snapshots)
    locked.remains["files"] += forget_label_lines(found)
    locked.certificate["removed"] = removed(found, snapshots, now=now)
    locked.pseudonym = ""
    locked.save(update_fields=["certificate", "remains", "pseudonym"])
    return locked


def stop_disturbing(found: Belongings) -> None:
    """Cancel the jobs that may be reading the patient's images or labels; they are asked for again."""
    scopes = {found.dataset.pk, *found.project_ids}
    for pk in Job.objects.filter(name__in=DISTURBING, scope_id__in=scopes, state__in=OPEN).values_list("pk"):
        cancel(pk[0])


def snapshot_rows(snapshots: dict[UUID, int]) -> list[dict[str, Any]]:
    """Name the snapshots that held the patient's cases; their digests stay on record."""
    rows = Snapshot.objects.filter(pk__in=snapshots).select_related("project").order_by("created_at")
    return [{"project": one.project.name, "digest": one.digest, "cases": snapshots[one.pk]} for one in rows]


def remains_of(found: Belongings, snapshots: Iterable[UUID]) -> dict[str, list[str]]:
    """List the names in the file store, the vectors' digests and the uploads that belong to the patient."""
    digests = set(found.instances.values_list("digest", flat=True))
    others = Instance.objects.exclude(pk__in=found.instances.values("pk")).filter(digest__in=digests)
    own = sorted(digests - set(others.values_list("digest", flat=True)))
    names = [name(digest) for digest in own for name in (files.instance_name, files.thumbnail_name)]
    held = list(found.held.values_list("source_digest", flat=True))
    for source in held:
        names += [files.quarantine_name(source), files.preview_name(source)]
    sources = {*found.instances.values_list("source_digest", flat=True), *held}
    names += Snapshot.objects.filter(pk__in=snapshots).values_list("file_name", flat=True)
    names += (
        Export.objects.filter(snapshot__in=snapshots)
        .exclude(file_name="")
        .values_list("file_name", flat=True)
    )
    names += maps_of(found).values_list("file_name", flat=True)
    return {
        "files": sorted(set(names)),
        "originals": [files.original_name(source) for source in sorted(sources)],
        "vectors": own_vectors(found),
        "uploads": own_uploads(found),
    }


def own_vectors(found: Belongings) -> list[str]:
    """Digests of series that no other patient has as well."""
    digests = set(found.series.exclude(content_digest="").values_list("content_digest", flat=True))
    others = Series.objects.exclude(pk__in=found.series.values("pk")).filter(content_digest__in=digests)
    return sorted(digests - set(others.values_list("content_digest", flat=True)))


def own_uploads(found: Belongings) -> list[str]:
    """List uploads that nobody has read to the end: whose images they hold is not known, so all go."""
    unfinished = Import.objects.filter(dataset=found.dataset, state__in=UNFINISHED)
    return [str(pk) for pk in unfinished.values_list("pk", flat=True)]


def maps_of(found: Belongings) -> QuerySet[EmbeddingMap]:
    """Find maps with points of the patient."""
    return EmbeddingMap.objects.filter(project__in=found.project_ids)


def removed(found: Belongings, snapshots: dict[UUID, int], *, now: datetime) -> dict[str, int]:
    """Delete the patient's rows in the order in which they hang on each other; gives how many there were."""
    counts = {
        "studies": found.studies.count(),
        "series": found.series.count(),
        "images": found.instances.count(),
        "originals": with_original(found.instances).count(),
        "cases": found.cases.count(),
        "readings": found.readings.count(),
        "held_files": found.held.count(),
        "snapshots": len(snapshots),
        "exports": withdraw_snapshots(snapshots, now=now),
        "maps": maps_of(found).count(),
        "searches": forget_searches(found),
        "unfinished_uploads": close_uploads(found, now=now),
    }
    maps_of(found).delete()
    forget_paths(found)
    Revision.objects.filter(reading__in=found.readings).delete()
    cases = list(found.cases.values_list("pk", flat=True))
    Reading.objects.filter(case__in=cases).delete()
    found.cases.filter(pk__in=cases).delete()
    found.instances.delete()
    found.held.delete()
    found.series.delete()
    found.studies.delete()
    found.patients.delete()
    return counts


def withdraw_snapshots(snapshots: dict[UUID, int], *, now: datetime) -> int:
    """Mark snapshots whose members were erased, and end their exports; gives how many exports."""
    for pk, members in snapshots.items():
        Snapshot.objects.filter(pk=pk).update(erased_members=F("erased_members") + members)
    made = Export.objects.filter(snapshot__in=snapshots, removed_at=None)
    return made.update(removed_at=now, expires_at=now)


def forget_searches(found: Belongings) -> int:
    """Delete the searches in which a case of the patient is an example or was found."""
    numbers: dict[UUID, set[int]] = {}
    for project_id, number in found.cases.values_list("project_id", "number"):
        numbers.setdefault(project_id, set()).add(number)
    searches = SimilaritySearch.objects.filter(project__in=numbers)
    named = [one.pk for one in searches if numbers[one.project_id] & numbers_in(one)]
    return SimilaritySearch.objects.filter(pk__in=named).delete()[0]


def numbers_in(search: SimilaritySearch) -> set[int]:
    """Case numbers that a search names."""
    return {*search.like, *search.unlike, *(int(hit[0]) for hit in search.hits or [])}


def close_uploads(found: Belongings, *, now: datetime) -> int:
    """Say of uploads that were not read to the end that their files are gone."""
    uploads_left = Import.objects.filter(dataset=found.dataset, state__in=UNFINISHED)
    return uploads_left.update(
        state=Import.State.FAILED,
        error="a patient was erased before it was read: send it again, without that patient",
        finished_at=now,
    )


def forget_paths(found: Belongings) -> None:
    """Take the names of the patient's files out of import reports; of a delivery of its own, its name too."""
    by_image = ImportedFile.objects.filter(instance__in=found.instances)
    by_held = ImportedFile.objects.filter(quarantined_file__in=found.held)
    lines = list((by_image | by_held).distinct())
    for line in lines:
        line.path = f"{ERASED} {line.pk}"
    ImportedFile.objects.bulk_update(lines, ["path"], batch_size=500)
    own: dict[UUID, int] = {}
    for line in lines:
        own[line.delivery_id] = own.get(line.delivery_id, 0) + 1
    deliveries = Import.objects.filter(pk__in=own).annotate(lines=Count("files"))
    alone = [pk for pk, lines_there in deliveries.values_list("pk", "lines") if lines_there == own[pk]]
    Import.objects.filter(pk__in=alone).update(source_name=ERASED)


def remove_files(erasure: Erasure) -> None:
    """Delete what lies in the file store and among the uploads; what is gone already is no error."""
    for name in [*erasure.remains.get("files", []), *erasure.remains.get("originals", [])]:
        files.remove(name)
    for upload in erasure.remains.get("uploads", []):
        uploads.remove(settings.HOME.spool, UUID(upload))


def certify(erasure: Erasure, *, vectors: int, now: datetime) -> None:
    """Write the certificate, in the transaction that ends the job, and have what was stopped done again."""
    counts = erasure.certificate["removed"] | {"files": len(erasure.remains["files"]), "vectors": vectors}
    erasure.certificate["removed"] = counts
    erasure.remains, erasure.done_at = {}, now
    erasure.save(update_fields=["certificate", "remains", "done_at"])
    note(erasure, "erasure.done", by=erasure.requested_by, **counts)
    ask_embed(dataset_id=erasure.dataset_id)
    for project_id in Project.objects.filter(dataset=erasure.dataset_id).values_list("pk", flat=True):
        ask_refit(project_id=project_id)


def certificate_of(erasure: Erasure) -> dict[str, Any]:
    """Put an erasure into a file: what was removed, what learned from it, and whom it was about."""
    return {
        "certificate": "erasure of a patient",
        "erasure": str(erasure.pk),
        "dataset": erasure.dataset.name,
        "subject": erasure.subject,
        "subject_is": "HMAC-SHA256 of the pseudonym under the data set's key: no name can be had from it",
        "reason": erasure.reason,
        "asked_at": erasure.created_at.isoformat(timespec="seconds"),
        "done_at": erasure.done_at and erasure.done_at.isoformat(timespec="seconds"),
        **erasure.certificate,
        "not_reached": [
            "backups made before: they go when they are older than what is kept; a restore erases again",
            "files that were exported and fetched before: ask those who hold them",
            "what models have learned: the models listed may be trained again",
        ],
    }
