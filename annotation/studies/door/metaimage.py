"""MetaImage: a text header, and one block of voxels behind it; no kept-up package reads it from a stream."""

import io
import re
from collections.abc import Mapping
from typing import BinaryIO, cast

import numpy as np

from annotation.studies.door.verdict import RejectedFileError
from annotation.studies.door.volumes import Floats, Volume, placed
from annotation.studies.door.voxels import Inflated, block_of, three

HEADER_BYTES = 64 * 1024
KINDS = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
DATA_FOLLOWS = re.compile(rb"^ElementDataFile[ \t]*=[ \t]*([^\r\n]+?)[ \t]*\r?\n", re.MULTILINE)
BYTE_ORDERS = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
YES = "true"
Fields = Mapping[str, str]


def read_metaimage(stream: BinaryIO) -> Volume:
    """Read a .mha, or a .mhd with what its voxels' file holds set behind it.

    raises: RejectedFileError.
    """
    fields, end = _header(stream)
    try:
        size = three([int(one) for one in fields["DimSize"].split()])
        kind = np.dtype(KINDS[fields["ElementType"]])
        spacing, affine = _spacing(fields), _affine(fields)
        skipped, channels = (
            int(fields.get("HeaderSize", "0")),
            int(fields.get("ElementNumberOfChannels", "1")),
        )
    except (ValueError, KeyError) as error:
        raise RejectedFileError(
            "the MetaImage header is damaged, or its type is none that DICOM holds"
        ) from error
    if channels != 1:
        raise RejectedFileError(f"each voxel has {channels} values: save each as a volume of its own")
    kind = kind.newbyteorder(">" if any(fields.get(name, "").lower() == YES for name in BYTE_ORDERS) else "<")
    length, size_of_file = int(np.prod(size)) * kind.itemsize, stream.seek(0, 2)
    begin = size_of_file - length if skipped == -1 else end + skipped
    if not end <= begin < size_of_file:
        raise RejectedFileError("the MetaImage's voxels are missing: send the .raw or .zraw beside its .mhd")
    stream.seek(begin)
    is_packed = fields.get("CompressedData", "").lower() == YES
    source = Inflated(stream, begin) if is_packed else cast("io.BufferedReader", stream)
    voxels = block_of(source, kind, size)
    return Volume(voxels, spacing) if affine is None else placed(voxels, affine)


def _header(stream: BinaryIO) -> tuple[Fields, int]:
    """Read the fields, and where what follows them begins.

    raises: RejectedFileError.
    """
    head = stream.read(HEADER_BYTES)
    end = DATA_FOLLOWS.search(head)
    if end is None:
        raise RejectedFileError("the MetaImage header does not say where its voxels are (ElementDataFile)")
    if end[1].upper().startswith(b"LIST") or b"%" in end[1]:
        raise RejectedFileError("the MetaImage's voxels are in many files: save it as one .mha")
    lines = (line.partition("=") for line in head[: end.start()].decode("latin-1").splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}, end.end()


def _spacing(fields: Fields) -> tuple[float, float, float]:
    """Read the spacing in mm; 1 where the header says none."""
    given = fields.get("ElementSpacing") or fields.get("ElementSize") or ""
    column, row, between = ([abs(float(one)) or 1.0 for one in given.split()] + [1.0] * 3)[:3]
    return column, row, between


def _affine(fields: Fields) -> Floats | None:
    """Read where the voxels lie, as ITK does: three numbers an axis, in LPS; None for a flat picture."""
    names = ("TransformMatrix", "Orientation", "Rotation"), ("Offset", "Position", "Origin")
    matrix, offset = (next((fields[name] for name in several if name in fields), "") for several in names)
    directions = np.array([float(one) for one in matrix.split()])
    if directions.size != 9:
        return None
    affine = np.eye(4)
    affine[:3, :3] = directions.reshape(3, 3).T * np.array(_spacing(fields))
    affine[:3, 3] = [float(one) for one in offset.split()] if offset else 0.0
    return affine
