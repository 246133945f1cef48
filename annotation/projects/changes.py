"""What changed from one version of a protocol to the next, in words. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.projects.questions import Document

NAMED = ("choices", "labels", "classes", "attributes")
WORDS: Mapping[str, str] = {
    "auto_advance": "Going on by itself after one key",
    "suggestions": "When suggestions are shown",
    "control_share": "Share of cases without a suggestion",
    "daily_goal": "Goal of the day",
    "readers": "Readers of each case",
    "second_share": "Share of cases with one reader more",
    "doubted_share": "Share of readings that go where a label is likely wrong",
    "fusion": "How several readers' choices become one",
    "soft_labels": "Learning from what fusing left of doubt",
    "fuse_drawings": "Fusing several readers' masks and boxes",
    "adjudicated": "Adjudication of cases on which readers differ",
    "number_tolerance": "Difference of numbers that is adjudicated",
    "least_dice": "Dice of masks below which they are adjudicated",
    "least_overlap": "Overlap from which two regions are the same",
    "repeat_share": "Share of a reader's cases that the reader gets again",
    "repeat_days": "Days after which a reader gets a case again",
    "practice_cases": "Practice cases of a new reader",
    "qualification_cases": "Cases of the qualification test",
    "qualification_pass": "Share of the test to be right",
}
Row = Mapping[str, Any]


def changes_between(before: Document, after: Document) -> list[str]:
    """List what changed, a sentence each; nothing where the two ask the same in the same way."""
    old, new = (
        {one.key: one.model_dump(mode="json") for one in document.questions} for document in (before, after)
    )
    told = [f"Question “{key}” is gone." for key in old if key not in new]
    told += [f"Question “{key}” is new: {new[key]['prompt']}" for key in new if key not in old]
    for key in [key for key in new if key in old]:
        told += [f"Question “{key}”: {one}." for one in _of_parts(old[key], new[key])]
    if [key for key in old if key in new] != [key for key in new if key in old]:
        told.append(f"The order is now {', '.join(new)}.")
    return told + list(_of_settings(before.settings.model_dump(), after.settings.model_dump()))


def _of_parts(old: Row, new: Row) -> Iterator[str]:
    """Compare a question, or an attribute, field by field."""
    for field in dict.fromkeys([*old, *new]):
        before, after = old.get(field), new.get(field)
        if before == after or field == "key":
            continue
        if field in NAMED and isinstance(before, list) and isinstance(after, list):
            yield from _of_named(field, before, after)
        else:
            yield f"{field} was {said(field, before)}, is {said(field, after)}"


def _of_named(field: str, before: list[Row], after: list[Row]) -> Iterator[str]:
    """Compare lists of choices, labels, classes or attributes, each known by its value or key."""
    name = "key" if field == "attributes" else "value"
    old, new = ({str(one[name]): one for one in listed} for listed in (before, after))
    one = field.removesuffix("s") if field != "classes" else "class"
    yield from (f"{one} “{value}” is gone" for value in old if value not in new)
    yield from (f"{one} “{value}” is new" for value in new if value not in old)
    for value in [value for value in new if value in old]:
        yield from (f"{one} “{value}”: {told}" for told in _of_parts(old[value], new[value]))
    if [value for value in old if value in new] != [value for value in new if value in old]:
        yield f"{field} stand in another order"


def _of_settings(old: Row, new: Row) -> Iterator[str]:
    for field, words in WORDS.items():
        if old[field] != new[field]:
            yield f"{words} was {said(field, old[field])}, is {said(field, new[field])}."


def said(field: str, value: Any) -> str:  # noqa: ANN401 - JSON
    """Tell a value in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field == "when":
        return told_condition(value)
    if isinstance(value, str):
        return f"“{value}”"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def told_condition(condition: Row) -> str:
    """Tell a condition in words."""
    for word, joint in (("all", " and "), ("any", " or ")):
        if word in condition:
            return "(" + joint.join(told_condition(one) for one in condition[word]) + ")"
    if "not" in condition:
        return f"not {told_condition(condition['not'])}"
    if "answered" in condition:
        return f"{condition['question']} is answered"
    wanted = condition["in"] if "in" in condition else [condition["is"]]
    return f"{condition['question']} is " + " or ".join(f"“{value}”" for value in wanted)
