"""Folders of labelled images (labels.csv) for the learning benchmarks, without database or server."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mlworker.encoders import networks, weights
from mlworker.encoders.encoding import encoded, prepared
from mlworker.encoders.networks import Preprocessing
from mlworker.pixels.planes import fitted, windowed

Strings = NDArray[np.str_]


@dataclass(frozen=True)
class Images:
    """planes: (image, 1, y, x), 0…1. labels, splits, patients: (image,)."""

    planes: NDArray[np.float32]
    labels: Strings
    splits: Strings
    patients: Strings


def read_images(folder: Path, preprocessing: Preprocessing | None = None) -> Images:
    """Read a folder as the worker would: percentile window, resized by area."""
    wanted = preprocessing or Preprocessing()
    with (folder / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    planes = [_plane(folder / row["path"], wanted) for row in rows]
    people = [
        row.get("patient_id") or row.get("near_dup_group") or f"image {number}"
        for number, row in enumerate(rows)
    ]
    return Images(
        np.stack(planes),
        np.array([row["label"] for row in rows]),
        np.array([row["split"] for row in rows]),
        np.array(people),
    )


def _plane(path: Path, preprocessing: Preprocessing) -> NDArray[np.float32]:
    with Image.open(path) as picture:
        values = np.asarray(picture.convert("L"), dtype=np.float32)
    return fitted(windowed(values, {}), size=preprocessing.size, channels=1)


def random_encoder(images: Images, preprocessing: Preprocessing) -> torch.nn.Module:
    """Make the encoder that a project starts with: seeded, normalisation set from 256 pool images."""
    network = networks.random_network(preprocessing, seed=0)
    pool = images.planes[images.splits == "train"][:256]
    networks.calibrate_normalisation(network, prepared(torch.from_numpy(pool), preprocessing))
    return network


def encoded_images(images: Images, encoder: Path | None) -> NDArray[np.float32]:
    """Vectors of all images by an encoder's file, else by random weights: (image, feature)."""
    preprocessing = Preprocessing(size=images.planes.shape[-1])
    network = random_encoder(images, preprocessing)
    if encoder is not None:
        network = weights.loaded(network, weights.read_file(encoder))
    return encoded(network, images.planes, preprocessing)
