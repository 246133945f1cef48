"""Headers of NIfTI and NRRD: what is in the file, and where it lies in the patient."""

import io
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, cast

import nrrd
import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from annotation.studies.door import limits
from annotation.studies.door.metaimage import read_metaimage
from annotation.studies.door.pixels import Pixels
from annotation.studies.door.verdict import RejectedFileError
from annotation.studies.door.volumes import Volume, placed
from annotation.studies.door.voxels import Inflated, block_of, check_kind, three, unpacked

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MILLIMETRES = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
NIFTI_1, NIFTI_2 = 348, 540


def read_nifti(stream: BinaryIO) -> Volume:
    """Read NIfTI-1 or -2 in one file; the sform counts where it says one, else the qform.

    raises: RejectedFileError.
    """
    plain = unpacked(stream)
    head = plain.read(NIFTI_2)
    sizes = {int.from_bytes(head[:4], order) for order in ("little", "big")}
    kind: Any
    kind, length = (Nifti2Header, NIFTI_2) if NIFTI_2 in sizes else (Nifti1Header, NIFTI_1)
    try:
        header = kind.from_fileobj(io.BytesIO(head[:length]), check=False)
        shape = [int(one) for one in header.get_data_shape()]
        found = cast("np.dtype[np.generic]", header.get_data_dtype())
        begin = int(header.get_data_offset())
        slope, intercept = scaling(header)
    except (HeaderDataError, ValueError, KeyError) as error:
        raise RejectedFileError("the NIfTI header is damaged") from error
    if not length <= begin <= length + limits.MEBIBYTE:
        raise RejectedFileError("the NIfTI header says that the voxels begin where they cannot")
    size = three(shape)
    check_kind(found)
    plain.seek(begin)
    voxels = block_of(cast("io.BufferedReader", plain), found, size)
    unit = MILLIMETRES.get(str(header.get_xyzt_units()[0]), 1.0)
    if int(header["sform_code"]) == int(header["qform_code"]) == 0:
        zooms = [abs(float(one)) * unit or 1.0 for one in (*header.get_zooms(), 1.0)[:3]]
        return Volume(voxels, (zooms[0], zooms[1], zooms[2]), slope=slope, intercept=intercept)
    affine = RAS_TO_LPS @ np.asarray(header.get_best_affine(), np.float64)
    affine[:3] *= unit
    return placed(voxels, affine, slope, intercept)


def scaling(header: Any) -> tuple[float, float]:  # noqa: ANN401  nibabel is untyped
    """Give slope and intercept: 1 and 0 where the header says none."""
    slope, intercept = header.get_slope_inter()
    return (1.0, 0.0) if slope is None else (float(slope), float(intercept or 0.0))


TO_LPS = {
    "left-posterior-superior": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
}
SHORT = {"lps": "left-posterior-superior", "ras": "right-anterior-superior", "las": "left-anterior-superior"}
NRRD_KINDS = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "signed long long"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}


def read_nrrd(stream: BinaryIO) -> Volume:
    """Read NRRD with its voxels in the same file, raw or packed by gzip.

    raises: RejectedFileError.
    """
    try:
        header = nrrd.read_header(stream)
        sizes = [int(one) for one in header["sizes"]]
        kind = np.dtype(NRRD_KINDS[str(header["type"])])
    except (nrrd.NRRDError, ValueError, KeyError, StopIteration) as error:
        raise RejectedFileError("the NRRD header is damaged, or its type is none that DICOM holds") from error
    if {"data file", "datafile"} & set(header):
        raise RejectedFileError("the NRRD's voxels are in another file: save it as one .nrrd")
    if any(int(header.get(name, 0)) for name in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise RejectedFileError("the NRRD skips bytes before its voxels: save it without")
    kind = kind.newbyteorder(">" if header.get("endian") == "big" else "<")
    size = three(sizes)
    if header["encoding"] in ("gzip", "gz"):
        packed = stream.tell()
        voxels = block_of(Inflated(stream, packed), kind, size)
    elif header["encoding"] == "raw":
        voxels = block_of(cast("io.BufferedReader", stream), kind, size)
    else:
        raise RejectedFileError("the NRRD's encoding is neither raw nor gzip")
    return _placed_by_nrrd(voxels, header)


def _placed_by_nrrd(voxels: Pixels, header: Mapping[str, Any]) -> Volume:
    name = str(header.get("space", "")).lower()
    signs = TO_LPS.get(SHORT.get(name, name))
    directions, origin = header.get("space directions"), header.get("space origin")
    if signs is None or directions is None or np.shape(directions) != (3, 3):
        given = header.get("spacings")
        spacing = [1.0, 1.0, 1.0] if given is None else [abs(float(one)) or 1.0 for one in (*given, 1.0)][:3]
        return Volume(voxels, (spacing[0], spacing[1], spacing[2]))
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(directions, np.float64).T
    affine[:3, 3] = np.zeros(3) if origin is None else np.asarray(origin, np.float64)
    return placed(voxels, np.diag([*signs, 1.0]) @ affine)


READERS: Mapping[str, Callable[[BinaryIO], Volume]] = {
    "nifti": read_nifti,
    "nrrd": read_nrrd,
    "metaimage": read_metaimage,
}
