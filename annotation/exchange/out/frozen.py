"""A snapshot read back: cases as exports need them, without the database."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any

from django.core.files.storage import default_storage
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.exchange.out.rules import case_name, part_of
from annotation.learning.models import Snapshot
from annotation.projects.models import Case
from annotation.projects.questions import Question, Regions, Segmentation, questions_of
from annotation.readings.measuring import Stack
from annotation.studies import files
from annotation.studies.frames import attributes_of_frame
from annotation.studies.pictures import Picture

Answers = Mapping[str, Any]
Progress = Callable[[float, str], None]
HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Said:
    """Answers to a version of the protocol: a reader's revision, or a reference standard (no reader)."""

    reader: str
    protocol: int
    questions: list[Question]
    answers: Answers
    measurements: Mapping[str, Any]
    at: datetime | None = None


@dataclass(frozen=True)
class FrozenCase:
    """One line of a snapshot."""

    line: Mapping[str, Any]
    protocols: Mapping[int, list[Question]]

    @property
    def number(self) -> int:
        """Its number in the project."""
        return int(self.line["number"])

    @property
    def name(self) -> str:
        """What its files are called."""
        return case_name(self.number)

    @property
    def part(self) -> str:
        """Whether it is for training, validation or the test."""
        return part_of(self.line["split"], self.line["stream"])

    @cached_property
    def pictures(self) -> list[Picture]:
        """Its frames in reading order."""
        return [
            picture_of(self.line, one, frame)
            for one in self.line["instances"]
            for frame in range(1, one["frames"] + 1)
        ]

    @cached_property
    def stack(self) -> Stack:
        """Its frames as answers name them."""
        return Stack(self.pictures)

    @cached_property
    def instances(self) -> dict[str, Mapping[str, Any]]:
        """Its stored instances by SOP Instance UID."""
        return {one["sop_instance_uid"]: one for one in self.line["instances"]}

    def newest(self) -> list[Said]:
        """Give what each reader said last."""
        return [self.said(one["reader"], one["revisions"][-1]) for one in self.line["readings"]]

    def said(self, reader: str, revision: Mapping[str, Any]) -> Said:
        """Give one revision."""
        version = revision["protocol"]
        return Said(
            reader,
            version,
            self.protocols[version],
            revision["answers"],
            revision["measurements"],
            datetime.fromisoformat(revision["at"]),
        )

    def reference(self) -> Said | None:
        """Give what the readings were fused into; None where they were not."""
        if not self.line["reference"]:
            return None
        version = max(one.protocol for one in self.newest()) if self.line["readings"] else max(self.protocols)
        answers = self.line["reference"]["answers"]
        return Said("", version, self.protocols[version], answers, {})

    def header(self, sop_instance_uid: str) -> Dataset:
        """Read a stored instance's header, without its pixels."""
        one = self.instances[sop_instance_uid]
        name = files.instance_name(one["digest"])
        head = files.read_span(name, 0, one["pixel_offset"])
        return dcmread(BytesIO(head), stop_before_pixels=True, force=True)


def picture_of(line: Mapping[str, Any], one: Mapping[str, Any], frame: int) -> Picture:
    """Give one frame of a frozen instance."""
    attributes = attributes_of_frame({**line["attributes"], **one["attributes"]}, frame)
    span = files.frame_span(one["digest"], one["pixel_offset"], one["frame_bytes"], frame)
    return Picture(one["sop_instance_uid"], frame, attributes, span)


class Frozen:
    """A snapshot's file: its head, and its cases one after the other."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.head: Mapping[str, Any] = next(self.lines())
        protocols: list[Mapping[str, Any]] = self.head["protocols"]
        self.protocols = {one["version"]: questions_of(one["questions"]) for one in protocols}
        there = Case.objects.filter(project=snapshot.project_id).values_list("pk", flat=True)
        self.there = frozenset(str(pk) for pk in there)  # what was deleted since is in no export

    @property
    def digest(self) -> str:
        """Name of its content."""
        return self.snapshot.digest

    @property
    def count(self) -> int:
        """How many cases it holds."""
        return int(self.snapshot.card["cases"])

    @property
    def questions(self) -> list[Question]:
        """What is asked by the newest version that it knows."""
        return self.protocols[max(self.protocols)]

    def drawn_questions(self, closed: Collection[str]) -> dict[str, bool]:
        """Name every question that was ever drawn to, the newest first: whether it encloses pixels."""
        found: dict[str, bool] = {}
        for version in sorted(self.protocols, reverse=True):
            for one in self.protocols[version]:
                if isinstance(one, Regions | Segmentation):
                    found.setdefault(one.key, isinstance(one, Segmentation) or one.kind in closed)
        return found

    def classes_of(self, key: str) -> list[str]:
        """List a drawn question's labels, the newest version's first: what numbers them for good."""
        found: dict[str, None] = {}
        for version in sorted(self.protocols, reverse=True):
            for one in self.protocols[version]:
                if one.key == key and isinstance(one, Regions | Segmentation):
                    labels = one.classes if isinstance(one, Segmentation) else one.labels
                    found |= dict.fromkeys(label.value for label in labels)
        return list(found)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Read line after line."""
        with default_storage.open(self.snapshot.file_name, "rb") as stored:
            for line in stored:
                yield json.loads(line)

    def cases(self) -> Iterator[FrozenCase]:
        """Give the cases by number."""
        for line in self.lines():
            if line["kind"] == "case" and line["case"] in self.there:
                yield FrozenCase(line, self.protocols)

    def walked(self, progress: Progress) -> Iterator[FrozenCase]:
        """Give the cases by number, and tell how far it is."""
        for place, case in enumerate(self.cases()):
            progress(place / max(self.count, 1), f"Case {case.number}")
            yield case
