"""The door as tests use it."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Facts, Order, Verdict

KEY = "5f" * 32


@dataclass(frozen=True)
class Answer:
    """What came back for one file."""

    verdict: Verdict
    stored: bytes
    picture: bytes

    @property
    def facts(self) -> Facts:
        assert self.verdict.facts is not None, self.verdict
        return self.verdict.facts

    def frame(self, n: int, dtype: Any) -> np.ndarray:
        """Frame n (from 1), read by offset alone, as viewer and worker read it."""
        facts = self.facts
        start = facts.pixel_offset + (n - 1) * facts.frame_bytes
        flat = np.frombuffer(self.stored[start : start + facts.frame_bytes], dtype)
        rows, columns = facts.attributes["Rows"], facts.attributes["Columns"]
        return flat.reshape((rows, columns, 3) if flat.size == rows * columns * 3 else (rows, columns))


Judge = Callable[..., Answer]


def in_memory(content: bytes) -> BinaryIO:
    """Put bytes into a real file without a name."""
    stream = cast("BinaryIO", os.fdopen(os.memfd_create("source"), "w+b", buffering=0))
    stream.write(content)
    stream.seek(0)
    return stream


@pytest.fixture(scope="session")
def door() -> Iterator[Sandbox]:
    """One fork server for the whole session."""
    with Sandbox(1) as opened:
        yield opened


@pytest.fixture
def judge(door: Sandbox) -> Judge:
    """Judge one file's bytes."""

    def judged(content: bytes, *, key: str = KEY, **order: Any) -> Answer:
        order.setdefault("source_digest", "ab" * 32)
        with in_memory(content) as source, door.judge([(Order(key=key, **order), source)]) as [admission]:
            return Answer(admission.verdict, admission.stored.read(), admission.picture.read())

    return judged


def file_of(answer: Answer) -> io.BytesIO:
    """The stored file, to be read by pydicom."""
    return io.BytesIO(answer.stored)
