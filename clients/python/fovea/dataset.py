"""A labelled data set: items of image, label and meta, read when they are asked for."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, overload

import numpy as np
from numpy.typing import NDArray

from fovea.errors import FoveaError
from fovea.files import Read, opened
from fovea.nifti import read_nifti
from fovea.server import Server

Name = Literal["training", "validation", "test"]
NAMES: tuple[Name, ...] = ("training", "validation", "test")


class Item(TypedDict):
    """One case. image: (channel, x, y, z); label: a mask (x, y, z), a class number, or None (test)."""

    image: NDArray[Any]
    label: NDArray[Any] | int | None
    affine: NDArray[np.float64]
    meta: dict[str, Any]


def load(
    source: str | os.PathLike[str],
    *,
    url: str | None = None,
    token: str | None = None,
    cache: Path | None = None,
    wait_seconds: float = 3600.0,
) -> "Dataset":
    """Load "project@snapshot" from a server, or an exported folder or zip.

    url, token: FOVEA_URL and FOVEA_TOKEN where they are not given. cache: where fetched files are kept.
    raises: FoveaError saying what is wrong and what to do.
    """
    if Path(source).exists():
        return Dataset(*opened(Path(source)))
    name = os.fspath(source)
    if "@" not in name:
        raise FoveaError(f"{name} is no file or folder, and names no snapshot (project@latest)")
    url = url or os.environ.get("FOVEA_URL")
    token = token or os.environ.get("FOVEA_TOKEN")
    if not url or not token:
        raise FoveaError("give url and token, or set FOVEA_URL and FOVEA_TOKEN")
    return Dataset(*opened(Server(url, token, wait_seconds).fetched(name, cache)))


@dataclass(frozen=True)
class Part(Sequence[Item]):
    """The items of one part; reading one reads its files."""

    entries: Sequence[Mapping[str, Any]]
    read: Read

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> "Part": ...

    def __getitem__(self, place: int | slice) -> "Item | Part":
        if isinstance(place, slice):
            return Part(self.entries[place], self.read)
        entry = self.entries[place]
        channels = [read_nifti(self.read(name)) for name in entry["image"]]
        label = entry.get("label")
        if isinstance(label, str):
            label = read_nifti(self.read(label))[0]
        return Item(
            image=np.stack([values for values, _ in channels]),
            label=label,
            affine=channels[0][1],
            meta=dict(entry["meta"]),
        )

    def __iter__(self) -> Iterator[Item]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class Dataset:
    """A snapshot's cases, by what they are for. described: dataset.json."""

    described: Mapping[str, Any]
    read: Read

    @property
    def labels(self) -> dict[str, int]:
        """Class numbers by name."""
        return dict(self.described["labels"])

    @property
    def task(self) -> str:
        """Name what a label is: "segmentation" or "classification"."""
        return str(self.described["task_type"])

    @property
    def training(self) -> Part:
        """Cases to learn from."""
        return self.part("training")

    @property
    def validation(self) -> Part:
        """Cases to judge by while training: the split val, and the audit stream."""
        return self.part("validation")

    @property
    def test(self) -> Part:
        """Cases that were held out."""
        return self.part("test")

    def part(self, name: Name) -> Part:
        """Give one part."""
        if name not in NAMES:
            raise FoveaError(f'there is no part "{name}": choose one of {", ".join(NAMES)}')
        return Part(self.described[name], self.read)

    def __len__(self) -> int:
        return sum(len(self.part(name)) for name in NAMES)

    def __iter__(self) -> Iterator[Item]:
        return (item for name in NAMES for item in self.part(name))

    def to_torch(self, name: Name = "training") -> Any:  # noqa: ANN401  torch is optional
        """Give a part as a torch data set of tensors; a case without a label has none."""
        import torch
        from torch.utils.data import Dataset as TorchDataset

        part = self.part(name)

        class Tensors(TorchDataset[dict[str, Any]]):
            def __len__(self) -> int:
                return len(part)

            def __getitem__(self, place: int) -> dict[str, Any]:
                item = part[place]
                found: dict[str, Any] = {
                    "image": torch.from_numpy(as_float(item["image"])),
                    "meta": item["meta"],
                }
                if item["label"] is not None:
                    found["label"] = torch.as_tensor(np.array(item["label"], dtype=np.int64))
                return found

        return Tensors()

    def to_monai(self, name: Name = "training", transform: Callable[[Any], Any] | None = None) -> Any:  # noqa: ANN401  MONAI is optional
        """Give a part as a MONAI data set: MetaTensors that carry their affine; masks (1, x, y, z)."""
        import torch
        from monai.data.dataset import Dataset as MonaiDataset
        from monai.data.meta_tensor import MetaTensor

        part = self.part(name)

        def read(place: int) -> Any:  # noqa: ANN401  what the transform makes of it
            item = part[place]
            affine = torch.from_numpy(item["affine"])
            found: dict[str, Any] = {
                "image": MetaTensor(torch.from_numpy(as_float(item["image"])), affine=affine),
                "meta": item["meta"],
            }
            label = item["label"]
            if isinstance(label, np.ndarray):
                found["label"] = MetaTensor(torch.from_numpy(label[None].copy()), affine=affine)
            elif label is not None:
                found["label"] = torch.tensor(label)
            return transform(found) if transform else found

        return MonaiDataset(list(range(len(part))), transform=read)


def as_float(values: NDArray[Any]) -> NDArray[np.float32]:
    """Copy values as 32-bit floats, which networks take."""
    return np.array(values, dtype=np.float32, order="C")
