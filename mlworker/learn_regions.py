"""The job's body that learns what readers draw: drawn cases in, pixel heads and suggestions out."""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from django.utils import timezone

from annotation.learning import drawn
from annotation.learning.drawn import Drawable, Drawing, Proposed
from annotation.learning.drawn_models import PixelHead as HeadRow
from annotation.learning.files import keep
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.pool import held_cases, next_to_read
from mlworker.regions.artefact import packed
from mlworker.regions.filters import working_shape
from mlworker.regions.head import PixelHead, Quality, Seen, fitted
from mlworker.regions.looking import Frames, labels_of, seen_in
from mlworker.regions.proposing import MOST_FRAMES, proposed
from mlworker.runtime import Work

log = logging.getLogger(__name__)
UNREADABLE = (ValueError, KeyError, FileNotFoundError)
LONGEST, LONGEST_OF_STACK, STACK = 512, 256, 4
AHEAD = 50
# Working pixels that a head looks at in a turn: about a minute on one core.
MOST_PIXELS = 8_000_000


@dataclass(frozen=True)
class Learned:
    """A head with what it is to propose; started: by the monotonic clock."""

    question: Drawable
    head: PixelHead
    quality: Quality
    cases: int
    started: float


def learn_regions(work: Work, project_id: str) -> None:
    """Learn each drawn question of a project, and propose for the next cases; all of it commits or none."""
    project = Project.objects.get(pk=project_id)
    if HeadRow.objects.filter(job_id=work.job_id).exists():
        return
    learned = [
        one
        for question in drawn.drawn_questions(protocol_in_force(project.pk))
        if (one := learned_of(work, project, question)) is not None
    ]
    cases = next_to_read(project.pk, AHEAD)
    proposals = [proposals_of(work, one, cases) for one in learned]
    with work.commit():
        held = held_cases(project.pk)
        for one, proposals_made in zip(learned, proposals, strict=True):
            now = timezone.now()
            row = drawn.record_head(project=project, job_id=work.job_id, new=new_head(one), now=now)
            drawn.record_suggestions(head=row, proposed=proposals_made, held=held, now=now)


def learned_of(work: Work, project: Project, question: Drawable) -> Learned | None:
    """Fit a question's head; None where too few cases were drawn on."""
    started = time.monotonic()
    drawings = drawn.drawings(project.pk, question)
    if sum(one.answer is not None for one in drawings) < drawn.FEWEST_READINGS:
        return None
    longest = longest_of(drawings)
    seen: list[Seen] = []
    for number, drawing in enumerate(drawings):
        work.progress(0.3 * number / len(drawings), f"Looking at {len(drawings)} read cases")
        seen += readable(question, drawing, number, longest)
    classes = [one.value for one in labels_of(question)]
    head, quality = fitted(question.kind, classes, seen, longest=longest)
    return Learned(question, head, quality, len(drawings), started)


def longest_of(drawings: Sequence[Drawing]) -> int:
    """Choose the working size: stacks have many images, and are looked at smaller."""
    frames = median(len(Frames.of(one.case).pictures) for one in drawings)
    return LONGEST_OF_STACK if frames > STACK else LONGEST


def readable(question: Drawable, drawing: Drawing, number: int, longest: int) -> list[Seen]:
    """Read what a drawn case teaches; a case that cannot be read is logged by its id and left out."""
    try:
        return seen_in(question, drawing, number, longest)
    except UNREADABLE as error:
        log.warning("case %s cannot be learned from: %s", drawing.case.pk, error)
        return []


def proposals_of(work: Work, learned: Learned, cases: Sequence[Case]) -> list[Proposed]:
    """Propose for the next cases, until enough pixels were looked at."""
    found, pixels = [], 0
    version = uuid.uuid5(work.job_id, learned.question.key)
    for number, case in enumerate(cases):
        work.progress(0.3 + 0.7 * number / len(cases), f"Drawing on the next {len(cases)} cases")
        try:
            pixels += pixels_of(case, learned.head.longest)
            one = proposed(learned.head, learned.question, case, version=version)
        except UNREADABLE as error:
            log.warning("case %s cannot be drawn on: %s", case.pk, error)
            continue
        found += [one] if one is not None else []
        if pixels >= MOST_PIXELS:
            break
    return found


def pixels_of(case: Case, longest: int) -> int:
    """Count the working pixels of a case."""
    frames = Frames.of(case)
    rows, columns = working_shape(frames.shape(0), longest)
    return rows * columns * min(len(frames.pictures), MOST_FRAMES)


def new_head(learned: Learned) -> drawn.NewHead:
    """Store the artefact, and say what is to be written of it."""
    quality = asdict(learned.quality) | {"threshold": learned.head.threshold}
    return drawn.NewHead(
        question=learned.question.key,
        kind=learned.question.kind,
        classes=learned.head.classes,
        artefact=keep(packed(learned.head), folder="artefacts", suffix=".safetensors"),
        case_count=learned.cases,
        quality=quality,
        seconds=round(time.monotonic() - learned.started, 2),
    )
