"""A folder of images with a table of labels, or a MedMNIST archive, as a world: no database, no server."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mlworker import loop
from mlworker.encoders import networks, shipped, weights
from mlworker.encoders.encoding import encoded, prepared
from mlworker.encoders.networks import Preprocessing
from mlworker.pixels.planes import fitted, windowed
from mlworker.replay.tables import SEVERAL, chosen_in
from mlworker.replay.worlds import World, WorldError, taken
from mlworker.targets import MULTI, SINGLE, Target

Strings = NDArray[np.str_]
TABLE, COLUMNS = "labels.csv", ("path", "label", "split")
SPLITS = ("train", "val", "test")
NORMALISED_ON = 256


@dataclass(frozen=True)
class Images:
    """planes: (image, 1, y, x), 0…1. labels, splits, patients: (image,).

    kind: of the question; of several answers a label names all that were chosen, with semicolons between.
    """

    planes: NDArray[np.float32]
    labels: Strings
    splits: Strings
    patients: Strings
    kind: str = SINGLE


def read_images(path: Path, preprocessing: Preprocessing | None = None) -> Images:
    """Read a folder (labels.csv, or one .npz in MedMNIST's layout) as the worker would.

    raises: WorldError naming what is missing.
    """
    wanted = preprocessing or Preprocessing()
    archive = _archive(path)
    if archive is not None:
        return _from_archive(archive, wanted)
    rows, kind = _rows(path / TABLE)
    people = [
        row.get("patient_id") or row.get("near_dup_group") or f"image {number}"
        for number, row in enumerate(rows)
    ]
    return Images(
        np.stack([_plane(_pixels(path / row["path"]), wanted) for row in rows]),
        np.array([row[SEVERAL if kind == MULTI else "label"] for row in rows]),
        np.array([row["split"] for row in rows]),
        np.array(people),
        kind,
    )


def _archive(path: Path) -> Path | None:
    if path.suffix == ".npz" and path.is_file():
        return path
    if not path.is_dir():
        raise WorldError(f"{path} is no folder and no .npz archive")
    archives = sorted(path.glob("*.npz"))
    return archives[0] if len(archives) == 1 and not (path / TABLE).exists() else None


def _rows(table: Path) -> tuple[list[dict[str, str]], str]:
    """Read the table, and which kind of question it answers."""
    if not table.is_file():
        raise WorldError(f"{table} is not there: a table with the columns {', '.join(COLUMNS)} is needed")
    with table.open(newline="") as lines:
        reader = csv.DictReader(lines)
        names = set(reader.fieldnames or ())
        kind = MULTI if SEVERAL in names and "label" not in names else SINGLE
        absent = [name for name in COLUMNS if name not in names and (name, kind) != ("label", MULTI)]
        if absent:
            raise WorldError(f"{table} has no column {', '.join(absent)}")
        rows = [row for row in reader if row["split"] in SPLITS and (kind == MULTI or row["label"])]
    if not rows:
        raise WorldError(f"{table} has no row with a label and a split of {', '.join(SPLITS)}")
    return rows, kind


def _pixels(path: Path) -> NDArray[np.float32]:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"), dtype=np.float32)
    except (FileNotFoundError, UnidentifiedImageError) as error:
        raise WorldError(f"{path} is in the table and cannot be read as an image") from error


def _plane(values: NDArray[np.float32], preprocessing: Preprocessing) -> NDArray[np.float32]:
    return fitted(windowed(values, {}), size=preprocessing.size, channels=1)


def _from_archive(path: Path, preprocessing: Preprocessing) -> Images:
    """Read MedMNIST's layout: train_images (image, y, x[, 3]), train_labels (image, 1), val_…, test_…."""
    planes, labels, splits = [], [], []
    with np.load(path, allow_pickle=False) as archive:
        for split in SPLITS:
            if f"{split}_images" not in archive or f"{split}_labels" not in archive:
                raise WorldError(f"{path} has no {split}_images with {split}_labels")
            images = archive[f"{split}_images"].astype(np.float32)
            grey = images.mean(axis=-1) if images.ndim == 4 else images
            planes += [_plane(image, preprocessing) for image in grey]
            labels += [str(label) for label in archive[f"{split}_labels"].reshape(len(images), -1)[:, 0]]
            splits += [split] * len(images)
    people = np.array([f"image {number}" for number in range(len(labels))])
    return Images(np.stack(planes), np.array(labels), np.array(splits), people)


def random_encoder(images: Images, preprocessing: Preprocessing) -> torch.nn.Module:
    """Make an encoder with random weights: seeded, normalisation set from images of the pool."""
    network = networks.random_network(preprocessing, seed=0)
    pool = pool_of(images)[:NORMALISED_ON]
    networks.calibrate_normalisation(network, prepared(torch.from_numpy(pool), preprocessing))
    return network


def encoded_images(images: Images, encoder: Path | None) -> NDArray[np.float32]:
    """Vectors of all images by an encoder's file, else by the one that Fovea brings: (image, feature).

    raises: WorldError where the file does not hold a known network's weights; OSError.
    """
    if encoder is None:
        how = shipped.preprocessing()
        return encoded(shipped.network_for(pool_of(images), how), images.planes, how)
    try:
        tensors = weights.read_file(encoder)
        how = Preprocessing(size=images.planes.shape[-1], architecture=networks.grey_planes_of(tensors))
        network = weights.loaded(networks.built(how), tensors)
    except weights.WrongWeightsError as error:
        raise WorldError(f"{encoder}: {error}") from error
    return encoded(network, images.planes, how)


def pool_of(images: Images) -> NDArray[np.float32]:
    """Images that are there before anything is read."""
    pool: NDArray[np.float32] = images.planes[images.splits == "train"]
    return pool


def world_of(images: Images, vectors: NDArray[np.floating], *, name: str, judge: str) -> World:
    """Split a folder's vectors as its table says. judge: what judges: "val", "test", "val+test"."""
    answers = [chosen_in(label, images.kind) for label in images.labels.tolist()]
    target = Target(images.kind, tuple(sorted({value for chosen in answers for value in chosen})))
    everyone = loop.Labelled(
        loop.Cases(np.arange(1, len(vectors) + 1, dtype=np.uint64), vectors.astype(np.float16)),
        target.labels(answers),
        np.unique(images.patients, return_inverse=True)[1].astype(np.intp),
    )
    parts = [_part(everyone, images, split) for split in ("train", judge)]
    return World(name, parts[0], parts[1], list(target.choices), kind=images.kind)


def _part(everyone: loop.Labelled, images: Images, split: str) -> loop.Labelled:
    return taken(everyone, np.flatnonzero(np.isin(images.splits, split.split("+"))))


def long_tail(images: Images, *, rarest: Sequence[str], share: float, seed: int = 0) -> NDArray[np.intp]:
    """Positions that are left where some classes keep a share of their training images; what judges stays."""
    rare = np.isin(images.labels, list(rarest)) & (images.splits == "train")
    dropped = np.random.default_rng(seed).random(len(rare)) >= share
    return np.flatnonzero(~(rare & dropped))


def some(images: Images, chosen: NDArray[np.intp]) -> Images:
    """Take some of the images. chosen: positions."""
    return Images(
        images.planes[chosen],
        images.labels[chosen],
        images.splits[chosen],
        images.patients[chosen],
        images.kind,
    )
