"""Files as they came: kept only where the data set says so, sealed. Inside, they name the patient."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts.models import User
from accounts.sealing import SealBrokenError, StreamSeal, unsealed_length
from annotation.studies import files
from annotation.studies.door.formats import suffix_of
from annotation.studies.models import Dataset, Instance
from audit.services import record

SEAL: Final = StreamSeal(b"originals of images")
IN_MEMORY_BYTES = 8 * 1024 * 1024
AT_ONCE = 500


@dataclass(frozen=True)
class Original:
    """A file as it came, opened: its blocks, to be read once. length: its bytes. suffix: of its name."""

    length: int
    suffix: str
    blocks: Iterator[bytes]
    stored: "File[bytes]"

    def __iter__(self) -> Iterator[bytes]:
        """Give its blocks.

        raises: SealBrokenError where a later one was changed.
        """
        return self.blocks

    def close(self) -> None:
        """Let go of the stored file."""
        self.stored.close()


def sealed_into(stack: ExitStack, stream: BinaryIO) -> tuple[BinaryIO, int]:
    """Seal a file from its beginning; gives what is to be stored, open while the stack is, and its bytes."""
    spooled = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the stack closes it
    sealed = cast("BinaryIO", stack.enter_context(spooled))
    stream.seek(0)
    return sealed, SEAL.seal(stream, sealed)


def opened(instance: Instance) -> Original:
    """Unseal an image's original, a segment at a time.

    raises: FileNotFoundError, SealBrokenError.
    """
    stored = default_storage.open(files.original_name(instance.source_digest), "rb")
    try:
        blocks = SEAL.unsealed(cast("BinaryIO", stored))
        first = next(blocks, b"")
        return Original(unsealed_length(stored.size), suffix_of(first), chain([first], blocks), stored)
    except SealBrokenError:
        stored.close()
        raise


def with_original(instances: QuerySet[Instance]) -> QuerySet[Instance]:
    """Those of some images whose originals are kept."""
    return instances.filter(original_bytes__isnull=False)


def claims(source_digests: Collection[str]) -> QuerySet[Instance]:
    """Find the images that keep one of these files; deleted ones lie in data sets of their own."""
    datasets = list(Dataset.objects.values_list("pk", flat=True))  # so that the index is of use
    return with_original(Instance.objects.filter(dataset__in=datasets, source_digest__in=source_digests))


def original_for(user: User, project_id: UUID, study_id: UUID, instance_id: UUID) -> Instance:
    """Find an image of a project's study whose original is kept: for administrators alone.

    raises: Instance.DoesNotExist.
    """
    if not user.is_admin:
        raise Instance.DoesNotExist("originals are for administrators alone")
    mine = with_original(Instance.objects.filter(series__study=study_id, series__cases__project=project_id))
    return mine.distinct().get(pk=instance_id)


def originals_of(dataset: Dataset) -> QuerySet[Instance]:
    """Images of a data set whose originals are kept, those of deleted studies among them."""
    return with_original(Instance.objects.filter(series__study__patient__dataset=dataset))


def kept_in(dataset: Dataset) -> tuple[int, int]:
    """Count a data set's kept originals, and their bytes as stored."""
    found = originals_of(dataset)
    return found.count(), found.aggregate(n=Sum("original_bytes"))["n"] or 0


@transaction.atomic
def keep_originals(*, dataset: Dataset, keeps: bool, by: User, address: str = "") -> Dataset:
    """Say whether files that are admitted from now on are kept as they came too; the choice is audited."""
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    before, locked.keeps_originals = locked.keeps_originals, keeps
    locked.save(update_fields=["keeps_originals"])
    record(
        actor=str(by.pk),
        action="originals.keep",
        object_type="dataset",
        object_id=str(locked.pk),
        remote_address=address,
        details={"before": before, "after": keeps},
    )
    return locked


def remove_some(dataset: Dataset) -> int:
    """Remove some of a data set's kept originals, files first; returns how many, 0 when none is left."""
    rows = dict(originals_of(dataset).order_by("pk").values_list("pk", "source_digest")[:AT_ONCE])
    remove_files(rows.values())
    return with_original(Instance.objects.filter(pk__in=rows)).update(original_bytes=None)


def unclaimed(source_digests: Collection[str]) -> set[str]:
    """Say which of these files no image keeps."""
    return set(source_digests).difference(claims(source_digests).values_list("source_digest", flat=True))


def remove_unclaimed(source_digests: Collection[str]) -> None:
    """Delete the stored originals that no image keeps."""
    remove_files(unclaimed(source_digests))


def remove_files(source_digests: Collection[str]) -> None:
    """Delete the originals of these files where they are there."""
    for digest in source_digests:
        files.remove(files.original_name(digest))
