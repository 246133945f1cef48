"""What an adjudicator does: decide, send back, look at what the model thinks. One transaction each.

Every act is a row of its own that nothing changes; the newest is in force, and undoing one is one more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from annotation.learning.drawn import drawn_questions
from annotation.learning.drawn_models import RegionSuggestion
from annotation.projects.answers import asked_of, problems_in
from annotation.projects.models import Case, Part
from annotation.projects.rules import RefusedError
from annotation.queue.disputes import dispute_for, judge
from annotation.queue.drawn import still_fits
from annotation.queue.models import Entry, Pick
from annotation.queue.sides import Sides
from annotation.queue.submissions import refit_where_due
from annotation.queue.suggestions import question_of
from annotation.queue.telling import tell_returned
from annotation.readings.adjudication_models import Decision, Dispute
from annotation.readings.effort import Worker, note_decision
from annotation.readings.rules import check_same, check_seconds, refuse_with
from annotation.readings.services import Answered, Examined, examine
from annotation.readings.standards import fused_of, refresh_reference
from audit.services import record

LONGEST_COMMENT = 1000


class DisputeStaleError(RefusedError):
    """Somebody acted on the dispute since it was opened."""

    code: ClassVar[str] = "dispute_stale"


@dataclass(frozen=True)
class Verdict:
    """What an adjudicator decides: whose answer stands, by question and letter, or an own answer."""

    base_version: int
    idempotency_key: UUID
    take: Mapping[str, str] = field(default_factory=dict)
    answers: dict[str, Any] | None = None
    seconds: float = 0.0


def decide(*, user: User, dispute_id: UUID, verdict: Verdict, now: datetime) -> Decision:
    """Make what an adjudicator decides the case's reference standard; the same message again changes nothing.

    What was decided before can be decided otherwise: a new decision, and the older one stays.
    raises: Dispute.DoesNotExist, ForbiddenError, DisputeStaleError, RefusedError, AnswersInvalidError,
            IdempotencyConflictError.
    """
    check_seconds(verdict.seconds)
    seen = dispute_for(user, dispute_id)
    act = Decision.Act.TAKEN if verdict.answers is None else Decision.Act.EDITED
    sent = dict(verdict.take) if verdict.answers is None else verdict.answers
    made = decided_before(user, seen, verdict.idempotency_key, (act, sent))
    if made is not None:
        return made
    sides = Sides(seen.case_id, seen.pk)
    answers = composed(sides, seen, verdict)
    examined = examined_in(seen, sides, answers, verdict)
    with transaction.atomic():
        dispute = dispute_for(user, dispute_id, lock=True)
        made = decided_before(user, dispute, verdict.idempotency_key, (act, sent))
        if made is not None:
            return made
        check_version(dispute, verdict.base_version)
        sides = same_sides(dispute, sides)
        taken = {} if verdict.answers is not None else taken_in(sides, dispute, verdict.take)
        facts = {
            "act": act,
            "taken": taken,
            "sent": dict(verdict.take),
            "answers": answers,
            "measurements": examined.measurements,
            "seconds": verdict.seconds,
            "created_at": now,
        }
        decision = write_act(dispute, user, verdict.idempotency_key, sides, facts)
        note_decision(Worker(dispute.project_id, user.pk), verdict.seconds, now)
        put(dispute, Dispute.State.DECIDED, now)
        refresh_reference(case_id=dispute.case_id, now=now)
        record_act(user, dispute, f"dispute.{act}", decision)
    refit_where_due(dispute.project_id)
    return decision


@dataclass(frozen=True)
class Return:
    """Why a case goes back to its readers."""

    base_version: int
    idempotency_key: UUID
    comment: str


def send_back(*, user: User, dispute_id: UUID, asked: Return, now: datetime) -> Decision:
    """Give a case to its readers again, who may revise now; the same message again changes nothing.

    raises: as decide.
    """
    words = " ".join(asked.comment.split())
    if not 1 <= len(words) <= LONGEST_COMMENT:
        raise RefusedError(
            _("the comment has %(count)d characters: tell readers in 1 to %(most)d what to look at")
            % {"count": len(words), "most": LONGEST_COMMENT}
        )
    with transaction.atomic():
        dispute = dispute_for(user, dispute_id, lock=True)
        act = Decision.Act.RETURNED
        made = decided_before(user, dispute, asked.idempotency_key, (act, words))
        if made is not None:
            return made
        check_version(dispute, asked.base_version)
        sides = Sides(dispute.case_id, dispute.pk)
        facts = {"act": act, "comment": words, "created_at": now}
        decision = write_act(dispute, user, asked.idempotency_key, sides, facts)
        dispute.awaited = {str(one.reading_id): one.number for one in sides.revisions}
        put(dispute, Dispute.State.RETURNED, now)
        tell_returned(case_id=dispute.case_id, readings=dispute.awaited, version=dispute.version, now=now)
        judge(case_id=dispute.case_id, project_id=dispute.project_id, now=now)
        refresh_reference(case_id=dispute.case_id, now=now)
        record_act(user, dispute, "dispute.returned", decision)
    return decision


def composed(sides: Sides, dispute: Dispute, verdict: Verdict) -> dict[str, Any]:
    """Give the answers that a verdict makes the reference standard.

    All from one reader: that reader's. From several: each disputed question as it was taken, the others as
    fusion has them; what is not asked then is left out.
    """
    if verdict.answers is not None:
        return verdict.answers
    taken = checked_letters(sides, dispute, verdict.take)
    if len({*taken.values()}) == 1:
        return dict(sides.side(next(iter(taken.values()))).revision.answers)
    settled = {key: sides.side(letter).given.answers.get(key) for key, letter in taken.items()}
    fused = (fused_of(sides.revisions, settled) or {}).get("answers", {})
    answers = {**fused, **{key: answer for key, answer in settled.items() if answer is not None}}
    asked = asked_of(sides.questions, answers)
    return {key: answer for key, answer in answers.items() if asked.get(key)}


def checked_letters(sides: Sides, dispute: Dispute, take: Mapping[str, str]) -> dict[str, str]:
    """Check that every disputed question is decided, for a reader whom there is.

    raises: RefusedError.
    """
    missing = [key for key in dispute.keys if key not in take]
    if missing or not take:
        raise RefusedError(
            _("nothing is decided on “%s”: decide every question in dispute") % ", ".join(missing)
        )
    unknown = sorted({*take} - {*dispute.keys})
    if unknown:
        raise RefusedError(_("“%s” is not in dispute: leave it out") % ", ".join(unknown))
    return {key: sides.side(letter).letter for key, letter in take.items()}


def taken_in(sides: Sides, dispute: Dispute, take: Mapping[str, str]) -> dict[str, str]:
    """Name whose answer was taken, by question: the reading's id."""
    letters = checked_letters(sides, dispute, take)
    return {key: str(sides.side(letter).revision.reading_id) for key, letter in letters.items()}


