"""A protocol as a whole: does it make sense, and what changed from one version to the next. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from annotation.projects.conditions import KEY, leaves, parts_of
from annotation.projects.problems import Problem, told
from annotation.projects.questions import (
    COLOUR,
    SOMETHING,
    Attribute,
    Computed,
    Document,
    Largest,
    Number,
    OneOf,
    Question,
    Regions,
    Segmentation,
    SomeOf,
    VerticalRatio,
)
from annotation.projects.rules import RefusedError

CONDITIONS_AT_MOST_DEEP = 8
RATIO_KINDS = ("box", "ellipse")
MEASURES: Mapping[str, tuple[str, ...]] = {
    "point": (),
    "line": ("length_mm",),
    "bidirectional": ("long_axis_mm", "short_axis_mm"),
    "angle": ("angle_deg",),
    "box": ("area_mm2", "perimeter_mm"),
    "ellipse": ("area_mm2", "perimeter_mm", "long_axis_mm", "short_axis_mm"),
    "polygon": ("area_mm2", "perimeter_mm"),
    "freehand": ("area_mm2", "perimeter_mm"),
}
NUMBER, WHOLE = "it is no number: give one", "it is no whole number: give one"
WORDS: Mapping[str, str] = {
    "missing": "it is absent: give it",
    "extra_forbidden": "it is not known: leave it out",
    "union_tag_not_found": "kind is absent: say which kind of question it is",
    "union_tag_invalid": "kind is not known: give one of {expected_tags}",
    "literal_error": "give {expected}",
    "string_too_short": "it is empty: give it words",
    "string_too_long": "it is too long: at most {max_length} characters",
    "string_type": "it is no text: give it words",
    "bool_type": "give true or false",
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "finite_number": NUMBER,
    "greater_than": "give more than {gt:g}",
    "greater_than_equal": "give at least {ge:g}",
    "less_than_equal": "give at most {le:g}",
    "too_short": "there are {actual_length}: give at least {min_length}",
    "too_long": "there are {actual_length}: give at most {max_length}",
}
PATTERNS: Mapping[str, str] = {
    KEY: "begin with a letter a – z; then letters, digits and _; at most 40 in all",
    COLOUR: "give a colour as #rrggbb",
    SOMETHING: "it is blank: give it words",
}


class ProtocolInvalidError(RefusedError):
    """The protocol does not make sense."""

    code: ClassVar[str] = "protocol_invalid"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(told(problems))
        self.problems = problems


class ProtocolStaleError(RefusedError):
    """Somebody saved another version since the protocol was opened."""

    code: ClassVar[str] = "protocol_stale"


def document_of(given: object) -> Document:
    """Read a protocol.

    raises: ProtocolInvalidError with every problem.
    """
    problems = problems_of(given)
    if problems:
        raise ProtocolInvalidError(problems)
    return Document.model_validate(given)


def problems_of(given: object) -> list[Problem]:
    """List what is wrong with a protocol: first its form, then what it means."""
    try:
        document = Document.model_validate(given)
    except ValidationError as error:
        found = [_of_form(given, one) for one in error.errors(include_url=False)]
        return list({problem.at: problem for problem in reversed(found)}.values())[::-1]
    return list(_of_meaning(document.questions))


def _of_form(given: object, error: ErrorDetails) -> Problem:
    kind = error["type"]
    path = _path(given, error["loc"], is_key_named=kind in ("missing", "extra_forbidden"))
    field = ".".join(str(part) for part in path[2:])
    where = f"{_name(given, path)}{f', {field}' if field else ''}" if path else "the protocol"
    return Problem(".".join(map(str, path)), "bad_form", f"{where}: {_words(error)}")


def _words(error: ErrorDetails) -> str:
    """Say what to do about a form that is wrong."""
    details = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS[details["pattern"]]
    plain = error["msg"][:1].lower() + error["msg"][1:]
    return WORDS.get(error["type"], plain.replace("{", "{{").replace("}", "}}")).format(**details)


def _path(given: Any, loc: Sequence[int | str], *, is_key_named: bool) -> list[int | str]:  # noqa: ANN401 - JSON
    """Follow a place through the document; what is no key there is the checker's own name of a shape."""
    path: list[int | str] = []
    for depth, part in enumerate(loc):
        is_last = depth == len(loc) - 1
        inside = isinstance(given, dict) and part in given
        item = isinstance(given, list) and isinstance(part, int) and part < len(given)
        if inside or item:
            given = given[part]
            path.append(part)
        elif is_last and is_key_named:
            path.append(part)
    return path


def _name(given: Any, path: Sequence[int | str]) -> str:  # noqa: ANN401 - JSON
    """Name the question that a path leads into: by its key where it has one."""
    if path[0] != "questions" or len(path) < 2:
        return str(path[0])
    question = given["questions"][path[1]]
    key = question.get("key") if isinstance(question, dict) else None
    return f'question "{key}"' if isinstance(key, str) and key else f"question {int(path[1]) + 1}"


def _of_meaning(questions: Sequence[Question]) -> Iterator[Problem]:
    earlier: dict[str, Question] = {}
    by_key = {one.key: one for one in questions}
    for place, question in enumerate(questions):
        at, name = f"questions.{place}", f'question "{question.key}"'
        if question.key in earlier:
            yield Problem(f"{at}.key", "duplicate", f"{name} is there twice: give each its own key")
        yield from _of_one(question, at, name)
        yield from _of_condition(question, earlier, at, name)
        if isinstance(question, Computed):
            yield from _of_formula(question.formula, by_key, f"{at}.formula", name)
        earlier[question.key] = question


