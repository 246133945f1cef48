"""A case's readings fused by the method that its project has chosen, with what is left of doubt. Pure."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from annotation.projects.masks import Mask
from annotation.projects.questions import Number, OneOf, Question, Regions, Segmentation, SomeOf
from annotation.projects.regions import Region
from annotation.readings.agreement.drawn import Edges
from annotation.readings.fusion.boxes import FusedBox, fuse_boxes
from annotation.readings.fusion.choices import Floats, Fused, of_one_case
from annotation.readings.fusion.runs import fused_mask
from annotation.readings.rules import NOTHING, TIED, Answers, fuse

MAJORITY, MEDIAN = "majority", "median"
NAMESPACE: Final = uuid.UUID("6f0f2a0e-5f6b-5c55-8e52-0c4f6b5d1f37")
# A box that fewer of the readers drew is left out of the reference standard, and kept with its share.
FEWEST_DREW = 0.5
CLOSE = 1e-9


@dataclass(frozen=True)
class Said:
    """What one reader or source stated; author: who, by id.

    asked: kinds of the questions that were put, by key. A source says nothing by not drawing, and so does a
           reader who was not asked to, or asked in another form.
    """

    author: str
    answers: Answers
    asked: Mapping[str, str]
    is_reader: bool = True

    def drew_nothing(self, question: Question) -> bool:
        """Whether leaving it empty says that there is nothing to draw."""
        return self.is_reader and self.asked.get(question.key) == question.kind


@dataclass(frozen=True)
class Skills:
    """How readers confuse the choices of a question: matrices by author, (true choice, choice made)."""

    classes: Sequence[str]
    priors: Sequence[float]
    matrices: Mapping[str, Sequence[Sequence[float]]]

    def likely(self, said: Mapping[str, str]) -> Floats:
        """How likely each choice is; who is not known yet is thought as good as the others are on average."""
        known = np.array([*self.matrices.values()])
        rows = np.array([self.matrices.get(author, known.mean(axis=0)) for author in said])
        choices = [self.classes.index(choice) for choice in said.values()]
        fused = Fused(np.zeros((0, len(self.classes))), rows, np.array(self.priors), 0)
        return of_one_case(dict(enumerate(choices)), fused)


@dataclass(frozen=True)
class How:
    """What a project has chosen. drawings: masks and boxes of several readers are fused too.

    skills: by question key, or "key:choice" where several choices may be made; none: majority.
    """

    method: str = MAJORITY
    drawings: bool = False
    skills: Mapping[str, Skills] = field(default_factory=dict)


@dataclass(frozen=True)
class Standard:
    """What readings were fused into. uncertainty: by question, where there were several readings."""

    answers: dict[str, Any]
    uncertainty: dict[str, Any]


def standard_of(questions: Sequence[Question], said: Sequence[Said], how: How) -> Standard | None:
    """Fuse a case's readings; None where they tie on a required question, or say nothing."""
    fusing = _Fusing(said, how)
    answers = fuse(questions, [one.answers for one in said], by=fusing if len(said) > 1 else None)
    if answers is None:
        return None
    return Standard(answers, {key: one for key, one in fusing.doubts.items() if key in answers})


