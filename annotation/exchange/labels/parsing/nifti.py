"""NIfTI masks: whole numbers a voxel, where they lie in the patient, and what the numbers are called."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target, reader_in
from annotation.projects.masks import runs_of
from annotation.studies.door.limits import INFLATED_BYTES, MEBIBYTE

LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
MOST_CLASSES: Final = 256
READERS: Final = (nib.Nifti1Image, nib.Nifti2Image)
OUR_UID: Final = re.compile(r"2\.25\.[0-9]{10,59}")  # others write versions there: "5.0.10"


def read_nifti(content: bytes, order: Order) -> Iterator[Statement]:
    """Give a volume a class.

    raises: LabelFileError.
    """
    image = opened(unpacked(content), order)
    values = voxels_of(image, order)
    affine: NDArray[np.float64] = LPS @ image.affine
    told = image.header["descrip"].tobytes().rstrip(b"\0").decode("ascii", "replace")
    name = PurePosixPath(order.path).name
    key, names = names_for(name, order)
    target = Target(series=told if OUR_UID.fullmatch(told) else "", paths=(name,))
    reader = reader_in(name.removesuffix(".gz").removesuffix(".nii").rpartition("_")[2])
    for number in np.unique(values).tolist():
        if number:
            yield Statement(
                f"{order.path}, label {number}",
                "volume",
                target,
                (key,) if key else (),
                tuple(dict.fromkeys((names.get(str(number), str(number)), str(number)))),
                {
                    "shape": list(values.shape),
                    "affine": affine.tolist(),
                    "runs": runs_of(values == number),
                },
                reader,
            )


def unpacked(content: bytes) -> bytes:
    """Unpack a file, within bounds.

    raises: LabelFileError.
    """
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            found = packed.read(INFLATED_BYTES + 1)
    except (OSError, EOFError):
        raise LabelFileError("its gzip is damaged: copy it again") from None
    if len(found) > INFLATED_BYTES:
        raise LabelFileError(f"it unpacks to more than {INFLATED_BYTES // MEBIBYTE} MiB")
    return found


def opened(content: bytes, order: Order) -> Any:  # noqa: ANN401 - nibabel says that it is typed, and is not
    """Read the header.

    raises: LabelFileError.
    """
    for kind in READERS:
        try:
            return kind.from_bytes(content)
        except Exception:  # noqa: BLE001, S112 - a damaged header may raise anything
            continue
    raise LabelFileError(f"{order.path} is no NIfTI file")


def voxels_of(image: Any, order: Order) -> NDArray[Any]:  # noqa: ANN401 - as above
    """Read whole numbers: (k, j, i).

    raises: LabelFileError.
    """
    values = np.asanyarray(image.dataobj)
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise LabelFileError(f"{order.path} has {values.ndim} dimensions: give one volume of three")
    whole = np.rint(values)
    if not np.isfinite(values).all() or not np.array_equal(whole, values):
        raise LabelFileError(
            f"{order.path} holds numbers that are not whole: it is an image, or probabilities"
        )
    if whole.min() < 0 or whole.max() >= MOST_CLASSES:
        raise LabelFileError(
            f"{order.path} holds {whole.min():.0f} to {whole.max():.0f}: a mask has class numbers 0 to 255"
        )
    return np.ascontiguousarray(whole.astype(np.uint8).transpose(2, 1, 0))


def names_for(name: str, order: Order) -> tuple[str, dict[str, str]]:
    """Choose the question whose numbers a file holds: the only one, or the one in the file's name."""
    if len(order.names) == 1:
        return next(iter(order.names.items()))
    for key, names in order.names.items():
        if f"_{key}_" in f"_{name.partition('.')[0]}_":
            return key, names
    return "", {}


def names_in(content: bytes) -> dict[str, dict[str, str]]:
    """Read labels.json as our exports write it, or "labels" of an nnU-Net dataset.json."""
    try:
        found = json.loads(content)
        by_key = {"": found["labels"]} if isinstance(found.get("labels"), dict) else found
        return {
            str(key): {str(int(number)): str(label) for label, number in names.items()}
            for key, names in by_key.items()
            if isinstance(names, dict)
        }
    except (ValueError, TypeError, AttributeError):
        return {}
