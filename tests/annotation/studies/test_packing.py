"""A packed file gives the bytes of the file that it stands for, wherever they are asked for."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.studies.packing import (
    HEAD,
    Index,
    PackedFileBrokenError,
    Raster,
    Read,
    pack,
    raster_of,
    unpacked,
)

RASTERS = st.builds(
    Raster,
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    samples=st.sampled_from([1, 3]),
    bits=st.sampled_from([8, 16]),
    is_signed=st.booleans(),
)


def a_file(raster: Raster, *, head: int, frames: int, seed: int, odd: bool) -> bytes:
    """Bytes of a header, noise as pixels, and a padding byte or none."""
    length = head + frames * raster.frame_bytes
    return np.random.default_rng(seed).bytes(length) + (b"\0" if odd else b"")


def packed(content: bytes, raster: Raster, *, head: int, frames: int) -> bytes:
    """Pack it."""
    target = io.BytesIO()
    pack(io.BytesIO(content), raster, head=head, frames=frames, target=target)
    return target.getvalue()


def reading(whole: bytes) -> Read:
    """Read parts of bytes."""
    return lambda offset, length: whole[offset : offset + length]


@given(
    raster=RASTERS,
    head=st.integers(0, 300),
    frames=st.integers(1, 4),
    seed=st.integers(0, 9),
    odd=st.booleans(),
    data=st.data(),
)
def test_any_part_of_it_comes_back(
    raster: Raster, head: int, frames: int, seed: int, odd: bool, data: st.DataObject
) -> None:
    content = a_file(raster, head=head, frames=frames, seed=seed, odd=odd)
    whole = packed(content, raster, head=head, frames=frames)
    index = Index.read(reading(whole))
    assert (index.length, index.frames, index.raster) == (len(content), frames, raster)
    begin = data.draw(st.integers(0, len(content) + 3))
    length = data.draw(st.integers(0, len(content) + 3))
    read = reading(whole)
    found = index.bytes_of(read, lambda number: index.frame(read, number), begin, length)
    assert found == content[begin : begin + length]


def test_only_the_frames_that_are_asked_for_are_read() -> None:
    raster = Raster(64, 64, 1, 16, is_signed=True)
    content = a_file(raster, head=100, frames=20, seed=1, odd=False)
    whole = packed(content, raster, head=100, frames=20)
    index = Index.read(reading(whole))
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return whole[offset : offset + length]

    offset = 100 + 7 * raster.frame_bytes
    index.bytes_of(read, lambda number: index.frame(read, number), offset, raster.frame_bytes)
    assert asked == [(index.starts[7], index.starts[8] - index.starts[7])]


def test_smooth_images_become_smaller_and_noise_is_said_to_save_nothing() -> None:
    raster = Raster(128, 128, 1, 16, is_signed=True)
    y, x = np.mgrid[:128, :128]
    smooth = (x * 8 - y * 5 - 200).astype("<i2").tobytes()
    assert pack(io.BytesIO(smooth), raster, head=0, frames=1, target=io.BytesIO())
    noise = a_file(raster, head=0, frames=1, seed=2, odd=False)
    assert not pack(io.BytesIO(noise), raster, head=0, frames=1, target=io.BytesIO())


def test_a_file_that_is_too_short_is_refused() -> None:
    raster = Raster(8, 8, 1, 8, is_signed=False)
    with pytest.raises(PackedFileBrokenError, match="shorter"):
        pack(io.BytesIO(bytes(63)), raster, head=0, frames=1, target=io.BytesIO())


def test_a_frame_that_does_not_come_back_as_it_was_leaves_its_file_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import imagecodecs

    raster = Raster(16, 16, 1, 16, is_signed=False)
    encode = imagecodecs.htj2k_encode
    monkeypatch.setattr(imagecodecs, "htj2k_encode", lambda plane, **told: encode(plane | 1, **told))
    assert not pack(io.BytesIO(bytes(512)), raster, head=0, frames=1, target=io.BytesIO())


def test_a_damaged_file_is_named_so() -> None:
    raster = Raster(16, 16, 1, 16, is_signed=False)
    whole = packed(bytes(512), raster, head=0, frames=1)
    for broken in (b"", b"DICM" * 20, whole[: HEAD.size + 4]):
        with pytest.raises(PackedFileBrokenError):
            Index.read(reading(broken))
    with pytest.raises(PackedFileBrokenError, match="decoded"):
        unpacked(b"no codestream", raster)
    with pytest.raises(PackedFileBrokenError, match="size"):
        unpacked(whole[-(len(whole) - HEAD.size - 16) :], Raster(8, 8, 1, 16, is_signed=False))


@pytest.mark.parametrize(
    "changed", [{"BitsAllocated": 32}, {"BitsAllocated": 1}, {"BitsStored": None}, {"Rows": 3}]
)
def test_what_is_not_packed_is_kept_as_it_is(changed: dict[str, int | None]) -> None:
    attributes = {"Rows": 4, "Columns": 5, "BitsAllocated": 16, "BitsStored": 12, "PixelRepresentation": 1}
    assert raster_of(attributes, 40) == Raster(4, 5, 1, 16, is_signed=True)
    told = {key: value for key, value in (attributes | changed).items() if value is not None}
    assert raster_of(told, 40) is None
