"""Streams that are sealed: given back as they were, or refused."""

import io
import os
from typing import Any

import pytest

from accounts.sealing import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    TAG_BYTES,
    Seal,
    SealBrokenError,
    StreamSeal,
    unsealed_length,
)

SEAL = StreamSeal(b"tests")
SEALED_SEGMENT = SEGMENT_BYTES + TAG_BYTES
SECRET, OTHER_SECRET = "s" * 50, "o" * 50
LENGTHS = (
    0,
    1,
    SEGMENT_BYTES - 1,
    SEGMENT_BYTES,
    SEGMENT_BYTES + 1,
    3 * SEGMENT_BYTES,
    3 * SEGMENT_BYTES + 7,
)


class InPieces(io.BytesIO):
    """A stream that gives less than is asked for, as one from the network does."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 300_001))


def sealed(content: bytes, seal: StreamSeal = SEAL) -> bytes:
    target = io.BytesIO()
    assert seal.seal(InPieces(content), target) == len(target.getvalue())
    return target.getvalue()


def opened(content: bytes, seal: StreamSeal = SEAL) -> bytes:
    return b"".join(seal.unsealed(InPieces(content)))


def pattern(length: int) -> bytes:
    """Bytes in which no two segments are alike."""
    return b"".join(number.to_bytes(4, "big") for number in range(length // 4 + 1))[:length]


@pytest.mark.parametrize("length", LENGTHS)
def test_what_was_sealed_is_given_back(length: int) -> None:
    content = pattern(length)
    closed = sealed(content)
    assert opened(closed) == content
    assert unsealed_length(len(closed)) == length
    assert length < 64 or content[:64] not in closed


def test_the_same_content_is_sealed_differently_each_time() -> None:
    assert sealed(b"content") != sealed(b"content")


@pytest.mark.parametrize("place", [0, 9, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + SEALED_SEGMENT, -1])
def test_a_changed_byte_is_refused(place: int) -> None:
    closed = bytearray(sealed(pattern(2 * SEGMENT_BYTES + 5)))
    closed[place] ^= 1
    with pytest.raises(SealBrokenError):
        opened(bytes(closed))


@pytest.mark.parametrize(
    "left",
    [0, 5, HEADER_BYTES, HEADER_BYTES + 3, HEADER_BYTES + SEALED_SEGMENT, HEADER_BYTES + 2 * SEALED_SEGMENT],
)
def test_a_cut_tail_is_refused(left: int) -> None:
    closed = sealed(pattern(2 * SEGMENT_BYTES + 5))
    with pytest.raises(SealBrokenError):
        opened(closed[:left])


def test_something_added_at_the_end_is_refused() -> None:
    with pytest.raises(SealBrokenError):
        opened(sealed(pattern(SEGMENT_BYTES)) + b"x")


def parts(closed: bytes) -> tuple[bytes, list[bytes]]:
    body = closed[HEADER_BYTES:]
    return closed[:HEADER_BYTES], [
        body[at : at + SEALED_SEGMENT] for at in range(0, len(body), SEALED_SEGMENT)
    ]


def test_swapped_and_foreign_segments_are_refused() -> None:
    header, (first, second, third) = parts(sealed(pattern(3 * SEGMENT_BYTES)))
    _, (foreign, *_) = parts(sealed(pattern(3 * SEGMENT_BYTES)))
    for order in ((second, first, third), (first, third, second), (first, third), (foreign, second, third)):
        with pytest.raises(SealBrokenError):
            opened(header + b"".join(order))


def test_another_installation_s_or_purpose_s_seal_is_refused(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET, []
    closed = sealed(b"content")
    with pytest.raises(SealBrokenError):
        opened(closed, StreamSeal(b"something else"))
    settings.SECRET_KEY = OTHER_SECRET
    with pytest.raises(SealBrokenError):
        opened(closed)


def test_an_older_secret_opens_what_it_sealed(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = SECRET, []
    closed, text = sealed(pattern(SEGMENT_BYTES + 3)), Seal(b"texts").seal("secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_SECRET, [os.urandom(20).hex(), SECRET]
    assert opened(closed) == pattern(SEGMENT_BYTES + 3)
    assert Seal(b"texts").unsealed(text) == "secret"


def test_the_first_segment_is_checked_before_anything_is_given() -> None:
    closed = bytearray(sealed(b"content"))
    closed[-1] ^= 1
    with pytest.raises(SealBrokenError):
        SEAL.unsealed(io.BytesIO(bytes(closed)))
