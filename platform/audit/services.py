"""Write the audit chain, and check it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from audit.models import ChainCheck, Event, Head
from audit.requests import whence
from audit.rules import GENESIS, link_hash

FACTS = ("sequence", "actor", "action", "object_type", "object_id", "outcome", "remote_address", "details")


Progress = Callable[[float, str], None]
STRIDE = 1000
PROBLEMS_KEPT = 50


def unseen(_share: float, _words: str) -> None:
    """Tell nobody how far the work is."""


@dataclass(frozen=True)
class Verification:
    """What a walk along the chain found; `head` is what an administrator keeps elsewhere."""

    count: int
    head: str
    problems: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether no row was edited, deleted, reordered or cut off."""
        return not self.problems


@dataclass(frozen=True)
class Act:
    """One audited act.

    actor: a user's id or "system"; remote_address: where it is empty, that of the request which is answered;
    details: pseudonyms and counts only, never a patient's data.
    """

    actor: str
    action: str
    object_type: str
    object_id: str
    outcome: str = "ok"
    remote_address: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def record(  # noqa: PLR0913  one argument a column that a reviewer asks for
    *,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    outcome: str = "ok",
    remote_address: str = "",
    details: dict[str, Any] | None = None,
) -> Event:
    """Append one event in the caller's transaction; see Act."""
    act = Act(actor, action, object_type, object_id, outcome, remote_address, details or {})
    return record_all([act])[0]


@transaction.atomic(savepoint=False)
def record_all(acts: Sequence[Act]) -> list[Event]:
    """Append events in the caller's transaction: where this fails, the audited acts roll back."""
    if not acts:
        return []
    head = Head.objects.select_for_update().get_or_create(id=1)[0]
    events: list[Event] = []
    for act in acts:
        events.append(linked(act, head))
        head.sequence, head.hash = events[-1].sequence, events[-1].hash
    Event.objects.bulk_create(events)
    Head.objects.filter(id=1).update(sequence=head.sequence, hash=head.hash)
    return events


def linked(act: Act, head: Head) -> Event:
    """Link an act to the chain's end."""
    facts = {
        **vars(act),
        "remote_address": act.remote_address or whence(act.actor),
        "sequence": head.sequence + 1,
        "object_id": str(act.object_id),
        "details": json.loads(json.dumps(act.details, cls=DjangoJSONEncoder)),
    }
    now = timezone.now()
    digest = link_hash(head.hash, now, facts)
    return Event(at=now, previous_hash=head.hash, hash=digest, **facts)


def verify(*, kept_head: str = "", progress: Progress = unseen) -> Verification:
    """Walk the whole chain, and compare it with a head that was kept elsewhere (`sequence:hash`).

    Events that are written meanwhile are left to the next walk.
    """
    head = Head.objects.filter(id=1).first() or Head()
    sequence, previous, problems, seen = 0, GENESIS, [], kept_head == ""
    events = Event.objects.filter(sequence__lte=head.sequence).order_by("sequence")
    for event in events.iterator(chunk_size=2000):
        problems += problems_of(event, sequence, previous)
        sequence, previous = event.sequence, event.hash
        seen = seen or f"{sequence}:{previous}" == kept_head
        if sequence % STRIDE == 0:
            progress(sequence / head.sequence, f"{sequence} of {head.sequence} events")
    if (head.sequence, head.hash) != (sequence, previous):
        problems.append(
            f"the chain ends at event {sequence}, but its head says {head.sequence}: rows are cut off"
        )
    if not seen:
        problems.append(f"no event matches the head that was kept: {kept_head}")
    return Verification(count=sequence, head=f"{sequence}:{previous}", problems=problems)


def problems_of(event: Event, sequence: int, previous: str) -> list[str]:
    """Say what is wrong with one event that should follow a link."""
    problems = []
    if event.sequence != sequence + 1:
        problems.append(f"events {sequence + 1} to {event.sequence - 1} are missing")
    if event.previous_hash != previous:
        problems.append(f"event {event.sequence} does not follow event {sequence}")
    facts = {name: getattr(event, name) for name in FACTS}
    if link_hash(event.previous_hash, event.at, facts) != event.hash:
        problems.append(f"event {event.sequence} was edited")
    return problems


def kept_head() -> str:
    """Find the head that the last check without a problem saw: the next one must find it again."""
    intact = ChainCheck.objects.filter(problems=[]).values_list("head", flat=True)
    return intact.first() or ""


def record_check(*, job_id: UUID, asked_by: str, found: Verification) -> ChainCheck:
    """Keep what a walk found; the same job's second walk changes nothing."""
    facts = {
        "asked_by": asked_by,
        "checked_at": timezone.now(),
        "count": found.count,
        "head": found.head,
        "problems": found.problems[:PROBLEMS_KEPT],
    }
    return ChainCheck.objects.get_or_create(job_id=job_id, defaults=facts)[0]
