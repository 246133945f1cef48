"""A delivery through the browser: its files are listed, then sent in pieces, then handed to the import.

What is sent lies under names that the server makes, in a folder of its own; a file gets its place in the
delivery only when everything is there, and only by a path that was checked.
"""

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from uuid import UUID

MAX_FILES = 20_000
MAX_PATH, MAX_PART_BYTES, MAX_DEPTH = 1024, 255, 32
PIECE_BYTES = 1024 * 1024
COPY_BYTES = 256 * 1024
BAD_CHARACTER = re.compile(r"[\x00-\x1f\x7f\\]")
LIST, PARTS, FOLDER, ARCHIVE = "list.json", "parts", "delivery", "delivery.archive"
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class UploadError(ValueError):
    """What is wrong with an upload, and what to do, in words for the person who sends it."""


class OutOfOrderError(UploadError):
    """A piece does not follow what is there: an earlier one is missing, or the upload was started already."""


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, none at the end."""


@dataclass(frozen=True)
class Listed:
    """One file that will be sent: its path in the delivery, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Span:
    """Which bytes of which file a piece carries."""

    index: int
    offset: int
    length: int


def begin(spool: Path, import_id: UUID, files: Sequence[Listed], *, max_bytes: int) -> None:
    """Check a delivery's list and make its folder.

    raises: UploadError naming the rule.
    """
    check_list(files, max_bytes)
    check_disk(spool, files)
    folder = spool / str(import_id)
    try:
        (folder / PARTS).mkdir(mode=0o700, parents=True)
        (folder / LIST).write_text(json.dumps([[file.path, file.size] for file in files]))
    except OSError:
        remove(spool, import_id)
        raise


def check_disk(spool: Path, files: Sequence[Listed]) -> None:
    """Check that a delivery fits on the disk, as it is sent and as it is imported, beside those to come.

    raises: UploadError.
    """
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    total = sum(file.size for file in files)
    if shutil.disk_usage(spool).free < 2 * total + bytes_to_come(spool):
        raise UploadError("The server has too little free disk space for it. Tell your administrator.")


def bytes_to_come(spool: Path) -> int:
    """Count the bytes that were announced and are not sent yet."""
    return sum(unsent_bytes(path.parent) for path in spool.glob(f"*/{LIST}"))


def unsent_bytes(folder: Path) -> int:
    """Count those of one delivery; none where it was started or removed meanwhile."""
    try:
        announced: int = sum(size for _, size in json.loads((folder / LIST).read_text()))
        sent = sum(part.stat().st_size for part in (folder / PARTS).iterdir())
    except (FileNotFoundError, ValueError):  # ValueError: its list is being written
        return 0
    return max(0, announced - sent)


def is_open(spool: Path, import_id: UUID) -> bool:
    """Whether a delivery was announced and is not sent to its end."""
    return (spool / str(import_id) / LIST).exists()


def check_list(files: Sequence[Listed], max_bytes: int) -> None:
    """Check count, bytes and every path.

    raises: UploadError naming the rule.
    """
    if not files:
        raise UploadError("There is no file in it.")
    if len(files) > MAX_FILES:
        raise UploadError(f"It has {len(files)} files; the limit is {MAX_FILES}. Send it as one zip file.")
    if any(file.size < 0 for file in files) or sum(file.size for file in files) > max_bytes:
        raise UploadError(
            f"It is larger than {max_bytes / 1024**3:.1f} GiB. Send it in parts, or use the command “import”."
        )
    paths = {check_path(file.path) for file in files}
    if len(paths) < len(files):
        raise UploadError("Two of its files have the same path. Rename one of them.")
    if paths & {parent for path in paths for parent in path.parents}:
        raise UploadError("One of its names is a file and a folder at once. Rename one of them.")


def check_path(path: str) -> PurePosixPath:
    """Take a path that stays inside the delivery.

    raises: UploadError. The path is not quoted: a name may say who the patient is.
    """
    parts = path.split("/")
    sound = (
        0 < len(path) <= MAX_PATH
        and len(parts) <= MAX_DEPTH
        and not BAD_CHARACTER.search(path)
        and not {"", ".", ".."} & set(parts)
        and all(len(part.encode()) <= MAX_PART_BYTES for part in parts)
    )
    if not sound:
        raise UploadError(
            "A file name in it cannot be used: it is too long, leaves the folder or has control characters."
        )
    return PurePosixPath(path)


