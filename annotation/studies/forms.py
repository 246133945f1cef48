"""In which form images are stored: uncompressed, or packed as HTJ2K; a store may hold both."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Protocol, cast

from django.core.files.storage import default_storage
from django.db import transaction

from annotation.studies import files
from annotation.studies.models import Instance
from annotation.studies.packing import pack, raster_of

IN_MEMORY_BYTES = 64 * 1024 * 1024
AT_ONCE = 200


class Described(Protocol):
    """What is known of a stored image: see annotation.studies.door.verdict.Facts."""

    @property
    def frames(self) -> int:
        """How many it has."""

    @property
    def pixel_offset(self) -> int:
        """Where the first begins."""

    @property
    def frame_bytes(self) -> int:
        """Of one, uncompressed."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """By DICOM keyword."""


@dataclass
class Changed:
    """What a change of form did. bytes: of the changed files, before and after. kept: left as they were."""

    files: int = 0
    kept: int = 0
    before: int = 0
    after: int = 0


def packed_into(stack: ExitStack, stream: BinaryIO, image: Described) -> BinaryIO | None:
    """Pack an uncompressed image; gives what is to be stored, open while the stack is.

    gives: None where its pixels are not packed, or nothing would be saved.
    raises: PackedFileBrokenError where the file is shorter than it should be.
    """
    raster = raster_of(image.attributes, image.frame_bytes)
    if raster is None:
        return None
    spooled = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the stack closes it
    target = cast("BinaryIO", stack.enter_context(spooled))
    saves = pack(stream, raster, head=image.pixel_offset, frames=image.frames, target=target)
    return target if saves else None


def change_all(*, to_packed: bool, told: Callable[[Changed], None]) -> Changed:
    """Bring every stored image into one form, each complete or not at all; begun anew, it goes on.

    told: after each image.
    """
    changed = Changed()
    for image in images():
        change(image, changed, to_packed=to_packed)
        told(changed)
    return changed


def images() -> Iterator[Instance]:
    """Walk over all stored images, each content once."""
    last = ""
    while part := list(Instance.objects.filter(digest__gt=last).order_by("digest")[:AT_ONCE]):
        for image in part:
            if image.digest != last:
                yield image
            last = image.digest


@transaction.atomic
def change(image: Instance, changed: Changed, *, to_packed: bool) -> None:
    """Store one image in a form and remove the other; one that was erased meanwhile is not brought back.

    Its rows are locked: an opposite change of the same image, here or on another machine, waits.
    """
    if not Instance.objects.select_for_update().filter(digest=image.digest).order_by("pk"):
        return
    plain = files.instance_name(image.digest)
    old, new = (plain, files.other_form(plain)) if to_packed else (files.other_form(plain), plain)
    if not default_storage.exists(old):
        changed.kept += 1
        return
    with ExitStack() as opened:
        before = default_storage.size(old)
        stream = packed_into(opened, whole(opened, plain), image) if to_packed else whole(opened, plain)
        if stream is None:
            changed.kept += 1
            return
        files.put(new, stream)
        default_storage.delete(old)
        changed.files, changed.before = changed.files + 1, changed.before + before
        changed.after += default_storage.size(new)


def whole(stack: ExitStack, name: str) -> BinaryIO:
    """Copy an uncompressed file out of the store, in whichever form it is there."""
    spooled = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the stack closes it
    target = cast("BinaryIO", stack.enter_context(spooled))
    offset = 0
    while block := files.read_span(name, offset, files.BLOCK_BYTES):
        offset += target.write(block)
    target.seek(0, io.SEEK_SET)
    return target
