"""What HTJ2K would save and cost where frames are stored uncompressed: share of the bytes, ms each way.

    python -m benchmarks.stored_frames [--data FOLDER]

The slices of chest_ct (16 bit) and pictures of chest_xray (8 bit), each encoded without loss by OpenJPH and
decoded again, and compared voxel by voxel; beside them the time that reading the same bytes takes.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

MOST = 100


def main() -> None:
    """Measure both sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FOVEA_DATA", "../shared/data")))
    data: Path = parser.parse_args().data
    for name, planes in (
        ("chest_ct", slices(data / "chest_ct")),
        ("chest_xray", pictures(data / "chest_xray")),
    ):
        print(f"{name:12} {measured(planes)}")


def slices(folder: Path) -> Iterator[NDArray[Any]]:
    """Read CT slices; signed voxels are moved up, as the codec takes none."""
    for path in sorted(folder.rglob("*.dcm"))[:MOST]:
        plane = dcmread(path).pixel_array
        yield (plane.astype(np.int32) + 32768).astype(np.uint16) if plane.dtype == np.int16 else plane


def pictures(folder: Path) -> Iterator[NDArray[Any]]:
    """Read pictures in grey."""
    from PIL import Image

    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".png", ".jpg", ".jpeg"})[:MOST]:
        yield np.asarray(Image.open(path).convert("L"))


def measured(planes: Iterator[NDArray[Any]]) -> str:
    """Encode, decode, compare."""
    import imagecodecs  # type: ignore[import-not-found, unused-ignore]

    raw, packed = 0, 0
    encoding: list[float] = []
    decoding: list[float] = []
    for plane in planes:
        whole = np.ascontiguousarray(plane)
        code = timed(imagecodecs.htj2k_encode, whole, encoding)
        back = timed(imagecodecs.htj2k_decode, code, decoding)
        if not np.array_equal(back, whole):
            raise AssertionError("HTJ2K gave other voxels back")
        raw, packed = raw + whole.nbytes, packed + len(code)
    encoded, decoded = (1000 * statistics.median(times) for times in (encoding, decoding))
    size = f"{len(encoding)} frames, {raw / len(encoding) / 1024:.0f} KiB each"
    return f"{size}: {packed / raw:.2f} of the bytes, {encoded:.1f} ms to encode, {decoded:.1f} to decode"


def timed(act: Callable[[Any], Any], given: Any, times: list[float]) -> Any:  # noqa: ANN401 - whatever the codec takes and gives
    """Note how long an act takes; gives what it gives."""
    begun = time.perf_counter()
    found = act(given)
    times.append(time.perf_counter() - begun)
    return found


if __name__ == "__main__":
    main()
