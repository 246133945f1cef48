"""Writes of readings: drafts and revisions; leases are the queue's."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import Role, User
from annotation.projects.answers import problems_in
from annotation.projects.models import Case, Membership, Protocol
from annotation.projects.problems import Problem
from annotation.projects.questions import questions_of
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import protocol_in_force
from annotation.readings.effort import note_effort
from annotation.readings.measuring import Stack, measured, misplaced, needs_images, stack_of
from annotation.readings.models import Draft, Reading, Revision
from annotation.readings.rules import (
    DraftStaleError,
    ProtocolChangedError,
    RevisionStaleError,
    check_same,
    check_seconds,
    check_size,
    refuse_with,
)
from annotation.readings.standards import refresh_reference
from audit.services import record


@dataclass(frozen=True)
class Answered:
    """What a reader sends: answers to a version of the protocol, and the expert time that they took.

    suggestion: what the model had shown the reader, as the queue writes it down.
    """

    answers: dict[str, Any]
    seconds: float
    protocol_version: int
    idempotency_key: UUID
    suggestion: dict[str, Any] | None = None


@dataclass(frozen=True)
class Entered:
    """What a reader has entered so far; a version grows with each save."""

    version: int
    answers: dict[str, Any]
    seconds: float
    protocol_version: int | None = None


class NewerDraftError(DraftStaleError):
    """A newer draft is there already; it comes with the error."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(_("version %d is kept already: go on from it") % draft.version)
        self.draft = draft


def lock_reader(reader: User, project_id: UUID) -> Membership:
    """Take the reader's turn in the project: their writes, and a new ranking, come one after another.

    raises: Membership.DoesNotExist to who is no member, ForbiddenError to who is no reader.
    """
    mine = Membership.objects.select_for_update(of=("self",)).select_related("project")
    membership = mine.filter(user=reader, project=project_id).first()
    if membership is None and not reader.is_admin:
        raise Membership.DoesNotExist
    if membership is None or membership.role != Role.READER:
        raise ForbiddenError(_("only readers of the project read its cases: ask for the role"))
    membership.user = reader
    return membership


@transaction.atomic
def keep_draft(*, reader: User, case_id: UUID, entered: Entered, now: datetime) -> Draft:
    """Keep what a reader has entered so far; sending a version again changes nothing.

    raises: NewerDraftError, with the draft that is newer; AnswersTooLargeError.
    """
    check_seconds(entered.seconds)
    check_size(entered.answers)
    values = vars(entered)
    draft = Draft.objects.select_for_update().filter(case=case_id, reader=reader).first()
    if draft is not None and draft.version >= entered.version:
        if Entered(draft.version, draft.answers, draft.seconds, draft.protocol_version) == entered:
            return draft
        raise NewerDraftError(draft)
    draft, _made = Draft.objects.update_or_create(
        case_id=case_id, reader=reader, defaults=values | {"updated_at": now}
    )
    return draft


def revision_sent_before(*, reader: User, case_id: UUID, answered: Answered) -> Revision | None:
    """Find the revision that this very message made, if it came before.

    raises: IdempotencyConflictError where the key made something else.
    """
    made = (
        Revision.objects.select_related("reading", "protocol")
        .filter(reader=reader, idempotency_key=answered.idempotency_key)
        .first()
    )
    if made is None:
        return None
    then = (made.reading.case_id, made.answers, made.protocol.version)
    now = (case_id, answered.answers, answered.protocol_version)
    check_same(then, now, what="other answers")
    return made


@dataclass(frozen=True)
class Examined:
    """Answers held against a protocol and the case's images, and measured; nothing is locked for it."""

    protocol: Protocol
    problems: list[Problem]
    measurements: dict[str, Any]


def examine(
    *, case: Case, protocol: Protocol, answered: Answered, stack: Stack | None = None, is_whole: bool = True
) -> Examined:
    """Hold answers against what was asked; images are loaded only where answers name them.

    stack:    the case's frames, where they are loaded already.
    is_whole: whether what must be answered is missed; a source answers what it can.
    raises:   AnswersTooLargeError.
    """
    answers = answered.answers
    check_size(answers)
    questions = questions_of(protocol.questions)
    problems = [one for one in problems_in(questions, answers) if is_whole or one.code != "missing"]
    if problems or not needs_images(questions, answers):
        return Examined(protocol, problems, {})
    stack = stack or stack_of(case.series)
    problems = misplaced(questions, answers, stack)
    if problems:
        return Examined(protocol, problems, {})
    return Examined(protocol, [], measured(questions, answers, stack))


