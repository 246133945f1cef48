"""A reader who works by a seeded hand: choices, words, boxes, strokes; and what of it is found again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scipy import ndimage

from annotation.projects.masks import mask_of, voxels
from tests.browser.desk import drag, question
from tests.browser.reading import Room

CHOICES = {"normal": "Normal", "abnormal": "Abnormal"}
ASKED: dict[str, Any] = {
    "questions": [
        {
            "key": "finding",
            "prompt": "What does the image show?",
            "kind": "single",
            "choices": [{"value": value, "label": label} for value, label in CHOICES.items()],
        },
        {"key": "note", "prompt": "Anything else?", "kind": "text", "required": False},
        {
            "key": "boxes",
            "prompt": "Mark",
            "kind": "box",
            "required": False,
            "labels": [{"value": "mark", "label": "Mark"}],
        },
        {
            "key": "parts",
            "prompt": "Paint",
            "kind": "segmentation",
            "required": False,
            "classes": [{"value": "part", "label": "Part"}],
        },
    ]
}
# Shares of the image, far enough apart that no two strokes touch.
ACROSS = (0.32, 0.44, 0.56, 0.68)
STROKES = [(x, y) for y in (0.25, 0.40) for x in ACROSS]
BOXES = [(x, y) for y in (0.58, 0.72) for x in ACROSS]
LENGTH = 0.04


@dataclass(frozen=True)
class Act:
    """One thing that was done to a case; begun, done: seconds of this process."""

    kind: str
    begun: float
    done: float
    words: str = ""


@dataclass
class Work:
    """What was done to one case, in order.

    before:    its answers when the reader came to it.
    finding:   the choice that was clicked.
    shown:     the choice that the page showed when Enter was pressed.
    confirmed: the next case came on screen after Enter.
    """

    number: int
    before: dict[str, Any] = field(default_factory=dict)
    finding: str = ""
    shown: str = ""
    acts: list[Act] = field(default_factory=list)
    confirmed: bool = False

    def of(self, kind: str) -> list[Act]:
        """List the acts of one kind."""
        return [act for act in self.acts if act.kind == kind]

    def lost(self, answers: dict[str, Any]) -> list[Act]:
        """List what was done and is not in the answers."""
        lost = [] if answers.get("finding", "") == self.finding else self.of("finding")
        lost += [act for act in self.of("words") if act.words not in str(answers.get("note", ""))]
        lost += self.of("box")[max(0, boxes_in(answers) - boxes_in(self.before)) :]
        return lost + self.of("stroke")[max(0, strokes_in(answers) - strokes_in(self.before)) :]


def boxes_in(answers: dict[str, Any]) -> int:
    """Count the boxes."""
    return len(answers.get("boxes", []))


def strokes_in(answers: dict[str, Any]) -> int:
    """Count the strokes of a mask: none touches another."""
    if "parts" not in answers:
        return 0
    return int(ndimage.label(voxels(mask_of(answers["parts"]), "part"))[1])


@dataclass
class Reader:
    """Works in a room until something stops it."""

    room: Room
    draw: random.Random
    drafts: dict[int, Any]
    done: list[Work] = field(default_factory=list)

    def read(self, *, between: Callable[[], None], confirms: bool = True) -> None:
        """Do all that one case gets and submit it; between: called before each act."""
        number = self.room.shown()
        work = Work(number, self.drafts.get(number, {}))
        self.done.append(work)
        for act in self.plan(work):
            between()
            self.act(work, *act)
        if not confirms:
            return
        between()
        work.shown = self.room.page.evaluate(CHOSEN)
        self.room.press("Enter")
        self.room.page.wait_for_function(LEFT, arg=str(work.number))
        work.confirmed = True

    def plan(self, work: Work) -> list[tuple[str, Callable[[], None], str]]:
        """Draw what a case gets and in which order.

        Places are taken one after the other, so that what a killed browser left is never drawn over.
        """
        draw = self.draw
        words = [self.write(f"{draw.getrandbits(32):x} ") for _ in range(draw.randint(1, 4))]
        boxes = [self.box(place) for place in BOXES[boxes_in(work.before) :][: draw.randint(0, 3)]]
        strokes = [self.stroke(place) for place in STROKES[strokes_in(work.before) :][: draw.randint(1, 6)]]
        kinds = [acts for acts in (words, boxes, strokes) for _ in acts]
        draw.shuffle(kinds)
        left = {id(acts): iter(acts) for acts in (words, boxes, strokes)}
        return [self.choose(work, draw.choice(list(CHOICES))), *(next(left[id(acts)]) for acts in kinds)]

    def choose(self, work: Work, finding: str) -> tuple[str, Callable[[], None], str]:
        """Answer by the mouse: the keyboard may be in the text."""

        def act() -> None:
            question(self.room, "finding").get_by_text(CHOICES[finding], exact=True).click()
            work.finding = finding

        return "finding", act, ""

    def write(self, words: str) -> tuple[str, Callable[[], None], str]:
        """Go on with the free text."""

        def act() -> None:
            question(self.room, "note").locator("textarea").press("End")
            self.room.page.keyboard.type(words)

        return "words", act, words

    def box(self, place: tuple[float, float]) -> tuple[str, Callable[[], None], str]:
        """Draw one box."""
        return "box", lambda: self.drawn("boxes", place), ""

    def stroke(self, place: tuple[float, float]) -> tuple[str, Callable[[], None], str]:
        """Paint one short stroke with a small brush."""
        return "stroke", lambda: self.drawn("parts", place), ""

    def drawn(self, key: str, place: tuple[float, float]) -> None:
        """Take a question's tool and drag."""
        question(self.room, key).locator("legend").click()
        drag(self.room, place, (place[0] + LENGTH, place[1] + LENGTH))

    def act(self, work: Work, kind: str, act: Callable[[], None], words: str) -> None:
        """Do one thing, and note when."""
        begun = time.monotonic()
        act()
        work.acts.append(Act(kind, begun, time.monotonic(), words))


CHOSEN = """() => document.querySelector('[data-path="finding"] :checked')?.value ?? ''"""
LEFT = """was => {
  const { shown, phase } = document.querySelector(".stage").dataset;
  return !["reading", "keeping"].includes(phase) || (shown && shown !== was);
}"""
