"""A share of the mutated files: each is stored or refused with its reason; children die, and they alone."""

from collections import Counter
from pathlib import Path

import pytest

from annotation.studies.door.formats import TRANSFER_SYNTAXES
from annotation.studies.door.limits import BATCH_FILES
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Order
from tests.annotation.studies.conftest import KEY, in_memory
from tests.mutations import mutated, sources

SHARE, PARTS = 2_000, 8
# High-throughput JPEG 2000 but for its lossless form: no conformant file of them is at hand.
NO_SOURCE = {"1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"}
ORDER = Order(key=KEY, source_digest="cd" * 32, pictures_cleared=True)


def judged(door: Sandbox, real_data: Path, numbers: range) -> list[tuple[str, str]]:
    """Outcome and reason of the files of some numbers."""
    answers: list[tuple[str, str]] = []
    for start in range(numbers.start, numbers.stop, BATCH_FILES):
        batch = range(start, min(start + BATCH_FILES, numbers.stop))
        streams = [in_memory(mutated(real_data, number)[1]) for number in batch]
        with door.judge([(ORDER, stream) for stream in streams]) as admissions:
            answers += [(one.verdict.outcome, one.verdict.reason) for one in admissions]
        for stream in streams:
            stream.close()
    return answers


def test_every_transfer_syntax_that_is_decoded_is_mutated(real_data: Path) -> None:
    assert {source.syntax for source in sources(real_data)} >= TRANSFER_SYNTAXES - NO_SOURCE


def test_a_number_names_a_file_for_ever(real_data: Path) -> None:
    assert mutated(real_data, 7) == mutated(real_data, 7)
    assert len({mutated(real_data, number)[1] for number in range(60)}) == 60


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_files_cost_a_child_at_most(door: Sandbox, real_data: Path, part: int) -> None:
    numbers = range(part * SHARE // PARTS, (part + 1) * SHARE // PARTS)
    before = door.server_ids
    answers = judged(door, real_data, numbers)
    assert len(answers) == len(numbers)
    assert all(reason or outcome == "admitted" for outcome, reason in answers), Counter(answers)
    assert door.server_ids == before or not before, "the fork server lives on"
