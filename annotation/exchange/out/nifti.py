"""NIfTI images and masks that lie where the DICOM series lies, and data set folders for MONAI and nnU-Net."""

import gzip
from collections.abc import Iterator, Sequence
from typing import Any, Final

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from annotation.exchange.out.archive import Archive, Report, as_json
from annotation.exchange.out.drawn import Painting, paintings_in
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.rules import TEST, TRAIN, VALIDATION, DifferenceError, LeftOutError, slug
from annotation.exchange.out.volumes import LPS_TO_RAS, UNEVEN_SHARE, Grid, grid_of, slack_mm, values_of
from annotation.projects.questions import Segmentation
from annotation.projects.rules import first_single_choice
from annotation.studies.pictures import Picture

NIFTI: Any = nib.Nifti1Image  # nibabel says that it is typed, and is not
SCANNER: Final = 1
ALIGNED: Final = 2
COLOURS: Final = ("red", "green", "blue")
FOLDER: Final = "Dataset001_"


def as_nifti(values: NDArray[Any], grid: Grid, uid: str) -> bytes:
    """Write a volume: (k, j, i) as NIfTI's (i, j, k), compressed without a clock; uid: of the series."""
    image: Any = NIFTI(np.ascontiguousarray(values.transpose(2, 1, 0)), grid.ras)
    image.set_sform(grid.ras, code=SCANNER if grid.placed else ALIGNED)
    image.set_qform(None, code=0)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = uid.encode()
    image.header.set_zooms(np.linalg.norm(grid.affine[:3, :3], axis=0))
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def check_nifti(case: FrozenCase, content: bytes, values: NDArray[Any]) -> None:
    """Read a volume back: every voxel, and where the corners of every slice lie in the patient.

    raises: DifferenceError.
    """
    image: Any = NIFTI.from_bytes(gzip.decompress(content))
    again = np.asanyarray(image.dataobj).transpose(2, 1, 0)
    if again.shape != values.shape or not np.array_equal(again, values):
        raise DifferenceError(case.number, "voxels were read back otherwise from NIfTI")
    affine, allowed = np.linalg.inv(LPS_TO_RAS) @ image.affine, case_tolerance(case)
    for k, picture in enumerate(case.pictures):
        away = off_mm(affine, k, picture)
        if away > allowed:
            raise DifferenceError(case.number, f"slice {k + 1} lies {away:.4f} mm off in NIfTI")


def case_tolerance(case: FrozenCase) -> float:
    """How far slices may lie off their grid, as it was laid: by rounded axes and by uneven steps."""
    lengths = np.linalg.norm(grid_of(case.pictures).affine[:3, :3], axis=0)
    return slack_mm(lengths) + UNEVEN_SHARE * float(lengths[2])


def off_mm(affine: NDArray[np.float64], k: int, picture: Picture) -> float:
    """Distance between where an affine and where the image itself puts the corners of a slice."""
    one = picture.attributes
    if "ImagePositionPatient" not in one or "ImageOrientationPatient" not in one:
        return 0.0
    position = np.array(one["ImagePositionPatient"], dtype=np.float64)
    axes = np.array(one["ImageOrientationPatient"], dtype=np.float64).reshape(2, 3)
    down, along = (float(value) for value in one["PixelSpacing"])  # PS3.3 10.7.1.3: between rows first
    worst = 0.0
    for column, row in ((0, 0), (one["Columns"] - 1, 0), (0, one["Rows"] - 1)):
        wanted = position + column * along * axes[0] + row * down * axes[1]
        worst = max(worst, float(np.linalg.norm((affine @ (column, row, k, 1.0))[:3] - wanted)))
    return worst


def channels_of(values: NDArray[Any]) -> list[NDArray[Any]]:
    """Give an image's channels as volumes: one, or three for colour."""
    return [values] if values.ndim == 3 else [values[..., sample] for sample in range(values.shape[3])]


