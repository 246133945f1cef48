"""When a question is asked: conditions on the answers before it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
SHAPES = ("is", "in", "answered", "all", "any", "not")

KEY = r"^[a-z][a-z0-9_]{0,39}$"
Key = Annotated[str, Field(pattern=KEY)]
Said = str | int | float
SaidOf = Mapping[str, frozenset[Said] | None]


@with_config(STRICT)
class Answered(TypedDict):
    """The question has an answer."""

    question: Key
    answered: Literal[True]


@with_config(STRICT)
class All(TypedDict):
    """Every one of them holds."""

    all: "Conditions"


@with_config(STRICT)
class AnyOf(TypedDict):
    """At least one of them holds."""

    any: "Conditions"


# Written as calls, since these keys are Python's own words.
Is = TypedDict("Is", {"question": Key, "is": Said})
In = TypedDict("In", {"question": Key, "in": Annotated[list[Said], Field(min_length=1, max_length=100)]})
Not = TypedDict("Not", {"not": "Condition"})
for _one in (Is, In, Not):
    with_config(STRICT)(_one)


def _shape(condition: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    """Tell a condition's shape by the one word that only this shape has."""
    found = [shape for shape in SHAPES if isinstance(condition, dict) and shape in condition]
    return found[0] if len(found) == 1 else None


Condition: TypeAlias = Annotated[
    Annotated[Is, Tag("is")]
    | Annotated[In, Tag("in")]
    | Annotated[Answered, Tag("answered")]
    | Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(
        _shape,
        custom_error_type="condition",
        custom_error_message='say "is", "in" or "answered" of a question, or "all", "any" or "not" of others',
    ),
]
Conditions: TypeAlias = Annotated[list[Condition], Field(min_length=1, max_length=20)]


def holds(condition: Mapping[str, Any], said: SaidOf) -> bool:
    """Whether a condition holds.

    said: what was said to each question, None (or absent) where nothing was or the question was not asked.
    """
    if "all" in condition:
        return all(holds(one, said) for one in condition["all"])
    if "any" in condition:
        return any(holds(one, said) for one in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], said)
    answer = said.get(condition["question"])
    if answer is None:
        return False
    if "answered" in condition:
        return True
    wanted = condition["in"] if "in" in condition else [condition["is"]]
    return not answer.isdisjoint(wanted)


def leaves(condition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Walk over what a condition says of single questions."""
    if "question" in condition:
        yield condition
        return
    for one in parts_of(condition):
        yield from leaves(one)


def parts_of(condition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the conditions that one is made of; none where it is about a question."""
    return [condition["not"]] if "not" in condition else condition.get("all") or condition.get("any") or []
