"""What readers are told of: questions, cases that are in dispute or sent back, work that is due."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Sum

from accounts.models import Role
from annotation.projects.models import Case, Membership
from annotation.queue.knowing import spoken_of
from annotation.queue.models import Entry, Remark
from annotation.readings.adjudication_models import Dispute
from annotation.readings.effort_models import Effort
from annotation.readings.models import Reading
from notices.models import Notice
from notices.services import notify

REMINDED_BEFORE: Final = timedelta(days=3)


def tell_question(remark: Remark, *, now: datetime) -> None:
    """Tell a colleague that they are asked, in the transaction of the question."""
    if remark.to_id is not None:
        tell("question", [remark.to_id], remark, who=remark.author.username, now=now)


def tell_answer(remark: Remark, *, now: datetime) -> None:
    """Tell who asked that there is an answer."""
    tell("answered", [remark.author_id], remark, who=remark.to.username if remark.to else "", now=now)


def tell(kind: str, people: Iterable[UUID], remark: Remark, *, who: str, now: datetime) -> None:
    """Tell of a remark: by the case's number, without its words."""
    case = Case.objects.select_related("project").get(pk=remark.case_id)
    notify(
        kind,
        people,
        now=now,
        link=f"/projects/{case.project_id}/read",
        key=str(remark.pk),
        who=who,
        number=case.number,
        project=case.project.name,
    )


def tell_dispute(dispute: Dispute, *, now: datetime) -> None:
    """Tell a project's adjudicators of a case whose readers differ, each time that it waits for them anew.

    Who read it, or spoke of it with a colleague, judges it not and is not told.
    """
    case_id = dispute.case_id
    read = Reading.objects.filter(case=case_id, reader__isnull=False).values("reader")
    judges = Membership.objects.filter(project=dispute.project_id, adjudicates=True).exclude(user__in=read)
    judges = judges.exclude(Exists(spoken_of(OuterRef("user")).filter(case=case_id)))
    people = list(judges.values_list("user", flat=True))
    if people:
        case = Case.objects.select_related("project").get(pk=case_id)
        link = f"/projects/{dispute.project_id}/adjudication"
        told = {"number": case.number, "project": case.project.name}
        key = f"{case_id}:{dispute.version}"
        notify("adjudication_waiting", people, now=now, link=link, key=key, **told)


def tell_returned(*, case_id: UUID, readings: Iterable[str], version: int, now: datetime) -> None:
    """Tell the readers of a case that it was sent back to them."""
    people = Reading.objects.filter(pk__in=list(readings)).values_list("reader", flat=True)
    case = Case.objects.select_related("project").get(pk=case_id)
    link = f"/projects/{case.project_id}/read"
    told = {"number": case.number, "project": case.project.name}
    key = f"{case_id}:{version}"
    notify("adjudication_returned", filter(None, people), now=now, link=link, key=key, **told)


def tell_due(*, now: datetime) -> int:
    """Remind readers, once a due day, that it is near and cases are left; gives how many. In four queries.

    Who has no target is told what waits in the project.
    """
    today = now.date()
    near = Membership.objects.filter(
        role=Role.READER, due_on__gte=today, due_on__lte=today + REMINDED_BEFORE, project__deletion=None
    )
    members = {reminder_of(one): one for one in near.select_related("project")}
    keys = {key for _, key in members}
    told = set(Notice.objects.filter(key__in=keys).values_list("person", "key"))
    fresh = [one for key, one in members.items() if key not in told]
    return remind(fresh, now=now) if fresh else 0


def reminder_of(membership: Membership) -> tuple[UUID, str]:
    """Name the reminder of a due day: whose, and under which key."""
    return membership.user_id, f"work_due:{membership.project_id}:{membership.due_on}"


def remind(members: Sequence[Membership], *, now: datetime) -> int:
    """Remind those to whom cases are left."""
    projects = [one.project_id for one in members]
    days = Effort.objects.filter(project__in=projects, reader__in=[one.user_id for one in members])
    sums = days.order_by().values_list("project", "reader").annotate(Sum("readings"))
    read = {(project, reader): count for project, reader, count in sums}
    waiting = Entry.objects.filter(project__in=projects, state=Entry.State.WAITING).order_by()
    waits = dict(waiting.values_list("project").annotate(Count("pk")))
    told = 0
    for one in members:
        done = read.get((one.project_id, one.user_id), 0)
        left = one.target_cases - done if one.target_cases is not None else waits.get(one.project_id, 0)
        told += remind_one(one, left, now=now) if left > 0 else 0
    return told


def remind_one(membership: Membership, left: int, *, now: datetime) -> int:
    """Remind one reader of so many cases."""
    return notify(
        "work_due",
        [membership.user_id],
        now=now,
        link=f"/projects/{membership.project_id}/read",
        key=f"{membership.project_id}:{membership.due_on}",
        left=left,
        project=membership.project.name,
        day=membership.due_on,
    )