def spans_of(text: str) -> list[Span]:
    """Read "index:offset:length,…".

    raises: UploadError.
    """
    if not re.fullmatch(r"\d{1,6}:\d{1,14}:\d{1,14}(,\d{1,6}:\d{1,14}:\d{1,14})*", text):
        raise UploadError("The pieces of the upload are not described as index:offset:length.")
    return [Span(*map(int, span.split(":"))) for span in text.split(",")]


def write_pieces(spool: Path, import_id: UUID, spans: Iterable[Span], source: Readable) -> None:
    """Append each span's bytes to its file; bytes that are there already are read and dropped.

    raises: OutOfOrderError, UploadError.
    """
    files = listed(spool, import_id)
    for span in spans:
        if span.index >= len(files) or span.offset + span.length > files[span.index].size:
            raise UploadError("A piece is not part of what was announced. Choose the files again.")
        write_piece(spool / str(import_id) / PARTS / str(span.index), span, source)


def write_piece(part: Path, span: Span, source: Readable) -> None:
    """Append one span.

    raises: OutOfOrderError where bytes before it are missing.
    """
    there = part.stat().st_size if part.exists() else 0
    if there < span.offset:
        raise OutOfOrderError("A piece before this one is missing. Send it again.")
    with part.open("r+b" if part.exists() else "xb") as stream:
        stream.seek(span.offset)
        copy(source, stream, span.length)


def copy(source: Readable, target: "Writable", length: int) -> None:
    """Copy exactly `length` bytes.

    raises: UploadError where the connection broke off.
    """
    while length:
        block = source.read(min(length, COPY_BYTES))
        if not block:
            raise UploadError("The connection broke off in the middle of a piece. Send it again.")
        target.write(block)
        length -= len(block)


class Writable(Protocol):
    """Where bytes go."""

    def write(self, block: bytes, /) -> int:
        """Take all of a block."""


def listed(spool: Path, import_id: UUID) -> list[Listed]:
    """Give the files that were announced.

    raises: OutOfOrderError where the upload was started already, or never was opened.
    """
    try:
        return [Listed(path, size) for path, size in json.loads((spool / str(import_id) / LIST).read_text())]
    except FileNotFoundError:
        raise OutOfOrderError("This upload is closed: its import was started or cleaned up.") from None


def complete(spool: Path, import_id: UUID) -> Path:
    """Put every file in its place and give the folder or the archive that the import reads.

    raises: OutOfOrderError naming how many files are not wholly there.
    """
    folder, files = spool / str(import_id), listed(spool, import_id)
    parts = [folder / PARTS / str(index) for index in range(len(files))]
    suffix = f"{ARCHIVE}{suffix_of(files[0].path)}" if is_archive(files) else ""
    targets = [folder / (suffix or f"{FOLDER}/{file.path}") for file in files]
    unplaced = [
        place for place in zip(parts, targets, files, strict=True) if not is_whole(place[1], place[2])
    ]
    short = sum(not is_whole(part, file) for part, _, file in unplaced)
    if short:
        raise OutOfOrderError(f"{short} of {len(files)} files are not wholly sent. Send them again.")
    for part, target, _ in unplaced:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.rename(target)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    (folder / LIST).unlink()
    return source_of(spool, import_id)


def is_whole(path: Path, file: Listed) -> bool:
    """Whether a file is there with all its bytes."""
    return path.exists() and path.stat().st_size == file.size


def is_placed(spool: Path, import_id: UUID) -> bool:
    """Whether a delivery was put in its place and lies there still."""
    return not (spool / str(import_id) / LIST).exists() and source_of(spool, import_id).exists()


def is_archive(files: Sequence[Listed]) -> bool:
    """Whether the delivery is one archive."""
    return len(files) == 1 and bool(suffix_of(files[0].path))


def suffix_of(path: str) -> str:
    """Give the end of an archive's name, which tells what it is where its bytes do not; else ""."""
    return next((one for one in ARCHIVES if path.lower().endswith(one)), "")


def source_of(spool: Path, import_id: UUID) -> Path:
    """Where the import reads a delivery that was sent wholly."""
    folder = spool / str(import_id)
    archives = (folder / f"{ARCHIVE}{suffix}" for suffix in ARCHIVES)
    return next((one for one in archives if one.exists()), folder / FOLDER)


def remove(spool: Path, import_id: UUID) -> None:
    """Delete what was sent, when its import has ended or will not start."""
    shutil.rmtree(spool / str(import_id), ignore_errors=True)