def export_nifti(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write each read case's image, and each reader's masks beside it.

    raises: DifferenceError.
    """
    for case in frozen.walked(progress):
        try:
            grid, images = written_images(case)
        except LeftOutError as error:
            report.leave_out(case.number, str(error))
            continue
        for channel, content in enumerate(images):
            suffix = f"_{COLOURS[channel]}" if len(images) > 1 else ""
            archive.add(f"images/{case.name}{suffix}.nii.gz", content)
        report.count("images")
        for said in case.newest():
            for painting in paintings_in(case, said):
                name = f"masks/{case.name}_{slug(painting.question.key)}_{said.reader}.nii.gz"
                archive.add(name, written_mask(case, painting, grid, frozen))
                report.count("masks")
    archive.add("labels.json", as_json(labels_of_all(frozen)))


def written_images(case: FrozenCase) -> tuple[Grid, list[bytes]]:
    """Write a case's image, read back and compared."""
    grid = grid_of(case.pictures)
    written = []
    for channel in channels_of(values_of(case.pictures)):
        content = as_nifti(channel, grid, case.line["series_instance_uid"])
        check_nifti(case, content, channel)
        written.append(content)
    return grid, written


def written_mask(case: FrozenCase, painting: Painting, grid: Grid, frozen: Frozen) -> bytes:
    """Write a mask, read back and compared."""
    labelmap = painting.labelmap(case, frozen.classes_of(painting.question.key))
    content = as_nifti(labelmap, grid, case.line["series_instance_uid"])
    check_nifti(case, content, labelmap)
    return content


def labels_of_all(frozen: Frozen) -> dict[str, dict[str, int]]:
    """Give each segmentation's classes their numbers, from 1."""
    return {
        key: {"background": 0} | {value: n for n, value in enumerate(frozen.classes_of(key), start=1)}
        for key, is_mask in frozen.drawn_questions(()).items()
        if is_mask
    }


def export_folder(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write a folder that nnU-Net v2 and MONAI's data lists read: imagesTr, labelsTr, imagesTs, dataset.json.

    The label is the reference standard's mask, or where the protocol asks for none its answer to the question
    that models learn. Validation cases lie in imagesTr too; splits_final.json names them.
    raises: DifferenceError.
    """
    root = f"{FOLDER}{slug(str(frozen.head['name']))}/"
    asked = next((one for one in frozen.questions if isinstance(one, Segmentation)), None)
    entries: dict[str, list[dict[str, Any]]] = {TRAIN: [], VALIDATION: [], TEST: []}
    channels = 1
    for case in frozen.walked(progress):
        try:
            entry, members = entry_of(case, asked, frozen)
        except LeftOutError as error:
            report.leave_out(case.number, str(error))
            continue
        for name, content in members:
            archive.add(root + name, content)
        channels = max(channels, len(entry["image"]))
        entries[case.part].append(entry)
        report.count(f"{case.part} cases")
    archive.add(f"{root}dataset.json", as_json(dataset_of(frozen, asked, entries, channels)))
    archive.add(f"{root}splits_final.json", as_json([folds_of(entries)]))


def entry_of(
    case: FrozenCase, asked: Segmentation | None, frozen: Frozen
) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """Describe one case of the folder, with its files.

    raises: LeftOutError where it has no label to learn from, or is no volume.
    """
    reference = case.reference()
    label = label_of(case, asked, reference, frozen)
    grid, images = written_images(case)
    where = "imagesTs" if case.part == TEST else "imagesTr"
    members = [(f"{where}/{case.name}_{n:04d}.nii.gz", content) for n, content in enumerate(images)]
    entry: dict[str, Any] = {"image": [name for name, _ in members], "meta": meta_of(case, reference)}
    if isinstance(label, Painting):
        name = f"labels{where[-2:]}/{case.name}.nii.gz"
        members.append((name, written_mask(case, label, grid, frozen)))
        entry["label"] = name
    elif label is not None:
        entry["label"] = label
    return entry, members


def label_of(
    case: FrozenCase, asked: Segmentation | None, reference: Said | None, frozen: Frozen
) -> Painting | int | None:
    """Find what a model is to learn of a case; nothing for a test case that has none.

    raises: LeftOutError.
    """
    if reference is None:
        if case.part == TEST:
            return None
        raise LeftOutError("it has no reference standard: its readers do not agree, or nobody has read it")
    if asked is None:
        return class_of(reference, frozen)
    painted = [one for one in paintings_in(case, reference) if one.question.key == asked.key]
    if not painted:
        raise LeftOutError(
            f'its reference standard has no mask for "{asked.key}": several readers drew one, or none did'
        )
    return painted[0]


def class_of(reference: Said, frozen: Frozen) -> int:
    """Give the answer to the question that models learn, by its number.

    raises: LeftOutError.
    """
    question = first_single_choice(frozen.head["protocols"][-1]["questions"])
    answer = reference.answers.get(question.key)
    if answer not in question.classes:
        raise LeftOutError(f'its reference standard has no answer to "{question.key}" of the newest protocol')
    return question.classes.index(str(answer))


def meta_of(case: FrozenCase, reference: Said | None) -> dict[str, Any]:
    """Say of a case what a training may stratify by."""
    line = case.line
    names = ("patient", "split", "stream", "modality", "manufacturer", "study_instance_uid")
    return {
        "case": case.number,
        **{name: line[name] for name in (*names, "series_instance_uid")},
        "readings": len(line["readings"]),
        "answers": dict(plain_answers(reference)),
    }


def plain_answers(reference: Said | None) -> Iterator[tuple[str, Any]]:
    """Give the reference standard's answers, without what was drawn."""
    for question in reference.questions if reference else []:
        if question.kind in ("single", "ordinal", "multi", "number") and reference:
            yield question.key, reference.answers.get(question.key)


def dataset_of(
    frozen: Frozen, asked: Segmentation | None, entries: dict[str, list[dict[str, Any]]], channels: int
) -> dict[str, Any]:
    """Write dataset.json: the keys of nnU-Net v2, and MONAI's (decathlon) lists beside them."""
    if asked is None:
        classes = first_single_choice(frozen.head["protocols"][-1]["questions"]).classes
        labels = {value: number for number, value in enumerate(classes)}
    else:
        labels = labels_of_all(frozen)[asked.key]
    modalities = [name for name in frozen.snapshot.card["by_modality"] if name != "not given"] or ["image"]
    names = COLOURS if channels == len(COLOURS) else ("/".join(modalities),)
    return {
        "name": frozen.head["name"],
        "reference": f"fovea snapshot {frozen.digest}",
        "channel_names": {str(n): name for n, name in enumerate(names)},
        "labels": labels,
        "task_type": "segmentation" if asked else "classification",
        "numTraining": len(entries[TRAIN]) + len(entries[VALIDATION]),
        "numTest": len(entries[TEST]),
        "file_ending": ".nii.gz",
        "training": entries[TRAIN],
        "validation": entries[VALIDATION],
        "test": entries[TEST],
    }


def folds_of(entries: dict[str, list[dict[str, Any]]]) -> dict[str, Sequence[str]]:
    """Name nnU-Net's one fold: patients of the audit stream and of the split val are never trained on."""
    return {
        part: [str(one["image"][0]).rpartition("/")[2].removesuffix("_0000.nii.gz") for one in entries[part]]
        for part in (TRAIN, VALIDATION)
    }
