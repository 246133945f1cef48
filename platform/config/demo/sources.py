"""Which images the demo shows: those given, PneumoniaMNIST, or phantoms beside pydicom's own DICOM files."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pydicom.data

from annotation.exchange import phantoms
from config.demo import medmnist

# CT, MR and NM in several transfer syntaxes; three of ultrasound, whose pixels may hold text.
DICOM_FILES: Final = (
    "CT_small.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small.dcm",
    "examples_overlay.dcm",
    "JPEG2000.dcm",
    "JPEG-lossy.dcm",
    "examples_rgb_color.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
)


class NoSourceError(ValueError):
    """What was given as the demo's images cannot be read."""


@dataclass(frozen=True)
class Source:
    """Images on disk, and the demo project that they fill."""

    project: str
    path: Path
    modality: str
    said: str
    choices: str = ""

    def fingerprint(self) -> str:
        """Name the state of the files by their paths, sizes and times: quick, and enough to see a change."""
        digest = hashlib.sha256(str(self.path).encode())
        for path, size, changed in sorted(listing(self.path)):
            digest.update(f"{path}\0{size}\0{changed}\0".encode())
        return digest.hexdigest()


def listing(path: Path) -> Iterator[tuple[str, int, int]]:
    """List the files under a path with size and time of change."""
    for found in [path] if path.is_file() else path.rglob("*"):
        status = found.lstat()
        yield str(found), status.st_size, status.st_mtime_ns


def sources(given: str, spool: Path) -> list[Source]:
    """Choose the demo's sources.

    raises: NoSourceError or MedmnistError saying what is wrong with what was given.
    """
    if given:
        return [given_source(Path(given).expanduser(), spool)]
    archive = os.environ.get("FOVEA_MEDMNIST", "")
    if archive:
        return [medmnist_source(Path(archive), spool, "the file that FOVEA_MEDMNIST names")]
    downloaded = medmnist.download(spool)
    if downloaded is not None:
        return [medmnist_source(downloaded, spool, f"downloaded from {medmnist.URL}")]
    return [phantom_source(spool), pydicom_source(spool)]


def given_source(path: Path, spool: Path) -> Source:
    """Use a folder or zip of images, or a MedMNIST file, or a folder that holds one."""
    if not path.exists():
        raise NoSourceError(f"{path} does not exist: give a folder of images, a zip, or a MedMNIST .npz file")
    archives = [path] if path.suffix == ".npz" else sorted(path.glob("*.npz")) if path.is_dir() else []
    if len(archives) == 1:
        return medmnist_source(archives[0], spool, str(archives[0]))
    return Source(path.resolve().stem.replace("_", " "), path.resolve(), "OT", f"Demo images: {path}")


def medmnist_source(archive: Path, spool: Path, origin: str) -> Source:
    """Use a MedMNIST file."""
    if not archive.is_file():
        raise NoSourceError(f"{archive} is not there: FOVEA_MEDMNIST names a MedMNIST .npz file")
    folder = medmnist.unpack(archive, spool / archive.stem)
    shown = sum(medmnist.MOST_IMAGES.values())
    said = (
        f"Demo images: {archive.stem} ({origin}), {shown} of its images at most, so that the start is quick"
    )
    name = "PneumoniaMNIST" if archive.stem == "pneumoniamnist" else archive.stem
    return Source(name, folder, "DX" if archive.stem.startswith(("pneumonia", "chest")) else "OT", said)


def phantom_source(spool: Path) -> Source:
    """Use phantoms that are made here."""
    folder = phantoms.write_phantoms(spool / "phantoms", count=phantoms.COUNT)
    said = "Demo images: PneumoniaMNIST cannot be had here, so chest phantoms made by Fovea (graded lesions)"
    return Source("Chest phantoms", folder, "DX", said)


def pydicom_source(spool: Path) -> Source:
    """Use real DICOM files that pydicom installs."""
    installed, folder = Path(pydicom.data.__file__).parent / "test_files", spool / "dicom"
    folder.mkdir(parents=True, exist_ok=True)
    for name in DICOM_FILES:
        if not (folder / name).exists():
            shutil.copy2(installed / name, folder / name)
    said = "and DICOM files that pydicom installs: CT, MR, NM to read; ultrasound, which waits in quarantine"
    return Source("DICOM examples", folder, "OT", said, choices="usable,unusable")
