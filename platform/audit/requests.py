"""Where the request that is being answered came from; nowhere in a job."""

from contextvars import ContextVar
from typing import Final

SYSTEM: Final = "system"
address: ContextVar[str] = ContextVar("address", default="")


def whence(actor: str) -> str:
    """Say from where somebody acts; the system acts from nowhere."""
    return "" if actor == SYSTEM else address.get()
