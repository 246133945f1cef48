"""What is hashed, and how links follow each other: pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

GENESIS: Final = "0" * 64


def link_hash(previous_hash: str, at: datetime, facts: Mapping[str, Any]) -> str:
    """SHA-256 of one event and the link before it, as hexadecimal.

    facts: sequence, actor, action, object_type, object_id, outcome, remote_address, details.
    """
    body = {**facts, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), "previous": previous_hash}
    text = json.dumps(canonical(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:  # noqa: ANN401 -- JSON is any of six types
    """Give one JSON value the same form before and after a database stored it (1.0 and 1 are one number)."""
    if isinstance(value, Mapping):
        return {str(key): canonical(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
