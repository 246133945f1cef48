"""What a file calls things, held against the protocol: which question, choice or label is meant. Pure.

A mapping names, by what the file says ("column", "category", or "column:value"), what the protocol says:
"question", "question:choice", a choice; "-" leaves it out; "@path" and the like say what a column identifies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotation.exchange.labels.statements import plain
from annotation.projects.questions import Number, OneOf, Question, Regions, Segmentation, SomeOf, Text

LEFT_OUT: Final = "-"
ROLES: Final = ("@path", "@image", "@frame", "@series", "@study", "@patient", "@case")
YES: Final = ("yes", "1", "1.0", "true", "y", "x", "positive", "present")
NO: Final = ("no", "0", "0.0", "false", "n", "negative", "absent")
MOST_NAMED: Final = 12
USUAL: Final = ("label", "labels", "class")  # what tables call the one thing that is asked


class MappingError(Exception):
    """A name of the file means nothing here, or more than one thing; the message says what to do."""


class UnusedError(Exception):
    """A name of the file is left out on purpose, or answers no question."""


@dataclass(frozen=True)
class Meant:
    """A drawn question, and the label that is meant."""

    question: Regions | Segmentation
    label: str


def mapping_of(lines: Sequence[str]) -> dict[str, str]:
    """Read "name=meaning" lines, or one JSON object.

    raises: MappingError.
    """
    text = "\n".join(lines).strip()
    if text.startswith("{"):
        try:
            return {str(name): str(meaning) for name, meaning in json.loads(text).items()}
        except (ValueError, AttributeError):
            raise MappingError('the mapping is no JSON object: {"column": "question"}') from None
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, meaning = line.rpartition("=")
        if not equals or not name.strip() or not meaning.strip():
            raise MappingError(
                f'"{line[:80]}" is no mapping: write what the file says, =, what the protocol says'
            )
        found[name.strip()] = meaning.strip()
    return found


class Names:
    """The protocol's names, and how a file's are taken."""

    def __init__(self, questions: Sequence[Question], mapping: Mapping[str, str]) -> None:
        self._questions = {one.key: one for one in questions if one.kind != "computed"}
        self._called = {
            plain(name): one for one in self._questions.values() for name in (one.key, one.prompt)
        }
        chosen = [one for one in self._questions.values() if isinstance(one, OneOf | SomeOf)]
        if len(chosen) == 1:
            self._called = dict.fromkeys(USUAL, chosen[0]) | self._called
        self.mapping = dict(mapping)
        # "column:value" is of a value: in plain letters it could pass for a column
        self._given = {plain(name): meaning for name, meaning in mapping.items() if ":" not in name}
        for name, meaning in mapping.items():
            self._check(name, meaning)

    def _check(self, name: str, meaning: str) -> None:
        """Refuse what the protocol does not know.

        raises: MappingError.
        """
        if meaning == LEFT_OUT or meaning in ROLES:
            return
        if meaning.startswith("@"):
            raise MappingError(f"{name}={meaning}: a column identifies one of {', '.join(ROLES)}")
        key, colon, value = meaning.partition(":")
        if ":" in name and not colon:
            return  # a value of a column: held against its question's choices when it is met
        question = self._questions.get(key)
        if question is None:
            asked = ", ".join(self._questions)
            raise MappingError(f'{name}={meaning}: the protocol asks no question "{key}": it asks {asked}')
        if colon and value not in values_of(question):
            raise MappingError(f'{name}={meaning}: question "{key}" has no "{value}": {offered(question)}')

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of columns that answer a question by themselves, in plain letters."""
        return tuple(self._called)

    def column(self, names: Sequence[str]) -> tuple[Question, str]:
        """Find the question that a column, or a coded question, answers; and the choice where it ticks one.

        raises: UnusedError.
        """
        for name in names:
            meaning = self.mapping.get(name) or self._given.get(plain(name))
            if meaning == LEFT_OUT:
                raise UnusedError
            key, _, value = (meaning or "").partition(":")
            if key in self._questions:
                return self._questions[key], value
        for name in names:
            if plain(name) in self._called:
                return self._called[plain(name)], ""
        raise UnusedError

    def keyed(self, names: Sequence[str]) -> Question:
        """Find a question by its key alone, as our own tables write it, or by its mapping.

        raises: UnusedError.
        """
        for name in names:
            if name in self._questions and name not in self.mapping:
                return self._questions[name]
        return self.column(names)[0]

    def answer(self, names: Sequence[str], question: Question, ticked: str, texts: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
        """Read a cell as an answer to a question, or as a tick of one of its choices; None: it says nothing.

        raises: MappingError saying which values there are.
        """
        name = names[0] if names else question.key
        told = [self.mapping.get(f"{name}:{text}", "") for text in texts]
        meant = next((one for one in told if one), "")
        if meant == LEFT_OUT:
            return None
        texts = [meant] if meant else texts
        if ticked:
            return self._tick(name, question, ticked, texts[0])
        match question:
            case OneOf():
                return self._choice(name, question, texts)
            case SomeOf():
                parts = [self.mapping.get(f"{name}:{one}", one) for one in parts_of(texts, question)]
                return [self._choice(name, question, [part]) for part in parts if part != LEFT_OUT]
            case Number():
                return number_in(name, texts[0], question)
            case Text():
                return texts[0]
        raise MappingError(
            f'column "{name}": question "{question.key}" is drawn, and no cell answers it: give COCO or DICOM'
        )

    def _tick(self, name: str, question: Question, ticked: str, text: str) -> Any:  # noqa: ANN401 - JSON
        lower = text.strip().lower()
        if lower not in YES and lower not in NO:
            raise MappingError(
                f'column "{name}": "{text[:60]}" is neither yes nor no: map it, {name}:{text[:60]}=yes,'
                f" =no, or =- to leave it out"
            )
        if isinstance(question, SomeOf):
            return [ticked] if lower in YES else []
        return ticked if lower in YES else None

    def _choice(self, name: str, question: OneOf | SomeOf, texts: Sequence[str]) -> str:
        for text in texts:
            for one in question.choices:
                if text == one.value or plain(text) in (plain(one.value), plain(one.label)):
                    return one.value
        raise MappingError(
            f'column "{name}": "{texts[0][:60]}" is no choice of question "{question.key}":'
            f" {offered(question)}; map it, {name}:{texts[0][:60]}={question.choices[0].value}"
        )

    def drawn(self, questions: Sequence[str], labels: Sequence[str], kinds: Sequence[str]) -> Meant:
        """Find the drawn question and the label that are meant.

        kinds:  which kinds of question the drawing can answer, the best first.
        raises: MappingError, UnusedError.
        """
        for name in labels:
            meaning = self.mapping.get(name) or self._given.get(plain(name))
            if meaning == LEFT_OUT:
                raise UnusedError
            if meaning:
                return self._mapped(name, meaning)
        found = [
            Meant(one, label)
            for one in self._questions.values()
            if isinstance(one, Regions | Segmentation)
            for label in labels_meant(one, labels)
        ]
        named = [one for one in found if one.question.key in questions]
        fitting = named or [one for one in found if one.question.kind in kinds] or found
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            these = [f"{one.question.key}:{one.label}" for one in fitting[:MOST_NAMED]]
            raise MappingError(f'"{labels[0]}" may be {", ".join(these)}: map it, {labels[0]}={these[0]}')
        raise MappingError(self._unknown(labels))

    def _mapped(self, name: str, meaning: str) -> Meant:
        key, _, value = meaning.partition(":")
        question = self._questions.get(key)
        values = values_of(question) if question else []
        if not isinstance(question, Regions | Segmentation) or not (value or len(values) == 1):
            raise MappingError(f'{name}={meaning}: give a drawn question and its label, "question:label"')
        return Meant(question, value or values[0])

    def _unknown(self, labels: Sequence[str]) -> str:
        known = [
            f"{one.key}:{value}"
            for one in self._questions.values()
            if isinstance(one, Regions | Segmentation)
            for value in values_of(one)
        ]
        name = labels[0] if labels else ""
        if not known:
            return f'"{name}" is drawn, and the protocol asks for nothing to be drawn: add such a question'
        return (
            f'"{name[:60]}" is no label of a question that this drawing can answer: map it,'
            f" {name[:60]}={known[0]}; there are {', '.join(known[:MOST_NAMED])}"
        )


def values_of(question: Question) -> list[str]:
    """List what can be answered or drawn; nothing where that is open."""
    match question:
        case OneOf() | SomeOf():
            return [one.value for one in question.choices]
        case Regions():
            return [one.value for one in question.labels]
        case Segmentation():
            return [one.value for one in question.classes]
    return []


def offered(question: Question) -> str:
    """Say what there is to choose."""
    values = values_of(question)
    more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return f"give {', '.join(values[:MOST_NAMED])}{more}" if values else "leave the choice out"


def labels_meant(question: Regions | Segmentation, labels: Sequence[str]) -> list[str]:
    """List the labels of a question that a name fits, at most one: the first name that fits any."""
    offered_ones = question.labels if isinstance(question, Regions) else question.classes
    for name in labels:
        for one in offered_ones:
            both = f"{question.key} {one.value}"
            if plain(name) in (plain(one.value), plain(one.label), plain(both)):
                return [one.value]
    return []


def parts_of(texts: Sequence[str], question: SomeOf) -> list[str]:
    """Cut several choices apart: a JSON list, or names with ; or | between."""
    text = texts[0].strip()
    if text.startswith("["):
        try:
            return [str(one) for one in json.loads(text)]
        except ValueError:
            pass
    known = [plain(name) for one in question.choices for name in (one.value, one.label)]
    if plain(text) in known or len(texts) > 1:
        return [next((one for one in texts if plain(one) in known), text)]
    return [part.strip() for part in text.replace("|", ";").split(";") if part.strip()]


def number_in(name: str, text: str, question: Number) -> float:
    """Read a number.

    raises: MappingError.
    """
    try:
        return float(text)
    except ValueError:
        raise MappingError(
            f'column "{name}": "{text[:60]}" is no number, which question "{question.key}" wants: give digits'
            f" with a point, or map it, {name}:{text[:60]}=-"
        ) from None
