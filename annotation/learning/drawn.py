"""What is learned of masks and regions: which questions, from which readings, and what is proposed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.learning.files import StoredFile
from annotation.learning.selectors import learning_project
from annotation.projects.answers import asked_of, is_empty
from annotation.projects.models import Case, Project, Protocol
from annotation.projects.questions import Regions, Segmentation, questions_of
from annotation.projects.selectors import protocol_in_force
from annotation.projects.splits import unlearnable_parts
from annotation.readings.models import ReferenceStandard, Revision
from annotation.readings.qualifying import unqualified_in
from annotation.readings.selectors import learned_from, readers_first, revisions_in_force
from jobs.models import Job, Lane

LEARNED_SHAPES = ("box", "ellipse", "polygon", "freehand")
FEWEST_READINGS = 3
# The newest readings that are learned from: each costs a fraction of a second to look at.
MOST_READINGS = 60

Drawable = Segmentation | Regions


@dataclass(frozen=True)
class Drawing:
    """A case with what its newest reading says to one question; None: that there is nothing to draw."""

    case: Case
    answer: Any


def drawn_questions(protocol: Protocol) -> list[Drawable]:
    """List the questions that a pixel head can learn to answer."""
    return [
        one
        for one in questions_of(protocol.questions)
        if isinstance(one, Segmentation) or (isinstance(one, Regions) and one.kind in LEARNED_SHAPES)
    ]


def is_learnable(project_id: UUID) -> bool:
    """Whether enough cases of the pool were drawn on to learn from."""
    keys = [one.key for one in drawn_questions(protocol_in_force(project_id))]
    return any(len(drawn_on(project_id, key)[:FEWEST_READINGS]) == FEWEST_READINGS for key in keys)


def drawn_on(project_id: UUID, key: str) -> QuerySet[Revision, UUID]:
    """Name the pool's cases with a reading that draws something, in no order."""
    pool = learned_from(Revision.objects.all()).filter(
        reading__case__project=project_id, reading__case__stream=Case.Stream.POOL, answers__has_key=key
    )
    learned = pool.exclude(reading__case__part__in=unlearnable_parts(project_id))
    learned = learned.exclude(reader__in=unqualified_in(project_id))
    return learned.order_by().values_list("reading__case", flat=True).distinct()


def drawings(project_id: UUID, question: Drawable) -> list[Drawing]:
    """List what the pool's newest readings draw, one reading a case; for machine work, so not scoped.

    A reader who was asked and drew nothing says that there is nothing; a source says nothing by that. Readers
    come before sources, and what an adjudicator decided stands for both. Readers who do not count yet teach
    nothing.
    """
    newest = learned_from(revisions_in_force()).filter(
        reading__case__project=project_id, reading__case__stream=Case.Stream.POOL
    )
    learned = newest.exclude(reading__case__part__in=unlearnable_parts(project_id))
    learned = learned.exclude(reader__in=unqualified_in(project_id))
    rows = learned.select_related("protocol", "reading__case__series", "reading__case__reference")
    rows = rows.order_by(readers_first(), "-created_at", "-pk")
    found: dict[UUID, Drawing] = {}
    for revision in rows[:MOST_READINGS]:
        if revision.reading.case_id not in found and was_asked(revision, question):
            answer = adjudicated_or(revision).get(question.key)
            found[revision.reading.case_id] = Drawing(
                revision.reading.case, None if is_empty(answer) else answer
            )
    return list(found.values())


def adjudicated_or(revision: Revision) -> Mapping[str, Any]:
    """Give what was decided of a revision's case, else what the revision says."""
    standard = getattr(revision.reading.case, "reference", None)
    is_decided = standard is not None and standard.provenance == ReferenceStandard.Provenance.ADJUDICATED
    answers: Mapping[str, Any] = standard.answers if is_decided and standard else revision.answers
    return answers


def was_asked(revision: Revision, question: Drawable) -> bool:
    """Whether a reading's protocol asked the question, in the same form, given the other answers."""
    if revision.source_id is not None and question.key not in revision.answers:
        return False
    return was_asked_by(revision.protocol, question, revision.answers)


def was_asked_by(protocol: Protocol, question: Drawable, answers: Mapping[str, Any]) -> bool:
    """Whether a protocol asks the question, in the same form, given the other answers."""
    asked = questions_of(protocol.questions)
    same = any(one.key == question.key and one.kind == question.kind for one in asked)
    return same and asked_of(asked, answers)[question.key]


def ask_regions(*, project_id: UUID, by: User | None = None) -> Job | None:
    """Ask the training lane to learn what readers draw, where enough was drawn."""
    if not is_learnable(project_id):
        return None
    return ask_for_project("learn_regions", project_id=project_id, lane=Lane.TRAINING, by=by)


@dataclass(frozen=True)
class Proposed:
    """What a head proposes for a case; scores: 0 – 1, by region id, or of the mask as "mask"."""

    case_id: UUID
    answer: Any
    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        """Mean of the scores; 0 where nothing was found."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else 0.0


@dataclass(frozen=True)
class NewHead:
    """A fitted head's facts."""

    question: str
    kind: str
    classes: Sequence[str]
    artefact: StoredFile
    case_count: int
    quality: Mapping[str, Any]
    seconds: float


@transaction.atomic
def record_head(*, project: Project, job_id: UUID, new: NewHead, now: datetime) -> PixelHead:
    """Note a pixel head; a job makes one for each question, however often it runs."""
    made = PixelHead.objects.filter(job_id=job_id, question=new.question).first()
    if made is not None:
        return made
    Project.objects.select_for_update().get(pk=project.pk)
    mine = PixelHead.objects.filter(project=project, question=new.question).order_by("-number")
    last = mine.values_list("number", flat=True).first() or 0
    return PixelHead.objects.create(
        project=project,
        question=new.question,
        kind=new.kind,
        number=last + 1,
        classes=list(new.classes),
        artefact_name=new.artefact.name,
        artefact_digest=new.artefact.digest,
        case_count=new.case_count,
        quality=dict(new.quality),
        job_id=job_id,
        seconds=new.seconds,
        created_at=now,
    )


@transaction.atomic
def record_suggestions(
    *, head: PixelHead, proposed: Sequence[Proposed], held: Collection[UUID], now: datetime
) -> None:
    """Write what a head proposes, in place of what older heads did.

    held: cases that a reader holds, whose older suggestion may be on screen: it stays.
    """
    cases = [one.case_id for one in proposed if one.case_id not in held]
    older = RegionSuggestion.objects.filter(case__in=cases, question=head.question).exclude(head=head)
    older.delete()
    RegionSuggestion.objects.bulk_create(
        [
            RegionSuggestion(
                case_id=one.case_id,
                question=head.question,
                head=head,
                answer=one.answer,
                scores=dict(one.scores),
                score=one.score,
                created_at=now,
            )
            for one in proposed
        ],
        ignore_conflicts=True,
    )


def heads_for(user: User, project_id: UUID) -> QuerySet[PixelHead]:
    """Pixel heads of a project, newest first.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    heads = PixelHead.objects.filter(project=learning_project(user, project_id))
    return heads.order_by("-created_at", "question")
