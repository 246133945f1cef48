"""Calls a webhook: at the address that an administrator gave and at no other."""

import json
import time
from collections.abc import Sequence
from typing import Any, Final

import httpx
from django.core.serializers.json import DjangoJSONEncoder

from accounts.sealing import Seal, SealBrokenError
from audit.models import Event, Webhook
from audit.webhooks.rules import signature

SEAL: Final = Seal(b"secrets of webhooks")
TIMEOUT: Final = httpx.Timeout(10.0)


class NotTakenError(Exception):
    """A webhook did not take a message; the words say why, without what it answered."""


class GoneError(NotTakenError):
    """It says that it wants no more (410)."""


def send(webhook: Webhook, events: Sequence[Event], *, message_id: str) -> None:
    """Post events, signed.

    raises: NotTakenError.
    """
    body = json.dumps({"events": [told(one) for one in events]}, cls=DjangoJSONEncoder).encode()
    now = int(time.time())
    try:
        secret = SEAL.unsealed(webhook.sealed)
    except SealBrokenError as error:
        raise NotTakenError("its secret cannot be read any more: remove it and add it anew") from error
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, message_id, now, body),
    }
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", webhook.url, content=body, headers=headers) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise NotTakenError(f"it does not answer ({type(error).__name__})") from error
    check(status)


def check(status: int) -> None:
    """Take an answer that says that the message was taken.

    raises: NotTakenError.
    """
    if httpx.codes.is_success(status):
        return
    if status == httpx.codes.GONE:
        raise GoneError("it wants no more (410)")
    if httpx.codes.is_redirect(status):
        raise NotTakenError("it sends us on to another address: redirects are not followed")
    raise NotTakenError(f"it answers {status}")


def told(event: Event) -> dict[str, Any]:
    """Say of an event who did what to what: ids alone, and of its details the project's id."""
    project = event.details.get("project")
    return {
        "sequence": event.sequence,
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "outcome": event.outcome,
        "project": project if isinstance(project, str) else None,
    }
