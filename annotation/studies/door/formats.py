"""What kind of file this is, read with bounds: nothing is inflated or decoded here beyond its cap."""

import io
import zlib
from typing import BinaryIO, Literal, cast

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from annotation.studies.door.limits import FILE_BYTES, INFLATED_BYTES, MEBIBYTE
from annotation.studies.door.verdict import RejectedFileError

Kind = Literal["dicom", "picture", "nifti", "nrrd", "metaimage"]

TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
PICTURES = (PNG, JPEG, *TIFF)
GZIP = b"\x1f\x8b"
HEAD_BYTES = 352  # of the longest header that is looked at: NIfTI's
NIFTI_LENGTHS = tuple(length.to_bytes(4, order) for length in (348, 540) for order in ("little", "big"))
PAIRED_NIFTI = (b"ni1\x00", b"ni2\x00")
NRRD, METAIMAGE = b"NRRD000", (b"ObjectType", b"NDims")
SUFFIXES: dict[str, bytes | tuple[bytes, ...]] = {
    ".png": PNG,
    ".jpg": JPEG,
    ".tif": TIFF,
    ".nrrd": NRRD,
    ".mha": METAIMAGE,
    ".nii": NIFTI_LENGTHS,
}

# Transfer syntaxes whose pixels are decoded here. Other JPEG processes are retired and have no decoder.
TRANSFER_SYNTAXES = frozenset(
    f"1.2.840.10008.1.2{suffix}"
    for suffix in (
        "", ".1", ".1.99", ".2", ".5",  # implicit, explicit, deflated, big endian, RLE
        ".4.50", ".4.51", ".4.57", ".4.70",  # JPEG baseline, extended, lossless, lossless SV1
        ".4.80", ".4.81", ".4.90", ".4.91", ".4.201", ".4.202", ".4.203",  # JPEG-LS, JPEG 2000, HTJ2K
    )
)  # fmt: skip

TRANSFER_SYNTAX = 0x00020010
SMALL_FILE_BYTES = 4 * MEBIBYTE  # is read at once
SMALL_READ_BYTES = 64 * 1024  # larger ones are held to the file's size
EXPLICIT = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"  # file meta of what was inflated


def kind_of(stream: BinaryIO, size: int) -> Kind:
    """Tell a file's kind by its first bytes.

    raises: RejectedFileError where it is no format that Fovea reads.
    """
    if size > FILE_BYTES:
        raise RejectedFileError(f"the file is larger than {FILE_BYTES // MEBIBYTE} MiB")
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if _is_dicom(head):
        return "dicom"
    if head.startswith(PICTURES):
        return "picture"
    volume = _volume_kind(_inflated_head(stream) if head.startswith(GZIP) else head)
    if volume is not None:
        return volume
    if not head:
        raise RejectedFileError("the file is empty")
    if head.startswith(b"PK\x03\x04"):
        raise RejectedFileError("a zip inside a delivery is not opened: import it by itself")
    raise RejectedFileError("not an image Fovea reads (DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF)")


def suffix_of(head: bytes) -> str:
    """Choose the end of a file's name by its first bytes; ".bin" where no format that we know begins so."""
    if _is_dicom(head):
        return ".dcm"
    if head.startswith(GZIP):
        return f"{_suffix(_inflated_head(io.BytesIO(head)))}.gz"
    return _suffix(head) or ".bin"


def _suffix(head: bytes) -> str:
    return next((suffix for suffix, first in SUFFIXES.items() if head.startswith(first)), "")


def _is_dicom(head: bytes) -> bool:
    """PS3.10 asks for a preamble; older files begin with group 0002 or 0008 at once, in either byte order."""
    return head[128:132] == b"DICM" or head[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def _volume_kind(head: bytes) -> Kind | None:
    """Tell a volume's format: NIfTI by its length and its magic, the others by their first words.

    raises: RejectedFileError where its voxels are in another file.
    """
    if head.startswith(NRRD):
        return "nrrd"
    if head.startswith(METAIMAGE):
        return "metaimage"
    if not head.startswith(NIFTI_LENGTHS):
        return None
    magic = head[344:348] if head[344:346] in (b"n+", b"ni") else head[4:8]
    if magic in PAIRED_NIFTI:
        raise RejectedFileError("the NIfTI's voxels are in another file: save it as one .nii or .nii.gz")
    return "nifti" if magic[:2] == b"n+" else None


def _inflated_head(stream: BinaryIO) -> bytes:
    try:
        packed = stream.read(HEAD_BYTES * 4)
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(packed, HEAD_BYTES)
    except zlib.error:
        return b""
    finally:
        stream.seek(0)


class WithinFile:
    """A file whose reads end where it ends: a length of 4 GiB that is not there costs no 4 GiB of memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        place = stream.tell()
        self._size = stream.seek(0, 2)
        stream.seek(place)
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all that are left."""
        if size > SMALL_READ_BYTES:
            size = max(0, min(size, self._size - self._stream.tell()))
        return self._stream.read(size)


def read_dicom(source: BinaryIO) -> Dataset:
    """Parse a data set; a deflated one is inflated here first, up to a bound."""
    size = source.seek(0, 2)
    source.seek(0)
    stream = io.BytesIO(source.read()) if size <= SMALL_FILE_BYTES else cast("BinaryIO", WithinFile(source))
    preamble = read_preamble(stream, force=True)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta)
    if TRANSFER_SYNTAX in meta and meta[TRANSFER_SYNTAX].value == DeflatedExplicitVRLittleEndian:
        return _inflated(stream.read())
    stream.seek(0)
    return dcmread(stream, force=preamble is None)


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != 2


def _inflated(packed: bytes) -> Dataset:
    """Parse a deflated data set (PS3.5 A.5: raw deflate) as the explicit little-endian one that it holds."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    plain = inflater.decompress(packed, INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise RejectedFileError(
            f"the deflated data set unpacks to more than {INFLATED_BYTES // MEBIBYTE} MiB"
        )
    return dcmread(io.BytesIO(bytes(128) + b"DICM" + EXPLICIT + plain))


def transfer_syntax(parsed: Dataset) -> UID:
    """How the pixels are encoded; a data set without file meta is taken as it was parsed."""
    named = parsed.file_meta.get("TransferSyntaxUID") if hasattr(parsed, "file_meta") else None
    return UID(str(named)) if named else UID("")
