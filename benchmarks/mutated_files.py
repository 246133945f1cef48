"""Damaged files through the door: nothing but throw-away children dies, and each file has its reason.

    python -m benchmarks.mutated_files [--files 20000] [--first 0] [--seed 20261122] [--json]

The files are those of tests/mutations.py: by structure, in every transfer syntax that there is a conformant
file of under FOVEA_DATA/dicom_valid. A number and the seed name a file, so that what is reported can be made
again. Nothing is stored: the door alone is asked, through its real fork servers.
"""

import argparse
import json
import os
import resource
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import BinaryIO, cast

from annotation.studies.door.limits import BATCH_FILES
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Order
from tests.mutations import SEED, mutated
from tests.real import real_images

PROCESSES = 2
ORDER = Order(key="5f" * 32, source_digest="cd" * 32, pictures_cleared=True)
# What a child's own death, or its limits, read like among the reasons.
DEATHS = ("the decoder crashed", "reading took", "reading needs more memory", "reading failed: damaged file")


@dataclass
class Figures:
    """What became of the files.

    died:      numbers of files whose child died or reached a limit, with the reason that was given.
    unreasoned: numbers of files that were neither stored nor refused with a reason.
    replaced:  fork servers that had to be started again; 0 = nothing but children died.
    """

    files: int
    seed: int
    seconds: float = 0.0
    cpu_ms_a_file: float = 0.0
    replaced: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    died: dict[int, str] = field(default_factory=dict)
    unreasoned: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What the door said of one damaged file."""

    number: int
    source: str
    outcome: str
    reason: str


def main() -> None:
    """Judge the files, and print what became of them."""
    options = arguments()
    figures = measured(options.first, options.files, options.seed)
    if options.json:
        print(json.dumps(asdict(figures), indent=1))
        return
    print(
        f"{figures.files} files in {figures.seconds:.0f} s, {figures.cpu_ms_a_file:.1f} ms of processor each"
    )
    print(f"outcomes {figures.outcomes}; fork servers replaced: {figures.replaced}")
    print(
        f"without a reason: {figures.unreasoned}; children that died or reached a limit: {len(figures.died)}"
    )
    for reason, number in Counter(figures.died.values()).most_common():
        print(f"  {number:6} {reason}")
    for name, outcomes in sorted(figures.by_source.items()):
        print(f"  {name}: {outcomes}")


def measured(first: int, files: int, seed: int) -> Figures:
    """Judge the files of some numbers, a batch a child."""
    figures = Figures(files, seed)
    began, used = time.monotonic(), processor_seconds()
    with Sandbox(PROCESSES) as door:
        servers = {number for _ in range(PROCESSES) for number in started(door)}
        for answer in answers(door, first, files, seed):
            count(figures, answer)
        figures.replaced = len(set(door.server_ids) - servers)
    figures.seconds = time.monotonic() - began
    figures.seconds = time.monotonic() - began
    figures.cpu_ms_a_file = 1000 * (processor_seconds() - used) / files
    return figures


def started(door: Sandbox) -> list[int]:
    """Start a fork server by a first file, and tell which there are."""
    judged(door, range(1), SEED)
    return door.server_ids


def answers(door: Sandbox, first: int, files: int, seed: int) -> Iterator[Answer]:
    """Have batch after batch judged, as many at once as there are fork servers."""
    starts = range(first, first + files, BATCH_FILES)
    batches = [range(start, min(start + BATCH_FILES, first + files)) for start in starts]
    with ThreadPoolExecutor(PROCESSES) as threads:
        for found in threads.map(lambda batch: judged(door, batch, seed), batches):
            yield from found


def judged(door: Sandbox, numbers: range, seed: int) -> list[Answer]:
    """Have one batch judged."""
    real = real_images()
    made = [mutated(real, number, seed) for number in numbers]
    streams = [in_memory(content) for _, content in made]
    try:
        with door.judge([(ORDER, stream) for stream in streams]) as admissions:
            verdicts = [one.verdict for one in admissions]
    finally:
        for stream in streams:
            stream.close()
    return [
        Answer(number, source.syntax, verdict.outcome, verdict.reason)
        for number, (source, _), verdict in zip(numbers, made, verdicts, strict=True)
    ]


def count(figures: Figures, answer: Answer) -> None:
    """Add one answer to the figures."""
    add(figures.outcomes, answer.outcome)
    add(figures.by_source.setdefault(answer.source, {}), answer.outcome)
    if answer.reason:
        add(figures.reasons, answer.reason)
    elif answer.outcome != "admitted":
        figures.unreasoned.append(answer.number)
    if answer.reason.startswith(DEATHS):
        figures.died[answer.number] = answer.reason


def add(counts: dict[str, int], name: str) -> None:
    """Count one more."""
    counts[name] = counts.get(name, 0) + 1


def in_memory(content: bytes) -> BinaryIO:
    """Put bytes into a real file without a name."""
    stream = cast("BinaryIO", os.fdopen(os.memfd_create("source"), "w+b", buffering=0))
    stream.write(content)
    stream.seek(0)
    return stream


def processor_seconds() -> float:
    """Processor time of this process and of those of its children that have ended."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
