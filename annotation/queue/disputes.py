"""Cases on which readers differ: when one is in dispute, and who may judge it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from annotation.projects.models import Membership, Project
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import adjudicates_in, project_for, protocol_in_force, settings_in
from annotation.queue.knowing import spoken_of
from annotation.queue.limits import gone
from annotation.queue.models import Entry
from annotation.queue.sides import Sides
from annotation.queue.telling import tell_dispute
from annotation.readings.adjudication_models import HELD, Dispute
from annotation.readings.models import Reading, Revision
from annotation.readings.standards import refresh_reference


class ReadingClosedError(RefusedError):
    """All readings of the case are in: none may follow another."""

    code: ClassVar[str] = "reading_closed"


def judge(*, case_id: UUID, project_id: UUID, now: datetime) -> None:
    """See whether a case is in dispute now that something was said of it; in the caller's transaction.

    What an adjudicator decided stands. A case that was sent back returns when all its readers have answered,
    and is settled as soon as they agree.
    """
    if not settings_in(protocol_in_force(project_id)).adjudicated:
        return
    dispute = Dispute.objects.select_for_update().filter(case=case_id).first()
    is_done = Entry.objects.filter(case=case_id, state=Entry.State.DONE).exists()
    if dispute is None and not is_done:
        return
    sides = Sides(case_id, dispute.pk if dispute else case_id)
    if dispute is not None:
        note_readings(dispute, sides)
        if dispute.state == Dispute.State.DECIDED:
            return
    keys = sides.keys()
    if dispute is None and keys:
        made = Dispute.objects.create(
            case_id=case_id,
            project_id=project_id,
            keys=keys,
            digest=sides.digest,
            opened_at=now,
            changed_at=now,
        )
        tell_dispute(made, now=now)
    elif dispute is not None:
        change(dispute, state_after(dispute, keys, sides.revisions), keys, now)
    if keys or dispute is not None:
        refresh_reference(case_id=case_id, now=now)


def note_readings(dispute: Dispute, sides: Sides) -> None:
    """Let the version grow where other revisions are in force than it tells of: letters may mean others."""
    if dispute.digest == sides.digest:
        return
    dispute.digest, dispute.version = sides.digest, dispute.version + 1
    dispute.save(update_fields=["digest", "version"])


def state_after(dispute: Dispute, keys: Sequence[str], revisions: Sequence[Revision]) -> Dispute.State:
    """Say who is to act, given what is disputed now."""
    if not keys:
        return Dispute.State.AGREED
    is_away = dispute.state == Dispute.State.RETURNED and bool(awaited(dispute, revisions))
    return Dispute.State.RETURNED if is_away else Dispute.State.OPEN


def awaited(dispute: Dispute, revisions: Sequence[Revision]) -> list[UUID]:
    """Name the readings that are not answered since the case was sent back, of those who still can.

    Who is paused or away for a while still can; who is gone for long (limits.gone) cannot.
    """
    asked: Mapping[str, int] = dispute.awaited
    due = {one.reader_id: one for one in revisions if one.number == asked.get(str(one.reading_id))}
    here = Membership.objects.filter(project=dispute.project_id, user__in=due, user__is_active=True)
    here = here.filter(role="reader").exclude(gone(timezone.now()))
    readers = {*here.values_list("user", flat=True)}
    return [one.reading_id for reader, one in due.items() if reader in readers]


def change(dispute: Dispute, state: Dispute.State, keys: Sequence[str], now: datetime) -> None:
    """Write what a dispute is now, and tell where it waits anew; nothing where it stays as it is."""
    if (dispute.state, dispute.keys) == (state, list(keys)):
        return
    waits_anew = state == Dispute.State.OPEN != dispute.state
    dispute.state, dispute.keys = state, list(keys) or dispute.keys
    dispute.version, dispute.changed_at = dispute.version + 1, now
    dispute.save(update_fields=["state", "keys", "version", "changed_at"])
    if waits_anew:
        tell_dispute(dispute, now=now)


def withdraw_all(project_id: UUID, now: datetime) -> None:
    """Give up the disputes that nobody has decided, one transaction each; for who adjudicates no more."""
    held = Dispute.objects.filter(project=project_id, state__in=HELD)
    for dispute_id in list(held.values_list("pk", flat=True)):
        with transaction.atomic():
            dispute = Dispute.objects.select_for_update().get(pk=dispute_id)
            if dispute.is_held:
                change(dispute, Dispute.State.WITHDRAWN, dispute.keys, now)
                refresh_reference(case_id=dispute.case_id, now=now)


@contextmanager
def within_design(reading: Reading, now: datetime) -> Iterator[None]:
    """Let a reading be revised where its project's design lets it be, and see what that settles.

    The case's place is locked first, as where a reading is taken: neither misses what the other says.
    raises: ReadingClosedError where all readings of an adjudicated case are in, in dispute or not: it tells
            nothing of what the others said.
    """
    project_id = reading.case.project_id
    Entry.objects.select_for_update().filter(case=reading.case_id).first()
    refuse_closed(reading.case_id, project_id)
    yield
    judge(case_id=reading.case_id, project_id=project_id, now=now)


def refuse_closed(case_id: UUID, project_id: UUID) -> None:
    """Refuse to revise what was said of a case of an adjudicated project where no reader may now.

    raises: ReadingClosedError.
    """
    if settings_in(protocol_in_force(project_id)).adjudicated and is_closed(case_id):
        raise ReadingClosedError(
            _("all readings of this case are in: it can be revised only where it is sent back to you")
        )


def is_closed(case_id: UUID) -> bool:
    """Whether no reader may revise a case of an adjudicated project now: all are in, or in dispute."""
    state = Dispute.objects.filter(case=case_id).values_list("state", flat=True).first()
    if state is not None and state != Dispute.State.WITHDRAWN:
        return state != Dispute.State.RETURNED
    is_done = Entry.objects.filter(case=case_id, state=Entry.State.DONE).exists()
    return is_done and Reading.objects.filter(case=case_id, reader__isnull=False).count() > 1


def adjudicated_project(user: User, project_id: UUID) -> Project:
    """Find a project whose disputes the person judges.

    raises: Project.DoesNotExist, ForbiddenError to who is no adjudicator of it.
    """
    project = project_for(user, project_id)
    if not adjudicates_in(user, project.pk):
        raise ForbiddenError(_("only adjudicators of the project see its disputes: ask an administrator"))
    return project


def disputes_for(user: User, project_id: UUID) -> QuerySet[Dispute]:
    """List the disputes that the person may judge, oldest first: never over a case that they read.

    raises: as adjudicated_project.
    """
    project = adjudicated_project(user, project_id)
    rows = Dispute.objects.filter(independent_of(user), project=project).exclude(
        state=Dispute.State.WITHDRAWN
    )
    return rows.select_related("case__series").order_by("opened_at", "case__number")


def independent_of(user: User) -> Q:
    """Condition on disputes whose case the person has neither read nor spoken of with a colleague."""
    read = Reading.objects.filter(case=OuterRef("case"), reader=user)
    spoken = spoken_of(user).filter(case=OuterRef("case"))
    return Q(~Exists(read)) & Q(~Exists(spoken))


def dispute_for(user: User, dispute_id: UUID, *, lock: bool = False) -> Dispute:
    """Find a dispute that the person may judge.

    raises: Dispute.DoesNotExist to who read the case and who is no member, ForbiddenError to other members.
    """
    rows = Dispute.objects.select_for_update(of=("self",)) if lock else Dispute.objects.all()
    found = rows.exclude(state=Dispute.State.WITHDRAWN).select_related("case__series").get(pk=dispute_id)
    try:
        adjudicated_project(user, found.project_id)
    except Project.DoesNotExist:
        raise Dispute.DoesNotExist from None
    if not Dispute.objects.filter(independent_of(user), pk=dispute_id).exists():
        raise Dispute.DoesNotExist
    return found


def counts_for(user: User, project_id: UUID) -> dict[str, int]:
    """Count the disputes that the person may judge, by state."""
    rows = disputes_for(user, project_id).order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(Dispute.State.values, 0) | dict(rows)
