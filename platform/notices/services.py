"""Tell people: in the caller's transaction, each once; mark what was read; keep what each wants."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from notices.kinds import KINDS, checked_facts
from notices.models import Notice, Wishes

MOST_KEPT = 1000


@transaction.atomic(savepoint=False)
def notify(
    kind: str,
    people: Iterable[User | uuid.UUID],
    *,
    now: datetime,
    link: str = "",
    key: str = "",
    **facts: object,
) -> int:
    """Tell people of something, in the caller's transaction; the same key is told to each once.

    kind:    of notices.kinds. facts: what its sentence names; nothing of a patient.
    link:    a path on this site. key: names what is told; without one it is told anew.
    returns: how many are told who are active and want it, those told before too.
    raises:  KeyError for an unknown kind, or a fact that is missing.
    """
    told, wanted = checked_facts(kind, facts), wishes_of(people)
    key = key or str(uuid.uuid4())
    rows = [
        Notice(
            person_id=person,
            kind=kind,
            facts=told,
            link=link,
            key=f"{kind}:{key}"[:128],
            created_at=now,
            wants_mail=is_mailed(kind, wishes),
        )
        for person, wishes in wanted.items()
        if wishes is None or kind not in wishes.unwanted
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def wishes_of(people: Iterable[User | uuid.UUID]) -> Mapping[uuid.UUID, Wishes | None]:
    """Find what people who are active want; None: nothing said. In two queries."""
    ids = {one.pk if isinstance(one, User) else one for one in people}
    active = User.objects.filter(pk__in=ids, is_active=True).values_list("pk", flat=True)
    said = Wishes.objects.in_bulk(ids)
    return {person: said.get(person) for person in active}


def is_mailed(kind: str, wishes: Wishes | None) -> bool:
    """Whether a kind goes out by mail to somebody."""
    if wishes is None:
        return KINDS[kind].is_mailed
    return wishes.rhythm != Wishes.Rhythm.NEVER and kind in wishes.mailed


def administrators() -> list[uuid.UUID]:
    """List who administers and can sign in."""
    return list(User.objects.filter(is_admin=True, is_active=True).values_list("pk", flat=True))


def mark_read(person: User, *, now: datetime, ids: Collection[uuid.UUID] | None = None) -> int:
    """Mark notices of one's own as read, all where none is named; what is read is not mailed any more."""
    unread = Notice.objects.filter(person=person, read_at=None)
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    unread.filter(mail=None).update(wants_mail=False)
    return unread.update(read_at=now)


@transaction.atomic
def set_wishes(person: User, *, rhythm: str, mailed: Collection[str], unwanted: Collection[str]) -> Wishes:
    """Keep what a person wants; kinds that are not known are left out."""
    values: dict[str, Any] = {
        "rhythm": Wishes.Rhythm(rhythm),
        "mailed": sorted(set(mailed) & KINDS.keys()),
        "unwanted": sorted(set(unwanted) & KINDS.keys()),
    }
    kept, _ = Wishes.objects.update_or_create(person=person, defaults=values)
    waiting = Notice.objects.filter(person=person, wants_mail=True, mail=None)
    waiting.exclude(kind__in=values["mailed"] if kept.rhythm != Wishes.Rhythm.NEVER else []).update(
        wants_mail=False
    )
    return kept


def wishes_in_force(person: User) -> Wishes:
    """Give what a person wants, said or by default."""
    mailed = [name for name, kind in KINDS.items() if kind.is_mailed]
    return Wishes.objects.filter(pk=person.pk).first() or Wishes(person=person, mailed=mailed)


def forget_old(*, now: datetime, before: datetime) -> int:
    """Remove notices that were read and are older than a moment."""
    old = Notice.objects.filter(created_at__lt=before, read_at__lt=now, wants_mail=False)
    return old.delete()[0]
