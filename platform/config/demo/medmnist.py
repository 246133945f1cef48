"""MedMNIST's `.npz` arrays become a folder of PNG files with a labels.csv, to come in by the usual door.

Yang et al., "MedMNIST v2", Scientific Data 10:41 (2023); PneumoniaMNIST is CC BY 4.0 (Kermany 2018).
"""

import csv
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The public record that MedMNIST's documentation names, and its checksum there.
URL: Final = "https://zenodo.org/records/10519652/files/pneumoniamnist.npz"
MD5: Final = "28209eda62fecd6e6a2d98b1501bb15f"
PATIENCE_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024**2
Arrays = dict[str, NDArray[Any]]
SPLITS: Final = ("train", "val", "test")
LABELS: Final = {"pneumoniamnist": ("normal", "pneumonia"), "breastmnist": ("malignant", "normal")}
# The first look should take seconds: this many images of each split, drawn with a fixed seed.
MOST_IMAGES: Final = {"train": 1000, "val": 100, "test": 100}


class MedmnistError(ValueError):
    """A file is not what MedMNIST writes."""


def download(folder: Path) -> Path | None:
    """Fetch PneumoniaMNIST once; None where there is no internet or what comes is not the file."""
    target = folder / "pneumoniamnist.npz"
    if target.exists():
        return target
    try:
        content = fetched()
    except (httpx.HTTPError, OSError):
        return None
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def fetched() -> bytes:
    """Read the file's bytes, no more than the limit.

    raises: httpx.HTTPError.
    """
    content = bytearray()
    with httpx.stream("GET", URL, timeout=PATIENCE_SECONDS, follow_redirects=True) as response:
        response.raise_for_status()
        for block in response.iter_bytes():
            content += block
            if len(content) > MOST_BYTES:
                raise httpx.HTTPError("more bytes than the file has")
    return bytes(content)


def unpack(archive: Path, folder: Path) -> Path:
    """Write the arrays as PNG files with their labels.csv; a folder that is complete already stays as it is.

    raises: MedmnistError naming the array that is missing or has another shape.
    """
    table = folder / "labels.csv"
    if table.exists():
        return folder
    rows = []
    arrays = opened(archive)
    for split in SPLITS:
        images, labels = arrays_of(arrays, split)
        rows += list(written(folder, split, images, [label_text(archive, int(one)) for one in labels]))
    with table.with_suffix(".part").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label", "split"), *rows])
    table.with_suffix(".part").rename(table)
    return folder


def opened(archive: Path) -> Arrays:
    """Read an archive; no pickled object in it is ever loaded.

    raises: MedmnistError where it is something else.
    """
    try:
        with np.load(archive, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise MedmnistError(f"{archive.name} is not a MedMNIST .npz file") from error


def arrays_of(arrays: Arrays, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Take a split's images, (n, h, w) or (n, h, w, 3), and labels, (n,): not more than the demo shows."""
    names = (f"{split}_images", f"{split}_labels")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise MedmnistError(
            f"the array {missing[0]} is missing: a MedMNIST file has one for train, val and test"
        )
    images, labels = (arrays[name] for name in names)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or labels.shape != (len(images), 1):
        raise MedmnistError(
            f"{names[0]} is {images.shape} {images.dtype} with labels {labels.shape}: expected 2D uint8"
        )
    order = np.random.default_rng(0).permutation(len(images))[: MOST_IMAGES[split]]
    return images[order], labels[order, 0].astype(np.int64)


def label_text(archive: Path, value: int) -> str:
    """Name a class: by MedMNIST's list where the file's name is known, else by its number."""
    known = LABELS.get(archive.stem.split("_")[0], ())
    return known[value] if value < len(known) else f"class_{value}"


def written(
    folder: Path, split: str, images: NDArray[np.uint8], labels: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Write a split's files and give their rows of the table."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = f"{split}/{number:05d}.png"
        Image.fromarray(pixels).save(folder / path)
        yield path, label, split