def examined_in(dispute: Dispute, sides: Sides, answers: dict[str, Any], verdict: Verdict) -> Examined:
    """Hold a decision's answers against the protocol and the images.

    raises: AnswersInvalidError, AnswersTooLargeError.
    """
    refuse_with(problems_in(sides.questions, answers))
    answered = Answered(answers, verdict.seconds, sides.protocol.version, verdict.idempotency_key)
    examined = examine(case=dispute.case, protocol=sides.protocol, answered=answered)
    refuse_with(examined.problems)
    return examined


def decided_before(user: User, dispute: Dispute, key: UUID, sent: tuple[str, object]) -> Decision | None:
    """Find what this very message made, whatever readers have said since.

    sent:   the act, and the letters, answers or words that came with it.
    raises: IdempotencyConflictError where the key was used on another case, or for something else.
    """
    made = Decision.objects.filter(by=user, idempotency_key=key).first()
    if made is not None:
        check_same(made.dispute_id, dispute.pk, what="another case")
        then: dict[str, object] = {"taken": made.sent, "edited": made.answers, "returned": made.comment}
        check_same((made.act, then[made.act]), sent, what="another decision")
    return made


def check_version(dispute: Dispute, base_version: int) -> None:
    """Refuse to act on what somebody has acted on since.

    raises: DisputeStaleError.
    """
    if dispute.version != base_version:
        raise DisputeStaleError(
            _("the case is at version %(newest)d, not %(base)d: load it again")
            % {"newest": dispute.version, "base": base_version}
        )


