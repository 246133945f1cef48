"""Which files of what was given hold labels in a format, and which ones name their numbers. Pure."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from annotation.exchange.deliveries import DeliveredFile
from annotation.exchange.labels.statements import LabelFileError

ENDINGS: Final = {
    "csv": (".csv",),
    "coco": (".json",),
    "voc": (".xml", ".png"),
    "dicom": ("",),
    "nifti": (".nii", ".nii.gz"),
}
# Beside the labels in our own exports and in those of others.
NO_LABELS: Final = {"left_out.csv", "card.json", "readme.md", "data.yaml", "dataset.json", "labels.json"}
NAMES: Final = {"voc": ("labels.txt",), "nifti": ("labels.json", "dataset.json")}
FOLDERS: Final = {
    "voc": ("annotations", "segmentationclass", "annotations_voc"),
    "nifti": ("masks", "labels", "labelstr"),
    "coco": ("annotations",),
}
PASSED_OVER: Final = (".txt", ".md", ".csv", ".json", ".yaml", ".rst", ".html", ".pdf")


def label_files(files: Sequence[DeliveredFile], name: str) -> list[DeliveredFile]:
    """Choose the files with labels: those in the format's own folders, where there are such.

    raises: LabelFileError where there is none.
    """
    fitting = [one for one in files if fits(one.path, name)]
    own = [one for one in fitting if is_in_own_folder(one.path, name)]
    if not (own or fitting):
        endings = " or ".join(ENDINGS[name]) if any(ENDINGS[name]) else "DICOM"
        raise LabelFileError(f"there is no {endings} file in it: choose another file or format")
    return own or fitting


def fits(path: str, name: str) -> bool:
    """Whether a file can hold labels of a format."""
    lower = PurePosixPath(path).name.lower()
    if lower in NO_LABELS or lower.startswith("."):
        return False
    return lower.endswith(ENDINGS[name]) and not (name == "dicom" and lower.endswith(PASSED_OVER))


def is_in_own_folder(path: str, name: str) -> bool:
    """Whether it lies in a folder that the format has for labels."""
    return any(part.lower() in FOLDERS.get(name, ()) for part in PurePosixPath(path).parts[:-1])


def name_files(files: Sequence[DeliveredFile], name: str) -> list[DeliveredFile]:
    """Choose the files that say what numbers stand for."""
    return [one for one in files if PurePosixPath(one.path).name.lower() in NAMES.get(name, ())]