def _of_one(question: Question | Attribute, at: str, name: str) -> Iterator[Problem]:
    """Check what a question says of itself."""
    yield from _values(question, at, name)
    if isinstance(question, SomeOf | Regions | Number):
        yield from _limits(question, at, name)
    if isinstance(question, Regions):
        yield from _attributes(question.attributes, f"{at}.attributes", name)


def _limits(question: SomeOf | Regions | Number, at: str, name: str) -> Iterator[Problem]:
    least, most = question.min, question.max
    if least is not None and most is not None and most < least:
        yield Problem(f"{at}.max", "bad_limits", f"{name}: max is {most:g}, below min, {least:g}")
    if isinstance(question, SomeOf) and question.min > len(question.choices):
        text = f"{name}: min is {question.min}, of {len(question.choices)} choices"
        yield Problem(f"{at}.min", "bad_limits", text)


def values_of(question: Question | Attribute) -> tuple[str, list[str]]:
    """Name the field that holds a question's values, and the values; nothing where it offers none."""
    match question:
        case OneOf() | SomeOf():
            return "choices", [one.value for one in question.choices]
        case Regions():
            return "labels", [one.value for one in question.labels]
        case Segmentation():
            return "classes", [one.value for one in question.classes]
    return "", []


def _values(question: Question | Attribute, at: str, name: str) -> Iterator[Problem]:
    field, values = values_of(question)
    for place, value in enumerate(values):
        if value in values[:place]:
            text = f'{name}: "{value}" is there twice in {field}: give each its own value'
            yield Problem(f"{at}.{field}.{place}.value", "duplicate", text)


def _attributes(attributes: Sequence[Attribute], at: str, name: str) -> Iterator[Problem]:
    keys = [one.key for one in attributes]
    for place, attribute in enumerate(attributes):
        here, its_name = f"{at}.{place}", f'{name}, attribute "{attribute.key}"'
        if attribute.key in keys[:place]:
            yield Problem(f"{here}.key", "duplicate", f"{its_name} is there twice: give each its own key")
        if attribute.when is not None:
            yield Problem(
                f"{here}.when", "bad_condition", f"{its_name}: attributes are always asked: no when"
            )
        if attribute.scope != "case":
            yield Problem(f"{here}.scope", "bad_scope", f"{its_name} is asked of its region: no scope")
        yield from _of_one(attribute, here, its_name)


def _of_condition(
    question: Question, earlier: Mapping[str, Question], at: str, name: str
) -> Iterator[Problem]:
    if question.when is None:
        return
    if _depth(question.when) > CONDITIONS_AT_MOST_DEEP:
        text = f"{name}: its condition is nested deeper than {CONDITIONS_AT_MOST_DEEP}: write it flatter"
        yield Problem(f"{at}.when", "bad_condition", text)
    for leaf in leaves(question.when):
        wrong = _wrong_leaf(leaf, earlier)
        if wrong:
            yield Problem(f"{at}.when", "bad_condition", f"{name}: its condition {wrong}")


def _depth(condition: Mapping[str, Any]) -> int:
    return 1 + max(map(_depth, parts_of(condition)), default=0)


def _wrong_leaf(leaf: Mapping[str, Any], earlier: Mapping[str, Question]) -> str:
    """Say what is wrong with a condition on one question; nothing where it can hold."""
    key = leaf["question"]
    question = earlier.get(key)
    if question is None:
        return f'names "{key}", which is no earlier question'
    if isinstance(question, Computed):
        return f'names "{key}", which is computed: name what it is computed from'
    if "answered" in leaf:
        return ""
    if isinstance(question, Regions | Segmentation):
        return f'compares "{key}", which is drawn: ask whether it is answered'
    field, values = values_of(question)
    wanted = leaf["in"] if "in" in leaf else [leaf["is"]]
    unknown = [value for value in wanted if field and value not in values]
    return f'compares "{key}" with "{unknown[0]}", which is none of its choices' if unknown else ""


def _of_formula(
    formula: VerticalRatio | Largest, questions: Mapping[str, Question], at: str, name: str
) -> Iterator[Problem]:
    if isinstance(formula, VerticalRatio):
        for place, reference in enumerate(formula.of):
            if not _has_extent(reference, questions):
                text = f'{name}: "{reference}" is no box, no ellipse and no "question:class" of a mask'
                yield Problem(f"{at}.of.{place}", "bad_formula", text)
        return
    source = questions.get(formula.of)
    if not isinstance(source, Regions):
        yield Problem(f"{at}.of", "bad_formula", f'{name}: "{formula.of}" is no question of regions')
    elif formula.measure not in MEASURES[source.kind]:
        known = ", ".join(MEASURES[source.kind]) or "nothing"
        text = f'{name}: a {source.kind} has no measure "{formula.measure}": it has {known}'
        yield Problem(f"{at}.measure", "bad_formula", text)


def _has_extent(reference: str, questions: Mapping[str, Question]) -> bool:
    key, _, value = reference.partition(":")
    source = questions.get(key)
    if isinstance(source, Segmentation):
        return value in [one.value for one in source.classes]
    return not value and isinstance(source, Regions) and source.kind in RATIO_KINDS