def same_sides(dispute: Dispute, examined: Sides) -> Sides:
    """Read what readers say of a locked dispute, who say what was examined before it was locked.

    raises: DisputeStaleError.
    """
    sides = Sides(dispute.case_id, dispute.pk)
    if sides.digest != examined.digest:
        raise DisputeStaleError(_("a reader answered the case just now: load it again"))
    return sides


def write_act(dispute: Dispute, user: User, key: UUID, sides: Sides, facts: Mapping[str, Any]) -> Decision:
    """Write one act, with what the model had shown the adjudicator before."""
    newest = dispute.decisions.aggregate(newest=Max("number"))["newest"] or 0
    return Decision.objects.create(
        dispute=dispute,
        by=user,
        number=newest + 1,
        protocol=sides.protocol,
        suggestion=dispute.shown.get(str(user.pk)),
        idempotency_key=key,
        **facts,
    )


def put(dispute: Dispute, state: Dispute.State, now: datetime) -> None:
    """Put a dispute into a state by an act."""
    dispute.state, dispute.version, dispute.changed_at = state, dispute.version + 1, now
    dispute.save(update_fields=["state", "version", "changed_at", "awaited"])


def record_act(user: User, dispute: Dispute, action: str, decision: Decision | None = None) -> None:
    """Audit who acted on a case; answers and words stay in the rows."""
    details = {"dispute": str(dispute.pk)} | ({"decision": decision.number} if decision else {})
    record(
        actor=str(user.pk),
        action=action,
        object_type="case",
        object_id=str(dispute.case_id),
        details=details,
    )


def show_suggestion(*, user: User, dispute_id: UUID, now: datetime) -> dict[str, Any]:
    """Give what the model would say of the disputed questions, and note that this person has seen it.

    returns: probabilities by choice of one question (none: nothing is kept of it), proposals by question.
    raises:  Dispute.DoesNotExist, ForbiddenError, RefusedError where the case's label judges models.
    """
    with transaction.atomic():
        dispute = dispute_for(user, dispute_id, lock=True)
        if dispute.case.stream == Case.Stream.AUDIT or dispute.case.part in (Part.VAL, Part.TEST):
            raise RefusedError(_("models are judged by this case: it is decided without what they say of it"))
        seen: dict[str, Any] | None = dispute.shown.get(str(user.pk))
        if seen is not None:
            return seen
        found = suggested(dispute)
        dispute.shown |= {str(user.pk): found | {"shown": "on_demand", "at": now.isoformat()}}
        dispute.save(update_fields=["shown"])
        record_act(user, dispute, "dispute.suggestion")
        shown: dict[str, Any] = dispute.shown[str(user.pk)]
        return shown


def suggested(dispute: Dispute) -> dict[str, Any]:
    """Find what the model said of a case when it was given out, else as it stands in the queue."""
    protocol = Sides(dispute.case_id, dispute.pk).protocol
    question = question_of(protocol)
    picks = Pick.objects.filter(lease__case=dispute.case_id, lease__slot=0, probabilities__isnull=False)
    kept = picks.order_by("-lease__created_at").values_list("probabilities", flat=True).first()
    kept = kept or Entry.objects.filter(case=dispute.case_id).values_list("probabilities", flat=True).first()
    asked = {one.key: one for one in drawn_questions(protocol) if one.key in dispute.keys}
    rows = RegionSuggestion.objects.filter(case=dispute.case_id, question__in=asked).select_related("head")
    drawn = {
        one.question: {"answer": one.answer, "version": one.head.number}
        for one in rows.order_by("created_at", "pk")
        if still_fits(asked[one.question], one)
    }
    is_asked = question.key in dispute.keys
    return {"question": question.key, "probabilities": kept if is_asked else None, "drawn": drawn}
