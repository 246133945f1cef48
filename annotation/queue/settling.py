"""Half-read cases settled: where fewer readings are wanted than before, or nobody is left to give one."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import Role
from annotation.projects.models import Membership, Project, Protocol
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.projects.services import ask_settling
from annotation.queue.agreement import fuse_again
from annotation.queue.designs import after_reading, awaited_readers
from annotation.queue.disputes import judge, withdraw_all
from annotation.queue.limits import gone
from annotation.queue.models import Entry
from annotation.queue.rules import SECOND_READING
from annotation.readings.adjudication_models import HELD, Dispute
from jobs.models import Job

SETTLED_EACH: Final = timedelta(days=1)


def settle_readings(project_id: UUID, now: datetime, *, whole: bool = False) -> int:
    """Take cases off the line for which no reading more is wanted or can come; again changes nothing.

    None can come of who has left, nor, where one that counts is there, of who is gone for long (limits.gone).
    A case that a reader holds right now is left to that reader. Where the project adjudicates, what is then
    in dispute goes to its adjudicators, and a case that was sent back waits for no reader who has left or is
    gone.
    whole: whether cases that are not in dispute are looked at too; for a project that begins to adjudicate.
    returns: how many cases were settled.
    """
    protocol = protocol_in_force(project_id)
    waiting = Entry.objects.filter(project=project_id, state=Entry.State.WAITING, reason=SECOND_READING)
    cases = list(waiting.order_by("case_id").values_list("case_id", flat=True))
    settled = sum(settle_one(case_id, protocol, now) for case_id in cases)
    if whole:
        fuse_again(project_id, now)
    elif settings_in(protocol).adjudicated:
        judge_held(project_id, now)
    else:
        withdraw_all(project_id, now)
    return settled


def ask_where_gone(now: datetime) -> int:
    """Ask once a day for projects to be settled where something may wait for a reader who is away for long.

    Nobody acts when an absence becomes a long one: it is looked for.
    returns: how many were asked for.
    """
    away = Membership.objects.filter(gone(now), role=Role.READER, project__deletion=None).values("project")
    waiting = Entry.objects.filter(project=OuterRef("pk"), state=Entry.State.WAITING, reason=SECOND_READING)
    returned = Dispute.objects.filter(project=OuterRef("pk"), state=Dispute.State.RETURNED)
    asked = Job.objects.filter(
        name="settle_readings", scope_id=OuterRef("pk"), created_at__gt=now - SETTLED_EACH
    )
    projects = Project.objects.filter(Exists(waiting) | Exists(returned), ~Exists(asked), pk__in=away)
    found = list(projects.order_by("pk").values_list("pk", flat=True))
    for project_id in found:
        ask_settling(project_id)
    return len(found)


def judge_held(project_id: UUID, now: datetime) -> None:
    """Look at what is in dispute, one transaction each: who is awaited may have left."""
    held = Dispute.objects.filter(project=project_id, state__in=HELD)
    for case_id in list(held.order_by("case_id").values_list("case_id", flat=True)):
        with transaction.atomic():
            Entry.objects.select_for_update().filter(case=case_id).first()
            judge(case_id=case_id, project_id=project_id, now=now)


@transaction.atomic
def settle_one(case_id: UUID, protocol: Protocol, now: datetime) -> bool:
    """Settle one half-read case.

    returns: whether it waits for nobody any more.
    """
    waiting = Entry.objects.select_for_update(of=("self",)).select_related("case")
    entry = waiting.filter(case=case_id, state=Entry.State.WAITING, reason=SECOND_READING).first()
    if entry is None or is_awaited(entry, protocol):
        return False
    Entry.objects.filter(case=case_id).update(state=Entry.State.DONE)
    judge(case_id=case_id, project_id=entry.project_id, now=now)
    return True


def is_awaited(entry: Entry, protocol: Protocol) -> bool:
    """Whether a reading of a half-read case is wanted and can come.

    One that was asked for by hand, or because its label was doubted, is wanted whatever the design says.
    """
    if entry.is_asked_for:
        return awaited_readers(entry.project_id, entry.case_id).exists()
    return bool(after_reading(entry.case, protocol)["state"] == Entry.State.WAITING)
