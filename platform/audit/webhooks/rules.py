"""What may be said of a webhook, how it is signed, when it is tried again: pure."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

ACTION: Final = re.compile(r"\*|[a-z_]+(\.[a-z_]+)*(\.\*)?")
MOST_ACTIONS: Final = 50
KEY_PREFIX: Final = "whsec_"
FIRST_WAIT: Final = timedelta(seconds=15)
LONGEST_WAIT: Final = timedelta(hours=1)


class WebhookRefusedError(ValueError):
    """A webhook cannot be described so; the message says what to change."""


def checked_url(url: str) -> str:
    """Take an address that can be called.

    raises: WebhookRefusedError.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
        host = (parts.hostname or "").encode("idna")  # refuses a part that is empty or has over 63 letters
    except ValueError:
        raise WebhookRefusedError("The address cannot be read.") from None
    if parts.scheme not in ("http", "https") or not host or not has_port or len(text) > 500:
        raise WebhookRefusedError("The address begins with https:// or http:// and names a host.")
    if b"_" in host:
        raise WebhookRefusedError("A host's name has no underscore.")
    if parts.username is not None or parts.fragment:
        raise WebhookRefusedError("Give the address without a name, a password and #.")
    return text


def checked_actions(words: str) -> list[str]:
    """Take actions, each on a line or after a comma.

    raises: WebhookRefusedError.
    """
    found = sorted({one for one in re.split(r"[\s,]+", words) if one})
    wrong = [one for one in found if not ACTION.fullmatch(one)]
    if wrong:
        raise WebhookRefusedError(f"No action can be called “{wrong[0][:64]}”.")
    if not 0 < len(found) <= MOST_ACTIONS:
        raise WebhookRefusedError(f"Name 1 to {MOST_ACTIONS} actions, such as model.* or import.done.")
    return found


def split(actions: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part actions into whole names and beginnings; * is the empty beginning."""
    names = [one for one in actions if not one.endswith("*")]
    return names, [one.removesuffix("*") for one in actions if one.endswith("*")]


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a message as Standard Webhooks 1.0 does: HMAC-SHA256 of id, time and body, in base64."""
    key = base64.b64decode(secret.removeprefix(KEY_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def wait_after(failures: int) -> timedelta:
    """Wait twice as long after each failure, an hour at most."""
    return min(FIRST_WAIT * (1 << min(failures - 1, 16)), LONGEST_WAIT)
