"""MONAI's transform that reads a series as production does: DICOM files, a folder of them, or one picture."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform
from numpy.typing import NDArray
from PIL import Image

from annotation.studies.rules import reading_order
from mlworker.encoders.networks import ADJACENT, VOLUME, Preprocessing
from mlworker.pixels.planes import displayed, fitted
from mlworker.pixels.stacks import adjacent_of, planes_of, volume_of

SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
NUMBERS = ("RescaleSlope", "RescaleIntercept", "BitsStored", "InstanceNumber")
LISTS = ("WindowCenter", "WindowWidth", "ImagePositionPatient", "ImageOrientationPatient")
WORDS = ("PhotometricInterpretation", "VOILUTFunction", "SOPInstanceUID")
Shown = NDArray[np.float32]


class LoadSeriesd(MapTransform):
    """Path → (channel, y, x, plane), 0…1: window, fit and choice of planes are production's own code."""

    def __init__(self, keys: Sequence[Hashable] | Hashable, preprocessing: Mapping[str, Any]) -> None:
        super().__init__(keys)
        self.how = Preprocessing.from_row(dict(preprocessing))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Read what each key names."""
        made = dict(data)
        for key in self.key_iterator(made):
            path = str(made[key])
            pixels = torch.from_numpy(np.ascontiguousarray(seen(frames_at(Path(path)), self.how)))
            made[key] = MetaTensor(pixels, meta={"filename_or_obj": path})
        return made


def seen(frames: Sequence[Shown], how: Preprocessing) -> Shown:
    """Put frames together as the encoder sees them: (channel, y, x, plane)."""

    def read(place: int, channels: int) -> Shown:
        return fitted(frames[place], size=how.size, channels=channels)

    if how.seen == VOLUME:
        box: Shown = volume_of(len(frames), read, depth=how.slices)[0]
        return box.transpose(0, 2, 3, 1)
    if how.seen == ADJACENT:
        stack = adjacent_of(len(frames), read, most=how.slices)
    else:
        stack = planes_of(len(frames), read, channels=how.channels, most=how.slices)
    return stack.transpose(1, 2, 3, 0)


def frames_at(path: Path) -> list[Shown]:
    """Frames of a series in the order of its anatomy, each (y, x) or (y, x, 3), 0…1."""
    if path.suffix.lower() in PICTURES:
        return [picture_at(path)]
    import pydicom  # pictures need no DICOM library

    files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    images = [pydicom.dcmread(one) for one in files]
    told = [attributes_of(one) for one in images]
    by_uid = sorted(range(len(told)), key=lambda at: (told[at]["InstanceNumber"], told[at]["SOPInstanceUID"]))
    ordered = reading_order([told[at] for at in by_uid])
    return [frame for at in ordered for frame in frames_of(images[by_uid[at]], told[by_uid[at]])]


def picture_at(path: Path) -> Shown:
    """One picture, as the door takes it in: grey or colour, 8 or 16 bits."""
    with Image.open(path) as opened:
        values = np.asarray(opened if opened.mode in SIXTEEN_BIT else opened.convert(mode_of(opened)))
    told = {
        "PhotometricInterpretation": "MONOCHROME2" if values.ndim == 2 else "RGB",
        "BitsStored": 8 * values.itemsize,
    }
    return displayed(values.astype(np.int32), told)


def mode_of(picture: Image.Image) -> str:
    """Grey stays grey; everything else is colour."""
    return "L" if picture.mode in ("1", "L", "LA") else "RGB"


def frames_of(image: Any, told: Mapping[str, Any]) -> list[Shown]:  # noqa: ANN401  pydicom's data set
    """Frames of one DICOM image."""
    values = np.asarray(image.pixel_array)
    single = values.ndim == (2 if int(image.get("SamplesPerPixel", 1)) == 1 else 3)
    return [displayed(one.astype(np.int32), told) for one in (values[None] if single else values)]


def attributes_of(image: Any) -> dict[str, Any]:  # noqa: ANN401  pydicom's data set
    """Plain values of the tags that say how pixels are shown and where slices lie."""
    told: dict[str, Any] = {key: float(image[key].value) for key in NUMBERS if has(image, key)}
    told |= {key: numbers_in(image[key].value) for key in LISTS if has(image, key)}
    told |= {key: str(image[key].value) for key in WORDS if has(image, key)}
    told["InstanceNumber"] = int(told.get("InstanceNumber", 0))
    if told["PhotometricInterpretation"].startswith("YBR"):
        told["PhotometricInterpretation"] = "RGB"  # pydicom has decoded it
    return told


def has(image: Any, key: str) -> bool:  # noqa: ANN401  pydicom's data set
    """Whether an image tells a value for a keyword."""
    return key in image and image[key].value not in (None, "")


def numbers_in(value: Any) -> list[float]:  # noqa: ANN401  one number or several
    """Read one number or several as a list."""
    return [float(value)] if isinstance(value, int | float | str) else [float(one) for one in value]
