"""What goes over the wire around reading: remarks, own readings, preferences."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from ninja import Schema
from pydantic import Field, model_validator

from annotation.api.schemas import Body, CaseView, ProtocolView

Words = Annotated[str, Field(max_length=1000)]
Language = Literal["en", "zh-hans"]
Act = Annotated[str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9_]*$")]
Chord = Annotated[str, Field(min_length=1, max_length=32)]
Keys = Annotated[dict[Act, Annotated[list[Chord], Field(max_length=9)]], Field(max_length=120)]


class PreferencesView(Schema):
    """How a person likes to work; keys: only those that were changed."""

    language: Language
    keys: dict[str, list[str]]


class PreferencesBody(Body):
    """How a person likes to work."""

    language: Language
    keys: Keys


class ColleagueView(Schema):
    """Another reader of the project."""

    id: UUID
    username: str


class RemarkBody(Body):
    """A comment, a flag with its reason, or a question to a colleague."""

    idempotency_key: UUID
    kind: Literal["comment", "flag", "question"]
    reason: Literal["", "important", "wrong_data", "burned_in_text", "teaching", "unsure", "other"] = ""
    text: Words = ""
    to: UUID | None = None

    @model_validator(mode="after")
    def is_whole(self) -> Self:
        """Ask for what each kind cannot do without."""
        if self.kind == "flag" and not self.reason:
            raise ValueError("a flag needs a reason")
        if self.kind != "flag" and not self.text.strip():
            raise ValueError("say something")
        if (self.kind == "question") != (self.to is not None):
            raise ValueError("a question, and nothing else, goes to somebody")
        return self


class RemarkView(Schema):
    """What was said of a case, and what was replied."""

    id: UUID
    case_id: UUID
    case_number: int
    kind: Literal["comment", "flag", "question"]
    reason: str
    text: str
    by: str
    to: str | None
    created_at: datetime
    reply: str
    replied_at: datetime | None


class ReturnedView(Schema):
    """An own reading that an adjudicator sent back, and what to look at; it can be revised now."""

    reading_id: UUID
    case_number: int
    modality: str
    comment: str
    returned_at: datetime


class RemarksView(Schema):
    """Questions that wait for the reader's reply, replies to the reader's own, and who can be asked."""

    asked: list[RemarkView]
    replied: list[RemarkView]
    returned: list[ReturnedView]
    colleagues: list[ColleagueView]


class AskedView(Schema):
    """A question to the reader with the case that it is about."""

    remark: RemarkView
    case: CaseView
    protocol: ProtocolView


class ReplyBody(Body):
    """What the colleague says."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]


class OwnReadingView(Schema):
    """One of the reader's own readings; answer: of the first question with choices, in its words."""

    reading_id: UUID
    case_number: int
    modality: str
    revision: int
    answer: str
    submitted_at: datetime
    seconds: float


class TodayView(Schema):
    """The reader's work since a moment: the newest first; median_seconds: own pace of late."""

    readings: list[OwnReadingView]
    read: int
    seconds: float
    median_seconds: float | None
    goal: int | None
