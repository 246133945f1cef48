"""What can be asked: the kinds of question and the settings, as they are written in JSON."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, TypeAdapter

from annotation.projects.conditions import STRICT, Condition, Key

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_TEXT = 20_000

COLOUR, SOMETHING = r"^#[0-9a-fA-F]{6}$", r"\S"

Value = Annotated[str, Field(min_length=1, max_length=128, pattern=SOMETHING)]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=SOMETHING)]
Colour = Annotated[str, Field(pattern=COLOUR)]
Count = Annotated[int, Field(ge=0, le=10_000)]


class Part(BaseModel):
    """A part of a protocol: fields that are not known are refused."""

    model_config = STRICT


class Choice(Part):
    """One possible answer."""

    value: Value
    label: Words


class Label(Part):
    """What a region or a class of a mask can be called, and its colour on the image."""

    value: Value
    label: Words
    color: Colour | None = None


class Asked(Part):
    """What every question has; help stands under the prompt, the condition says when it is asked at all."""

    key: Key
    prompt: Words
    required: bool = True
    help: Annotated[str, Field(max_length=2000)] = ""
    when: Condition | None = None


class OneOf(Asked):
    """One of the choices; ordinal: they stand in order."""

    kind: Literal["single", "ordinal"]
    choices: Annotated[list[Choice], Field(min_length=2, max_length=200)]
    scope: Literal["case", "image"] = "case"


class SomeOf(Asked):
    """Any of the choices, between min and max of them once one is given."""

    kind: Literal["multi"]
    choices: Annotated[list[Choice], Field(min_length=1, max_length=200)]
    min: Count = 0
    max: Count | None = None
    scope: Literal["case", "image"] = "case"


class Number(Asked):
    """A number; step is what the arrows of the field do."""

    kind: Literal["number"]
    unit: Annotated[str, Field(max_length=40)] = ""
    min: float | None = None
    max: float | None = None
    step: Annotated[float, Field(gt=0)] | None = None
    scope: Literal["case", "image"] = "case"


class Text(Asked):
    """Free words; max_length counts characters."""

    kind: Literal["text"]
    max_length: Annotated[int, Field(ge=1, le=LONGEST_TEXT)] = 2000
    scope: Literal["case", "image"] = "case"


Attribute = Annotated[OneOf | SomeOf | Number | Text, Field(discriminator="kind")]
Shape = Literal["point", "line", "bidirectional", "angle", "box", "ellipse", "polygon", "freehand"]


class Regions(Asked):
    """Regions of one shape, each with a label and attributes; between min and max, once one is there."""

    kind: Shape
    labels: Annotated[list[Label], Field(min_length=1, max_length=100)]
    attributes: Annotated[list[Attribute], Field(max_length=20)] = []
    min: Count = 0
    max: Count | None = None
    scope: Literal["case"] = "case"


class Segmentation(Asked):
    """A mask of disjoint classes."""

    kind: Literal["segmentation"]
    classes: Annotated[list[Label], Field(min_length=1, max_length=100)]
    scope: Literal["case"] = "case"


class VerticalRatio(Part):
    """Extent across the rows of the first over the second: keys of boxes or ellipses, or "question:class"."""

    op: Literal["vertical_ratio"]
    of: Annotated[list[Words], Field(min_length=2, max_length=2)]


class Largest(Part):
    """The largest of a measure over the regions of a question."""

    op: Literal["largest"]
    of: Key
    measure: Words


class Computed(Asked):
    """A value that the server computes from the other answers, and no reader gives."""

    kind: Literal["computed"]
    unit: Annotated[str, Field(max_length=40)] = ""
    formula: Annotated[VerticalRatio | Largest, Field(discriminator="op")]
    scope: Literal["case"] = "case"


Question = Annotated[
    OneOf | SomeOf | Number | Text | Regions | Segmentation | Computed, Field(discriminator="kind")
]


class Settings(Part):
    """How a project's readers are asked.

    suggestions:   when the model's are shown.
    control_share: fraction of cases without a suggestion, which measures what suggestions do to readers.
    readers:       how many readers read each case, none of them seeing what the others said.
    second_share:  fraction of cases, drawn at random, that one reader more reads.
    doubted_share: fraction of all readings that a machine may ask for where a label is most likely wrong.
    fusion:        how choices of several readers of a case become one.
    soft_labels:   whether models learn how likely each choice is, where fusing left doubt.
    fuse_drawings: whether masks and boxes of several readers are fused too, or left out.
    adjudicated:   whether an adjudicator decides where readers differ too much.
    number_tolerance: from which difference on numbers and measurements do, as a share of the larger.
    least_dice:    below which Dice of any class masks do.
    least_overlap: below which intersection over union two regions are not the same.
    repeat_share:  fraction of a reader's cases that the reader gets again without knowing.
    repeat_days:   after how many days.
    practice_cases: cases of known answer that a new reader reads first, with feedback.
    qualification_cases: cases of known answer that test a new reader; readings count once the test is passed.
    qualification_pass: share of the test's answers that must be right.
    """

    auto_advance: bool = False
    suggestions: Literal["never", "on_demand", "after_answer", "from_start"] = "after_answer"
    control_share: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    daily_goal: Annotated[int, Field(ge=1, le=10_000)] | None = None
    readers: Annotated[int, Field(ge=1, le=9)] = 1
    second_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    doubted_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    fusion: Literal["majority", "one_coin", "dawid_skene"] = "majority"
    soft_labels: bool = False
    fuse_drawings: bool = False
    adjudicated: bool = False
    number_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.1
    least_dice: Annotated[float, Field(ge=0, le=1)] = 0.7
    least_overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    repeat_share: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    repeat_days: Annotated[int, Field(ge=1, le=730)] = 30
    practice_cases: Annotated[int, Field(ge=0, le=100)] = 0
    qualification_cases: Annotated[int, Field(ge=0, le=100)] = 0
    qualification_pass: Annotated[float, Field(gt=0, le=1)] = 0.8


class Document(Part):
    """A protocol as it is written: in the editor, in a file, in a template."""

    questions: Annotated[list[Question], Field(min_length=1, max_length=100)]
    settings: Settings = Settings()

    def plain(self) -> dict[str, Any]:
        """Write it as JSON, without what is said by leaving it out."""
        return self.model_dump(mode="json", exclude_defaults=True)


QUESTIONS: TypeAdapter[list[Question]] = TypeAdapter(list[Question])
CHOSEN = ("single", "ordinal", "multi")
SHAPES: tuple[str, ...] = get_args(Shape)


def questions_of(stored: list[dict[str, Any]]) -> list[Question]:
    """Read the questions of a protocol that was checked when it was saved."""
    return QUESTIONS.validate_python(stored)


def schema() -> dict[str, Any]:
    """Describe a protocol document as JSON Schema."""
    return {"$schema": DRAFT} | Document.model_json_schema()