def check_protocol(examined: Examined, answered: Answered) -> None:
    """Refuse answers to another version of the protocol, and those that have problems.

    raises: ProtocolChangedError, AnswersInvalidError.
    """
    if examined.protocol.version != answered.protocol_version:
        raise ProtocolChangedError(
            _("the protocol is at version %(newest)d, the answers are to %(answered)d: load the case again")
            % {"newest": examined.protocol.version, "answered": answered.protocol_version}
        )
    refuse_with(examined.problems)
    check_seconds(answered.seconds)


def add_reading(
    *, reader: User, case: Case, examined: Examined, answered: Answered, now: datetime
) -> Revision:
    """Write a reader's first answers to a case and fuse its reference standard; the draft is done with.

    Runs in the transaction of who checked the lease, the protocol and the key.
    """
    reading = Reading.objects.create(case=case, reader=reader, created_at=now, updated_at=now)
    revision = add_revision(reading=reading, number=1, examined=examined, answered=answered, now=now)
    Draft.objects.filter(case=case, reader=reader).delete()
    return revision


def add_revision(
    *, reading: Reading, number: int, examined: Examined, answered: Answered, now: datetime
) -> Revision:
    """Write one immutable revision and fuse the case's readings anew."""
    revision = Revision.objects.create(
        reading=reading,
        reader_id=reading.reader_id,
        number=number,
        protocol=examined.protocol,
        answers=answered.answers,
        measurements=examined.measurements,
        seconds=answered.seconds,
        suggestion=answered.suggestion,
        idempotency_key=answered.idempotency_key,
        created_at=now,
    )
    refresh_reference(case_id=reading.case_id, now=now)
    note_effort(revision)
    return revision


def revise(
    *,
    reader: User,
    reading_id: UUID,
    base_revision: int,
    answered: Answered,
    now: datetime,
    within: Callable[[Reading], AbstractContextManager[None]] = lambda _reading: nullcontext(),
) -> Revision:
    """Change one's own reading: a new revision; the older ones stay.

    It answers the protocol in force, or the version that the reading answered before.
    within: says if it may be changed now, and does what follows, in the same transaction.
    raises: Reading.DoesNotExist, RevisionStaleError, ProtocolChangedError, AnswersInvalidError,
            AnswersTooLargeError, IdempotencyConflictError.
    """
    reading = Reading.objects.select_related("case__series").get(pk=reading_id, reader=reader)
    protocol = protocol_to_revise(reading, answered.protocol_version)
    examined = examine(case=reading.case, protocol=protocol, answered=answered)
    with transaction.atomic():
        lock_reader(reader, reading.case.project_id)
        sent = revision_sent_before(reader=reader, case_id=reading.case_id, answered=answered)
        if sent is not None:
            return sent
        newest = reading.revisions.aggregate(newest=Max("number"))["newest"]
        if newest != base_revision:
            raise RevisionStaleError(
                _("the reading is at revision %(newest)d, not %(base)d: load it again")
                % {"newest": newest, "base": base_revision}
            )
        check_protocol(examined, answered)
        with within(reading):
            revision = add_revision(
                reading=reading, number=newest + 1, examined=examined, answered=answered, now=now
            )
        Reading.objects.filter(pk=reading.pk).update(updated_at=now)
        record_revision(revision, "reading.revise")
    return revision


def protocol_to_revise(reading: Reading, version: int) -> Protocol:
    """Choose the version that the reading answered before, where it is answered again; else the newest."""
    answered = Protocol.objects.filter(version=version, pk__in=reading.revisions.values("protocol")).first()
    return answered or protocol_in_force(reading.case.project_id)


def record_revision(revision: Revision, action: str) -> None:
    """Audit a label write: by pseudonym, without the answer."""
    record(
        actor=str(revision.reader_id),
        action=action,
        object_type="case",
        object_id=str(revision.reading.case_id),
        details={"reading": str(revision.reading_id), "revision": revision.number},
    )
