"""Decisions about projects: pure."""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

QUESTION_KEY = "finding"
ONE_ANSWER, LEARNED = ("single", "ordinal"), ("single", "ordinal", "multi")
NOTHING_CHOSEN = "None of them"
DEFAULT_AUDIT_SHARE = 0.125
POOL, AUDIT, HELD_OUT = "pool", "audit", "held_out"
READ_SPLITS, HELD_OUT_SPLITS = frozenset({"", "train"}), frozenset({"val", "test"})
# PS3.3 C.7.3.1.1.1: segmentations, doses and plans, registrations, presentation states, reports.
DERIVED_MODALITIES = frozenset({"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "REG", "PR", "SR", "KO", "FID", "RWV"})

Question = dict[str, Any]


class RefusedError(Exception):
    """The rules do not let this happen; the message says which rule and what to do."""

    code: ClassVar[str] = "refused"


class ForbiddenError(RefusedError):
    """The person may see this and may not do that."""

    code = "forbidden"


def stream_of(patient_pseudonym: str, split: str, audit_share: float, project_key: bytes) -> str:
    """Say what a patient's readings are used for: the same answer for every case of the patient.

    audit_share: fraction of patients, 0 – 1, drawn by a keyed hash, so that nobody chooses who is audited.
    raises:      RefusedError for a split that is not known.
    """
    if split in HELD_OUT_SPLITS:
        return HELD_OUT
    if split not in READ_SPLITS:
        raise RefusedError(f'split is "{split}": give train, val, test or leave it empty')
    digest = hmac.new(project_key, patient_pseudonym.encode(), hashlib.sha256).digest()
    return AUDIT if falls_within(digest, audit_share) else POOL


def falls_within(digest: bytes, share: float) -> bool:
    """Whether a hash falls into a fraction, 0 – 1, of all hashes."""
    return int.from_bytes(digest[:8]) < share * 2**64


def is_read(modality: str) -> bool:
    """Whether a reader is asked about a series: what was derived from another one is not."""
    return modality not in DERIVED_MODALITIES


def strictest_split(splits: Iterable[str]) -> str:
    """One split for all images of a patient: held out wins, so that no patient is on both sides."""
    return max(splits, key=lambda split: (split in HELD_OUT_SPLITS, split))


def project_key(project_id: UUID) -> bytes:
    """Key of the project's draws."""
    return b"stream:" + project_id.bytes


def single_choice(prompt: str, choices: Sequence[tuple[str, str]]) -> Question:
    """Write the protocol's one question of kind single.

    raises: RefusedError naming the choice that is empty or there twice.
    """
    values = [value for value, _ in choices]
    if len(values) < 2:
        raise RefusedError(f"the question has {len(values)} choices: give at least 2")
    for value, label in choices:
        if not value.strip() or not label.strip():
            raise RefusedError(f'choice "{value}" is empty: give a value and a label')
        if values.count(value) > 1:
            raise RefusedError(f'choice "{value}" is there twice: give each once')
    options = [{"value": value, "label": label} for value, label in choices]
    return {"key": QUESTION_KEY, "prompt": prompt, "kind": "single", "choices": options}


def value_of(label: str) -> str:
    """Make the value that is stored for an answer: lower case letters of any script, digits, underscores."""
    return re.sub(r"\W+", "_", label.lower()).strip("_")


def own_choices(text: str) -> list[tuple[str, str]]:
    """Read answers, one a line: the value that is stored, and the words."""
    labels = (line.strip() for line in text.splitlines())
    return [(value_of(label), label) for label in labels if label]


@dataclass(frozen=True)
class LearnedQuestion:
    """A question that is answered by choices; words: of them by value, in the protocol's order.

    kind: single, ordinal (grades, from low to high) or multi (any number of them). No key: the protocol asks
    no such question.
    """

    key: str
    prompt: str
    words: Mapping[str, str]
    kind: str = "single"

    @property
    def is_ordered(self) -> bool:
        """Whether its choices are grades."""
        return self.kind == "ordinal"

    @property
    def takes_several(self) -> bool:
        """Whether its choices exclude nothing about each other."""
        return self.kind == "multi"

    @property
    def classes(self) -> list[str]:
        """List the values of its choices: what a model tells apart."""
        return list(self.words)

    def chosen(self, answer: object) -> tuple[str, ...] | None:
        """Name the choices that an answer makes; None where it answers another question.

        A choice that is offered no more is left out of several; one that was added later was not made.
        """
        if isinstance(answer, int | float) and not isinstance(answer, bool):
            answer = str(answer)  # SQLite gives a choice "1" that it extracts back as the number
        if self.takes_several:
            return (
                tuple(value for value in self.words if value in answer) if isinstance(answer, list) else None
            )
        return (answer,) if isinstance(answer, str) and answer in self.words else None

    def words_of(self, value: str) -> str:
        """Give a choice's words; one that is offered no more is told by its value."""
        return self.words.get(value, value)

    def told(self, answer: object) -> str:
        """Put an answer into words; nothing where there is none."""
        if isinstance(answer, list):
            return ", ".join(map(self.words_of, answer)) or NOTHING_CHOSEN
        return self.words_of(answer) if isinstance(answer, str) else ""


def first_learnable(questions: Sequence[Question]) -> LearnedQuestion:
    """Find the question that models learn: a protocol's first one with choices that each case is asked."""
    return _first(questions, LEARNED)


def first_single_choice(questions: Sequence[Question]) -> LearnedQuestion:
    """Find a protocol's first question with one answer that each case is asked."""
    return _first(questions, ONE_ANSWER)


def _first(questions: Sequence[Question], kinds: Collection[str]) -> LearnedQuestion:
    for question in questions:
        is_always_asked = question.get("when") is None and question.get("scope", "case") == "case"
        if question["kind"] in kinds and is_always_asked:
            words = {choice["value"]: choice["label"] for choice in question["choices"]}
            return LearnedQuestion(question["key"], question["prompt"], words, question["kind"])
    return LearnedQuestion("", "", {})
