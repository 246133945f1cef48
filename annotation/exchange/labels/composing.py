"""What a file says of one case, composed into answers to the protocol; every problem with its place. Pure."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from annotation.exchange.labels.geometry import (
    Bits,
    ShapeError,
    kinds_for,
    pixels_of,
    place_of_contour,
    place_of_plane,
    regions_of,
    volume_on,
)
from annotation.exchange.labels.naming import MappingError, Names, UnusedError
from annotation.exchange.labels.statements import Statement, Target
from annotation.exchange.out.contours import filled
from annotation.exchange.placement import on_frame
from annotation.projects.masks import written
from annotation.projects.questions import Question, Regions, Segmentation, SomeOf, Text
from annotation.readings.measuring import Stack

NAMESPACE: Final = uuid.UUID("2f3d3e0a-55c2-5bb6-9a7e-7b5a0d3c8f41")


@dataclass(frozen=True)
class About:
    """A statement, and the image of the case that it is about; "" where it is the whole case."""

    statement: Statement
    image: str


@dataclass
class Composed:
    """Answers, and what is wrong with what was said: the place in the file and what to do."""

    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    unused: int = 0


class Composer:
    """Composes the answers of one case, statement by statement."""

    def __init__(self, names: Names, stack: Callable[[], Stack], uid: Callable[[str], str]) -> None:
        self._names, self._stack_of, self._uid = names, stack, uid
        self._loaded: Stack | None = None
        self._said: dict[str, str] = {}
        self._masks: dict[str, dict[str, dict[int, Bits]]] = {}
        self._boxes: list[tuple[str, str, str]] = []
        self._contours: dict[tuple[str, str, int], list[Any]] = {}
        self.found = Composed()

    @property
    def stack(self) -> Stack:
        """The case's frames, loaded when something is drawn."""
        if self._loaded is None:
            self._loaded = self._stack_of()
        return self._loaded

    def composed(self, statements: Sequence[About]) -> Composed:
        """Take all statements in."""
        for about in statements:
            try:
                self._take(about)
            except UnusedError:
                self.found.unused += 1
            except (MappingError, ShapeError) as error:
                self.found.problems.append((about.statement.where, str(error)))
        self._fill_contours()
        self._write_masks()
        return self.found

    def _take(self, about: About) -> None:
        match about.statement.kind:
            case "cell":
                self._cell(about)
            case "answer":
                self._own_answer(about.statement)
            case "shape":
                self._shape(about)
            case "contour":
                self._contour(about)
            case "volume":
                self._volume(about.statement)
            case "problem":
                raise ShapeError(str(about.statement.value.get("text", "")))

    def _cell(self, about: About) -> None:
        one = about.statement
        question, ticked = self._names.column(one.questions)
        texts = [*one.labels] or [str(one.value["text"])]
        answer = self._names.answer(one.questions, question, ticked, texts)
        if answer is None:
            self.found.unused += 1
        elif question.scope == "image":
            self._by_image(question, about, answer)
        else:
            self._keep(question, answer, one.where)

    def _by_image(self, question: Question, about: About, answer: Any) -> None:  # noqa: ANN401 - JSON
        uid, frame = self._image(about)
        name = f"{uid}#{frame}" if (uid, 2) in self.stack.places else uid
        given = self.found.answers.setdefault(question.key, {})
        if name in given and given[name] != answer:
            raise MappingError(f'question "{question.key}" has two answers for one image: keep one of them')
        given[name] = answer

    def _keep(self, question: Question, answer: Any, where: str) -> None:  # noqa: ANN401 - JSON
        """Keep an answer; several choices add up, two different single ones are a conflict.

        raises: MappingError.
        """
        before = self.found.answers.get(question.key)
        if isinstance(question, SomeOf) and isinstance(answer, list):
            order = [one.value for one in question.choices]
            said = {*(before or []), *answer}
            self.found.answers[question.key] = [value for value in order if value in said]
        elif before is not None and before != answer:
            raise MappingError(
                f'question "{question.key}" is answered otherwise at {self._said[question.key]}: keep one of'
                " them, or import each reader's as a source of its own"
            )
        else:
            self.found.answers[question.key] = answer
        self._said.setdefault(question.key, where)

    def _own_answer(self, one: Statement) -> None:
        """Read an answer as our own tables write it: words as they are, all else JSON."""
        question, text = self._names.keyed(one.questions), str(one.value["text"])
        answer: Any = text
        if not isinstance(question, Text):
            try:
                answer = json.loads(text)
            except ValueError:
                answer = text
        if isinstance(answer, str) and not isinstance(question, Text):
            answer = self._names.answer([question.key], question, "", [answer])
        self._keep(question, self._renamed(question, answer), one.where)

    def _renamed(self, question: Question, answer: Any) -> Any:  # noqa: ANN401 - JSON
        """Name images by their stored UIDs."""
        if isinstance(question, Regions) and isinstance(answer, list):
            return [
                one | {"image": self._uid(str(one["image"]))}
                if isinstance(one, dict) and "image" in one
                else one
                for one in answer
            ]
        if isinstance(question, Segmentation) and isinstance(answer, dict) and "images" in answer:
            return answer | {"images": [self._named(str(one)) for one in answer["images"]]}
        if question.scope == "image" and isinstance(answer, dict):
            return {self._named(image): one for image, one in answer.items()}
        return answer

    def _named(self, image: str) -> str:
        uid, sharp, frame = image.partition("#")
        return f"{self._uid(uid)}{sharp}{frame}"

    def _image(self, about: About) -> tuple[str, int]:
        """Name the frame that a statement is about.

        raises: ShapeError where it names none of several.
        """
        if about.image:
            return about.image, about.statement.target.frame
        if len(self.stack.pictures) == 1:
            return self.stack.pictures[0].key
        raise ShapeError("the case has several images: say which one it is on, by its UID or file")

    def _place(self, about: About) -> int:
        uid, frame = self._image(about)
        place = self.stack.places.get((uid, frame))
        if place is None:
            raise ShapeError(f"the image has no frame {frame}")
        return place

    def _shape(self, about: About) -> None:
        one = about.statement
        meant = self._names.drawn(one.questions, one.labels, kinds_for(one.value))
        question = meant.question
        if isinstance(question, Regions):
            self._regions(question, meant.label, about)
            return
        if "mask" not in one.value and "outlines" not in one.value and "box" in one.value:
            self._boxes.append((question.key, meant.label, one.where))
            return
        placed = one.value.get("placed")
        place = place_of_plane(self.stack, placed) if placed and not about.image else self._place(about)
        attributes = self.stack.pictures[place].attributes
        self._paint(
            question, meant.label, place, pixels_of(one.value, (attributes["Rows"], attributes["Columns"]))
        )

    def _paint(self, question: Segmentation, label: str, place: int, pixels: Bits) -> None:
        planes = self._masks.setdefault(question.key, {}).setdefault(label, {})
        planes[place] = planes[place] | pixels if place in planes else pixels

    def _regions(self, question: Regions, label: str, about: About) -> None:
        uid, frame = self._image(about)
        given = self.found.answers.setdefault(question.key, [])
        attributes = self._attributes(question, about.statement.value.get("said", []))
        for points in regions_of(question.kind, about.statement.value):
            text = json.dumps([question.key, label, uid, frame, points, len(given)])
            region = {"id": str(uuid.uuid5(NAMESPACE, text)), "label": label, "image": uid, "points": points}
            more: dict[str, Any] = {"frame": frame} if frame != 1 else {}
            given.append(region | more | ({"attributes": attributes} if attributes else {}))

    def _attributes(self, question: Regions, said: Sequence[Sequence[Sequence[str]]]) -> dict[str, Any]:
        """Read what is said of a region beside its place, as far as the question has attributes."""
        names = Names(question.attributes, {})
        found: dict[str, Any] = {}
        for asked, texts in said:
            try:
                attribute, ticked = names.column(asked)
            except UnusedError:
                continue
            answer = names.answer(asked, attribute, ticked, texts)
            is_several = isinstance(attribute, SomeOf) and isinstance(answer, list)
            found[attribute.key] = [*found.get(attribute.key, []), *answer] if is_several else answer
        return found

    def _contour(self, about: About) -> None:
        one = about.statement
        points = np.asarray(one.value["points"], dtype=np.float64)
        place = self._place(about) if about.image else place_of_contour(self.stack, points)
        picture = self.stack.pictures[place]
        outline = on_frame(picture.attributes, points)
        value = {"outlines": [outline.tolist()]}
        meant = self._names.drawn(one.questions, one.labels, kinds_for(value))
        if isinstance(meant.question, Segmentation):
            self._contours.setdefault((meant.question.key, meant.label, place), []).append(outline)
            return
        target = Target(image=picture.sop_instance_uid, frame=picture.frame)
        moved = replace(one, kind="shape", target=target, value=value)
        self._regions(meant.question, meant.label, About(moved, picture.sop_instance_uid))

    def _fill_contours(self) -> None:
        """Fill outlines: what lies inside an odd number of those on one image (PS3.3 C.8.8.6.3)."""
        for (key, label, place), outlines in self._contours.items():
            one = self.stack.pictures[place].attributes
            pixels = filled(outlines, (one["Rows"], one["Columns"]))
            planes = self._masks.setdefault(key, {}).setdefault(label, {})
            planes[place] = planes[place] | pixels if place in planes else pixels

    def _volume(self, one: Statement) -> None:
        meant = self._names.drawn(one.questions, one.labels, ("segmentation",))
        if not isinstance(meant.question, Segmentation):
            raise MappingError(f'question "{meant.question.key}" asks for no mask: map it to one that does')
        for place, plane in volume_on(self.stack, one.value).items():
            self._paint(meant.question, meant.label, place, plane)

    def _write_masks(self) -> None:
        for key, labels in self._masks.items():
            places = sorted({place for planes in labels.values() for place in planes})
            sizes = {plane.shape for planes in labels.values() for plane in planes.values()}
            if len(sizes) != 1:
                if sizes:
                    self.found.problems.append((key, "its images differ in size: no mask holds them all"))
                continue
            shape = sizes.pop()
            blank = np.zeros(shape, dtype=np.bool_)
            classes = {
                label: np.stack([planes.get(place, blank) for place in places])
                for label, planes in sorted(labels.items())
            }
            names = [self._frame_name(place) for place in places]
            self.found.answers[key] = written((len(places), *shape), names, classes)
        for key, label, where in self._boxes:
            if label not in self._masks.get(key, {}):
                text = f'question "{key}" asks for a mask, and this is a box: map it to a question of boxes'
                self.found.problems.append((where, text))

    def _frame_name(self, place: int) -> str:
        picture = self.stack.pictures[place]
        many = (picture.sop_instance_uid, 2) in self.stack.places
        return f"{picture.sop_instance_uid}#{picture.frame}" if many else picture.sop_instance_uid


def composed(
    statements: Sequence[About], *, names: Names, stack: Callable[[], Stack], uid: Callable[[str], str]
) -> Composed:
    """Compose what is said of one case.

    stack: loads the case's frames. uid: gives the stored UID of an image.
    """
    return Composer(names, stack, uid).composed(statements)
