"""What readers say of cases beside their answers: comments, flags, questions to colleagues."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Role, User
from annotation.projects.models import Case
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import case_for, is_reader, project_for
from annotation.queue.models import Lease, Remark
from annotation.queue.rules import SECOND_READING
from annotation.queue.telling import tell_answer, tell_question
from annotation.readings.models import Skip
from annotation.readings.rules import check_same
from annotation.readings.services import lock_reader
from audit.services import record

REPLIES_SHOWN = 20
NOTES_SHOWN = 20


@dataclass(frozen=True)
class Said:
    """What a reader says; to: whom a question is for."""

    kind: str
    reason: str
    text: str
    to: UUID | None
    idempotency_key: UUID


@dataclass(frozen=True)
class Remarks:
    """What waits for a reader's reply, what was replied to the reader, and who can be asked."""

    asked: list[Remark]
    replied: list[Remark]
    colleagues: list[User]


@transaction.atomic
def add_remark(*, author: User, case_id: UUID, said: Said, now: datetime) -> Remark:
    """Keep what a reader says of a case that was given to the reader; sending again changes nothing.

    raises: Case.DoesNotExist, ForbiddenError, RefusedError where the colleague does not read here,
            IdempotencyConflictError.
    """
    case = case_for(author, case_id)
    lock_reader(author, case.project_id)
    sent = Remark.objects.filter(author=author, idempotency_key=said.idempotency_key).first()
    if sent is not None:
        return same_remark(sent, case_id, said)
    if not Lease.objects.filter(reader=author, case=case).exists():
        raise Case.DoesNotExist
    if said.to is not None and Lease.objects.filter(case=case, reader=said.to, ended_at=None).exists():
        raise RefusedError(_("this colleague is reading the case right now: ask another, or later"))
    if said.to is not None and is_read_again(author, case):
        raise RefusedError(_("colleagues read this case too, each alone: ask once you have submitted"))
    if said.to is not None and not colleagues_of(author, case.project_id).filter(pk=said.to).exists():
        raise RefusedError(_("only readers of the project can be asked: choose another colleague"))
    remark = Remark.objects.create(
        case=case,
        author=author,
        kind=Remark.Kind(said.kind),
        reason=said.reason,
        text=said.text,
        to_id=said.to,
        idempotency_key=said.idempotency_key,
        created_at=now,
    )
    tell_question(remark, now=now)
    record_remark(author, remark, f"case.{said.kind}")
    return remark


def is_read_again(reader: User, case: Case) -> bool:
    """Whether the reader holds a case as one more reader of it."""
    held = Lease.objects.filter(case=case, reader=reader, ended_at=None)
    return held.filter(pick__reason=SECOND_READING).exists()


def same_remark(sent: Remark, case_id: UUID, said: Said) -> Remark:
    """Check that a key says the same again.

    raises: IdempotencyConflictError.
    """
    then = (sent.case_id, sent.kind, sent.reason, sent.text, sent.to_id)
    now = (case_id, said.kind, said.reason, said.text, said.to)
    check_same(then, now, what="another remark")
    return sent


@transaction.atomic
def reply(*, reader: User, remark_id: UUID, text: str, now: datetime) -> Remark:
    """Answer a question that the reader is asked.

    raises: Remark.DoesNotExist for who is not asked, ForbiddenError for who reads here no more.
    """
    remark = remarks().select_for_update(of=("self",)).get(pk=remark_id, to=reader)
    lock_reader(reader, remark.case.project_id)
    remark.reply, remark.replied_at = text, now
    remark.save(update_fields=["reply", "replied_at"])
    tell_answer(remark, now=now)
    record_remark(reader, remark, "case.reply")
    return remark


def record_remark(actor: User, remark: Remark, action: str) -> None:
    """Audit by the reason; the words are the reader's own and stay out."""
    details = {"remark": str(remark.pk), "reason": remark.reason}
    record(
        actor=str(actor.pk),
        action=action,
        object_type="case",
        object_id=str(remark.case_id),
        details=details,
    )


def remarks() -> QuerySet[Remark]:
    """List remarks with what is shown of them."""
    return Remark.objects.select_related("case", "author", "to")


def remarks_for(reader: User, project_id: UUID) -> Remarks:
    """Collect what concerns a reader of a project, in a number of queries that does not grow.

    raises: Project.DoesNotExist, ForbiddenError for who does not read there.
    """
    project = project_for(reader, project_id)
    if not is_reader(reader, project.pk):
        raise ForbiddenError(_("only readers of the project see its questions: ask for the role"))
    here = remarks().filter(case__project=project, kind=Remark.Kind.QUESTION).order_by("-created_at")
    return Remarks(
        asked=list(here.filter(to=reader, replied_at=None)),
        replied=list(here.filter(author=reader).exclude(replied_at=None)[:REPLIES_SHOWN]),
        colleagues=list(colleagues_of(reader, project.pk)),
    )


def colleagues_of(reader: User, project_id: UUID) -> QuerySet[User]:
    """List the other readers of a project who can sign in."""
    others = User.objects.filter(
        memberships__project=project_id, memberships__role=Role.READER, is_active=True
    )
    return others.exclude(pk=reader.pk).order_by("username")


def remark_for(user: User, remark_id: UUID) -> Remark:
    """Find a question with its case's images, for who asks and who is asked while they are members.

    raises: Remark.DoesNotExist.
    """
    mine = remarks().filter(Q(author=user) | Q(to=user), case__project__memberships__user=user)
    shown = mine.select_related("case__series").prefetch_related("case__series__instances")
    return shown.get(pk=remark_id, kind=Remark.Kind.QUESTION)


@dataclass(frozen=True)
class Note:
    """Something that who manages a project should know of a case."""

    case_number: int
    what: str
    text: str
    by: str
    at: datetime


def notes_for(user: User, project_id: UUID) -> list[Note]:
    """List flags, comments and cases that nobody could read, the newest first; readers see each other's not.

    raises: Project.DoesNotExist.
    """
    project = project_for(user, project_id)
    if is_reader(user, project.pk):
        return []
    said = remarks().filter(case__project=project).exclude(kind=Remark.Kind.QUESTION)
    unread = Skip.objects.filter(case__project=project, is_final=True).select_related("case", "reader")
    notes = [
        Note(one.case.number, what_of(one), one.text, one.author.username, one.created_at)
        for one in said.order_by("-created_at")[:NOTES_SHOWN]
    ] + [
        Note(one.case.number, one.get_reason_display(), one.comment, one.reader.username, one.created_at)
        for one in unread.order_by("-created_at")[:NOTES_SHOWN]
    ]
    return sorted(notes, key=lambda note: note.at, reverse=True)[:NOTES_SHOWN]


def what_of(remark: Remark) -> str:
    """Name a flag by its reason, a comment as one."""
    return remark.get_reason_display() or remark.get_kind_display()
