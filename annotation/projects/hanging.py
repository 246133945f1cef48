"""How a case is hung: rules as data, the first that fits is taken. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from annotation.projects.conditions import STRICT
from annotation.projects.rules import RefusedError
from annotation.studies.door.terms import DESCRIPTION_WORDS

MOST_RULES = 100
Name = Annotated[str, Field(min_length=1, max_length=64)]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9_ ]{1,16}$")]
Codes = Annotated[list[Code], Field(min_length=1, max_length=50)]
View = Annotated[str, Field(pattern=r"^[LRB] [A-Z0-9]{1,8}$")]


def known_word(word: str) -> str:
    """Take a word that de-identification keeps of descriptions.

    raises: ValueError.
    """
    if word not in DESCRIPTION_WORDS:
        raise ValueError(f'"{word}" is no word that is kept of descriptions')
    return word


Words = Annotated[list[Annotated[str, AfterValidator(known_word)]], Field(min_length=1, max_length=8)]
Views = Annotated[list[View], Field(min_length=1, max_length=8)]


class HangingInvalidError(RefusedError):
    """What was written is no list of hanging rules."""

    code = "hanging_invalid"


@dataclass(frozen=True)
class Facts:
    """What rules ask of a case; views: of its study, as "R MLO"; description: words kept of its series'."""

    modality: str
    body_part: str = ""
    laterality: str = ""
    view: str = ""
    frames: int = 1
    has_prior: bool = False
    views: frozenset[str] = field(default_factory=frozenset)
    description: frozenset[str] = field(default_factory=frozenset)


class When(BaseModel):
    """What a case must be; what is left out is not asked. description: words that must all be there."""

    model_config = STRICT
    modality: Codes | None = None
    body_part: Codes | None = None
    laterality: Annotated[list[Literal["L", "R", "B", "U"]], Field(min_length=1)] | None = None
    view: Codes | None = None
    views: Views | None = None
    description: Words | None = None
    has_prior: bool | None = None
    frames_at_least: Annotated[int, Field(ge=1)] | None = None

    def fits(self, facts: Facts) -> bool:
        """Whether a case is so."""
        named = (
            (self.modality, facts.modality),
            (self.body_part, facts.body_part.upper()),
            (self.laterality, facts.laterality),
            (self.view, facts.view),
        )
        return (
            all(allowed is None or value in allowed for allowed, value in named)
            and facts.views.issuperset(self.views or ())
            and facts.description.issuperset(self.description or ())
            and self.has_prior in {None, facts.has_prior}
            and (self.frames_at_least is None or facts.frames >= self.frames_at_least)
        )


class Rule(BaseModel):
    """Cases that are so are hung like this.

    preset: name of a window of the modality. play: a film starts by itself.
    """

    model_config = STRICT
    name: Name
    when: When = When()
    layout: Literal["stack", "mpr", "priors", "four-up"]
    preset: Name | None = None
    play: bool = False


RULES: TypeAdapter[list[Rule]] = TypeAdapter(Annotated[list[Rule], Field(max_length=MOST_RULES)])
BUILT_IN = RULES.validate_json(Path(__file__).with_suffix(".json").read_text())


def rules_of(written: object) -> list[Rule]:
    """Read a project's own rules.

    raises: HangingInvalidError saying where and what.
    """
    try:
        return RULES.validate_python(written)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HangingInvalidError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def rows_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Write rules without what is said by leaving it out."""
    return [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]


def hang(own: Sequence[Rule], facts: Facts) -> Rule:
    """Take the first rule that fits, the project's own before the built-in ones."""
    return next(rule for rule in (*own, *BUILT_IN) if rule.when.fits(facts))


def earlier_in_words(days: int) -> str:
    """Say how long before a study another one was made: stored dates are shifted, distances are not."""
    if days < 60:
        return f"{days} day{'s' * (days != 1)} earlier"
    if days < 730:
        return f"{round(days / 30.44)} months earlier"
    return f"{round(days / 365.25)} years earlier"
