"""What goes over the wire: JSON in and out of /api/v1."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from annotation.projects.questions import Question, Settings

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
# What a column of whole numbers holds, and a key's.
LARGEST, LARGEST_KEY = 2**31 - 1, 2**63 - 1
Version = Annotated[int, Field(ge=1, le=LARGEST)]
Number = Annotated[int, Field(ge=1, le=LARGEST)]
Key = Annotated[str, Field(min_length=1, max_length=64)]
Answers = Annotated[dict[Key, Any], Field(max_length=100)]


class Problem(Schema):
    """What went wrong (RFC 9457); code is for programs, detail for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class AnswerProblem(Schema):
    """What is wrong with an answer or a protocol, and where: "finding", "questions.2.choices.0.value"."""

    at: str
    code: str
    message: str


class AnswersProblem(Problem):
    """answers_invalid and protocol_invalid come with every problem; other codes without."""

    problems: list[AnswerProblem] = []


class ProtocolView(Schema):
    """What is asked, in the version that an answer names, and how."""

    version: int
    questions: list[Question]
    settings: Settings


class DraftView(Schema):
    """What a reader has entered so far; the protocol may have changed since, null: not known."""

    version: int
    protocol_version: int | None
    answers: Answers
    seconds: float


class DraftProblem(Problem):
    """draft_stale comes with the newer draft; lease_lost without."""

    draft: DraftView | None = None


class InstanceView(Schema):
    """One stored image; attributes by DICOM keyword."""

    sop_instance_uid: str
    instance_number: int
    frames: int
    attributes: dict[str, Any]


class CaseView(Schema):
    """One thing to read, its images in reading order."""

    id: UUID
    number: int
    modality: str
    instances: list[InstanceView]


class WhyView(Schema):
    """Why a case was chosen; rank counts from 1, null where no ranking had reached the case.

    uncertainty: of the model, 0 – 1; null where no model has seen the case, and in the audit stream.
    """

    reason: str
    stream: Literal["pool", "audit", "held_out"]
    score: float | None
    rank: int | None
    pool_size: int
    model_number: int | None
    strategy: str | None
    text: str
    uncertainty: float | None


class DrawnSuggestionView(Schema):
    """A mask or regions that a model proposes; scores: 0 – 1, by region id, or of the mask as "mask"."""

    question: str
    answer: Any
    scores: dict[str, float]
    version: int


class SuggestionView(Schema):
    """What the model would answer and draw; no probabilities, nothing drawn: nothing is shown."""

    mode: Literal["never", "on_demand", "after_answer", "from_start"]
    question: str
    probabilities: dict[str, float] | None
    drawn: list[DrawnSuggestionView] = []


class LeasedCaseView(Schema):
    """A case that the reader holds until a time."""

    lease_id: UUID
    expires_at: datetime
    case: CaseView
    protocol: ProtocolView
    draft: DraftView | None
    why: WhyView
    suggestion: SuggestionView


class ProgressView(Schema):
    """How far the project is."""

    read_by_me: int
    read: int
    waiting: int
    total: int


class HaltView(Schema):
    """Why a reader is given no case, and from which day on again; null: until somebody changes it."""

    code: Literal["paused", "away", "skills", "weekly_cases", "weekly_hours"]
    back_on: date | None
    skills: list[str]


class PracticeView(Schema):
    """How far a new reader is with cases of known answer."""

    phase: Literal["practice", "test"]
    done: int
    wanted: int


class WorkloadView(Schema):
    """The current case, then those ahead; no case: nothing is left, or the workload says halt."""

    cases: list[LeasedCaseView]
    progress: ProgressView
    halt: HaltView | None = None
    practice: PracticeView | None = None


class ProjectView(Schema):
    """A project in its member's list."""

    id: UUID
    name: str
    role: Literal["reader", "ml_staff", "admin"]
    waiting: int
    read_by_me: int
    labels: int


class RenewalView(Schema):
    """Until when a case is held."""

    expires_at: datetime


class Body(Schema):
    """A request's body: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class DraftBody(Body):
    """A draft to keep."""

    lease_id: UUID
    version: Version
    answers: Answers
    seconds: Seconds
    protocol_version: Version | None = None


class DraftVersionView(Schema):
    """The version that is kept."""

    version: int


class ShownBody(Body):
    """When the reader saw the suggestion, and what was answered before it was seen; when: empty: not seen.

    drawn: when masks and regions were seen, by question. taken: questions whose proposed mask was taken.
    """

    when: Literal["", "before_answer", "after_answer"] = ""
    first: dict[str, Any] = Field(default_factory=dict, max_length=64)
    drawn: Annotated[dict[Key, Literal["before_answer", "after_answer"]], Field(max_length=100)] = {}
    taken: Annotated[list[Key], Field(max_length=100)] = []


class ReadingBody(Body):
    """Answers to a case, and what was seen of the model's suggestion before."""

    lease_id: UUID
    idempotency_key: UUID
    answers: Answers
    seconds: Seconds
    protocol_version: Version
    suggestion: ShownBody | None = None


class ToldView(Schema):
    """What a reader is told after a case of known answer: in practice the reference; of a test how it ended.

    differs_in: keys of the questions on which the reader's answers differ from the reference.
    has_passed, right, of: where this answer was the test's last.
    """

    phase: Literal["practice", "test"]
    standing: PracticeView | None
    is_right: bool | None
    answers: Answers
    reference: Answers
    differs_in: list[str]
    comment: str
    has_passed: bool | None
    right: int
    of: int


class SubmittedView(Schema):
    """The reading that was made, and what is next; told: after a case of known answer."""

    reading_id: UUID
    revision: int
    workload: WorkloadView
    told: ToldView | None = None


class SkipBody(Body):
    """Why a case is passed on."""

    lease_id: UUID
    idempotency_key: UUID
    reason: Literal[
        "quality", "wrong_examination", "outside_expertise", "burned_in_text", "incomplete", "other"
    ]
    comment: Annotated[str, Field(max_length=500)] = ""
    cannot_be_read: bool = False


class SkippedView(Schema):
    """What is next after a skip."""

    workload: WorkloadView


class PastReadingView(Schema):
    """The reader's last answers, to be looked at again; comment: why they were sent back, if they were."""

    reading_id: UUID
    revision: int
    case: CaseView
    protocol: ProtocolView
    answers: Answers
    measurements: dict[str, Any]
    submitted_at: datetime
    comment: str | None = None


class RevisionBody(Body):
    """Changed answers, and the revision that they were made from."""

    idempotency_key: UUID
    base_revision: Version
    answers: Answers
    seconds: Seconds
    protocol_version: Version


class RevisionView(Schema):
    """The revision that was made."""

    revision: int


class PersonView(Schema):
    """Who is signed in."""

    id: UUID
    username: str
    is_admin: bool


class SessionView(Schema):
    """The session: X-CSRFToken for unsafe verbs, how long it lives without a request.

    journal_keys: AES-256, base64; the first seals what the browser keeps, all of them open it.
    """

    user: PersonView
    csrf_token: str
    idle_seconds: int
    journal_keys: list[str]
