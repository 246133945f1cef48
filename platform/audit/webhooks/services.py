"""Webhooks: described by administrators, told of what was audited, tried again where they take nothing."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from audit.models import Event, Head, Webhook
from audit.webhooks.client import SEAL, GoneError, NotTakenError, send
from audit.webhooks.rules import (
    KEY_PREFIX,
    WebhookRefusedError,
    checked_actions,
    checked_url,
    split,
    wait_after,
)

SECRET_BYTES: Final = 32
EVENTS_A_MESSAGE: Final = 100
MESSAGES_A_JOB: Final = 50


@dataclass(frozen=True)
class Described:
    """What an administrator says of a webhook."""

    name: str
    url: str
    actions: str
    is_active: bool = True


@transaction.atomic
def add(*, said: Described, now: datetime) -> tuple[Webhook, str]:
    """Keep a webhook that hears of what comes from now on; gives the secret to show once. The caller audits.

    raises: WebhookRefusedError.
    """
    secret = KEY_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    head = Head.objects.filter(id=1).first() or Head()
    webhook = Webhook(sealed=SEAL.seal(secret), position=head.sequence, created_at=now)
    return kept(webhook, said), secret


@transaction.atomic
def change(*, webhook_id: UUID, said: Described) -> Webhook:
    """Keep what is said of a webhook anew, and try it again at once. The caller audits.

    raises: Webhook.DoesNotExist, WebhookRefusedError.
    """
    webhook = Webhook.objects.select_for_update().get(pk=webhook_id)
    webhook.failures, webhook.problem, webhook.retry_at = 0, "", None
    return kept(webhook, said)


def kept(webhook: Webhook, said: Described) -> Webhook:
    """Write what is said, where it can be said.

    raises: WebhookRefusedError.
    """
    webhook.name = said.name.strip()
    if not 0 < len(webhook.name) <= 64:
        raise WebhookRefusedError("Give it a name of at most 64 characters.")
    webhook.url, webhook.actions = checked_url(said.url), checked_actions(said.actions)
    webhook.is_active = said.is_active
    try:
        with transaction.atomic():
            webhook.save()
    except IntegrityError:
        raise WebhookRefusedError("Another one has this name.") from None
    return webhook


def ahead_of(webhook: Webhook) -> QuerySet[Event]:
    """Events that it is to be told of next."""
    names, beginnings = split(webhook.actions)
    found = Q(action__in=names)
    for beginning in beginnings:
        found |= Q(action__startswith=beginning)
    return Event.objects.filter(found, sequence__gt=webhook.position).order_by("sequence")


def due(now: datetime) -> list[Webhook]:
    """Webhooks that have something to be told of; those that have nothing are moved on to the end."""
    head = Head.objects.filter(id=1).first() or Head()
    waiting = Webhook.objects.filter(is_active=True, position__lt=head.sequence)
    found = []
    for webhook in waiting.filter(Q(retry_at=None) | Q(retry_at__lte=now)):
        if ahead_of(webhook).filter(sequence__lte=head.sequence).exists():
            found.append(webhook)
        else:
            move(webhook, to=head.sequence)
    return found


def move(webhook: Webhook, *, to: int, **more: object) -> None:
    """Move a webhook on, unless somebody else has."""
    Webhook.objects.filter(pk=webhook.pk, position=webhook.position).update(position=to, **more)


def deliver(*, webhook_id: UUID, clock: Callable[[], datetime]) -> int:
    """Tell a webhook of what is ahead; gives how many messages it took.

    Where a process dies between the answer and the next line, events are told again: `sequence` tells.
    """
    for count in range(MESSAGES_A_JOB):
        webhook = Webhook.objects.filter(pk=webhook_id, is_active=True).first()
        events = list(ahead_of(webhook)[:EVENTS_A_MESSAGE]) if webhook else []
        if webhook is None or not events:
            return count
        try:
            send(webhook, events, message_id=f"{webhook.pk}:{events[0].sequence}-{events[-1].sequence}")
        except NotTakenError as error:
            failed(webhook, error, now=clock())
            return count
        move(webhook, to=events[-1].sequence, failures=0, problem="", retry_at=None, taken_at=clock())
    return MESSAGES_A_JOB


def failed(webhook: Webhook, error: NotTakenError, *, now: datetime) -> None:
    """Note why it took nothing, and when it is tried again; one that is gone is not.

    Nothing is noted of one that was turned off or given another address in the meantime.
    """
    failures = webhook.failures + 1
    off = {"is_active": False} if isinstance(error, GoneError) else {}
    Webhook.objects.filter(pk=webhook.pk, is_active=True, url=webhook.url).update(
        failures=failures, problem=str(error)[:255], retry_at=now + wait_after(failures), **off
    )