class _Fusing:
    """Fuses one question after another, and keeps what is left of doubt."""

    def __init__(self, said: Sequence[Said], how: How) -> None:
        self.said, self.how = said, how
        self.doubts: dict[str, Any] = {}

    def __call__(self, question: Question, given: Mapping[int, Any]) -> Any:  # noqa: ANN401 - JSON, or a mark
        if question.scope == "image":
            return None
        match question:
            case OneOf():
                return self._one(question, given)
            case SomeOf():
                return self._some(question, given)
            case Number() if len(given) > 1:
                self.doubts[question.key] = {
                    "method": MEDIAN,
                    "spread": [min(given.values()), max(given.values())],
                }
            case Segmentation() if self.how.drawings:
                return self._mask(question, given)
            case Regions(kind="box") if self.how.drawings:
                return self._boxes(question, given)
        return None

    def _skills(self, key: str, said: Mapping[int, str]) -> Skills | None:
        found = self.how.skills.get(key) if self.how.method != MAJORITY else None
        return found if found and found.matrices and set(said.values()) <= set(found.classes) else None

    def _likely(self, skills: Skills, said: Mapping[int, str]) -> dict[str, float]:
        likely = skills.likely({self.said[place].author: choice for place, choice in said.items()})
        return dict(zip(skills.classes, likely.tolist(), strict=True))

    def _one(self, question: OneOf, given: Mapping[int, str]) -> Any:  # noqa: ANN401 - JSON, or a mark
        if len(given) < 2:
            return None
        skills = self._skills(question.key, given)
        if skills is None:
            shares = {choice: count / len(given) for choice, count in Counter(given.values()).items()}
            self.doubts[question.key] = {"method": MAJORITY, "distribution": shares}
            return None
        likely = self._likely(skills, given)
        self.doubts[question.key] = {"method": self.how.method, "distribution": likely}
        first, second = sorted(likely.values(), reverse=True)[:2]
        return TIED if first - second < CLOSE else max(likely, key=lambda one: likely[one])

    def _some(self, question: SomeOf, given: Mapping[int, list[str]]) -> Any:  # noqa: ANN401 - JSON, or a mark
        if len(given) < 2:
            return None
        shares, by_skill = {}, True
        for value in (choice.value for choice in question.choices):
            made = {place: str(value in chosen) for place, chosen in given.items()}
            skills = self._skills(f"{question.key}:{value}", made)
            by_skill = by_skill and skills is not None
            votes = sum(value in chosen for chosen in given.values()) / len(given)
            shares[value] = self._likely(skills, made)["True"] if skills else votes
        method = self.how.method if by_skill else MAJORITY
        self.doubts[question.key] = {"method": method, "shares": shares}
        if not by_skill:
            return None
        chosen = [value for value, share in shares.items() if share > FEWEST_DREW]
        is_tied = any(abs(share - FEWEST_DREW) < CLOSE for share in shares.values())
        return TIED if is_tied or (question.required and not chosen) else chosen

    def _asked(self, question: Question, given: Mapping[int, Any]) -> list[int]:
        """Name whose drawing counts: readers who were asked, drawn or not, and sources that drew."""
        return [place for place, one in enumerate(self.said) if place in given or one.drew_nothing(question)]

    def _mask(self, question: Segmentation, given: Mapping[int, Any]) -> Any:  # noqa: ANN401 - JSON, or a mark
        asked = self._asked(question, given)
        if len(asked) < 2 or not given:
            return None
        masks = [Mask.model_validate(given[place]) if place in given else None for place in asked]
        found = fused_mask(masks, [one.value for one in question.classes])
        if found is None or not found.answer["classes"]:
            return NOTHING if found is None or not question.required else TIED
        self.doubts[question.key] = {"method": "staple", "levels": found.levels}
        return found.answer

    def _boxes(self, question: Regions, given: Mapping[int, Any]) -> Any:  # noqa: ANN401 - JSON, or a mark
        asked = self._asked(question, given)
        if len(asked) < 2 or not given:
            return None
        drawn = [[Region.model_validate(one) for one in given.get(place, [])] for place in asked]
        boxes = fuse_boxes([[(_place(one), _edges(one)) for one in regions] for regions in drawn])
        fused = [(box, _region(box, drawn)) for box in boxes]
        kept = [region for box, region in fused if box.share >= FEWEST_DREW]
        self.doubts[question.key] = {
            "method": "weighted_boxes",
            "shares": {region["id"]: box.share for box, region in fused},
            "spread_pixels": {region["id"]: box.spread for box, region in fused},
            "left_out": [region for box, region in fused if box.share < FEWEST_DREW],
        }
        return kept or (TIED if question.required else NOTHING)


def _place(region: Region) -> tuple[str, int, str]:
    return region.image, region.frame, region.label


def _edges(region: Region) -> Edges:
    across, down = zip(*region.points, strict=True)
    return min(across), min(down), max(across), max(down)


def _region(box: FusedBox, drawn: Sequence[Sequence[Region]]) -> dict[str, Any]:
    """Write a fused box as an answer has it; attributes that all who drew it gave alike."""
    parts = [drawn[reader][number] for reader, number in sorted(box.parts.items())]
    left, top, right, bottom = box.edges
    shared = {
        key: value
        for key, value in parts[0].attributes.items()
        if all(one.attributes.get(key) == value for one in parts)
    }
    made = Region(
        id=str(uuid.uuid5(NAMESPACE, "+".join(sorted(one.id for one in parts)))),
        label=parts[0].label,
        image=parts[0].image,
        frame=parts[0].frame,
        points=[[left, top], [right, bottom]],
        attributes=shared,
    )
    return made.model_dump(mode="json")
