"""When mail is due, and what it says: pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

GATHERED: Final = timedelta(seconds=60)  # what comes in a burst goes out as one message
DAILY_HOUR: Final = 6
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
MOST_IN_A_MAIL: Final = 50


def due_before(rhythm: str, now: datetime) -> datetime | None:
    """From which age on a notice is to be mailed now; None: never."""
    if rhythm == "at_once":
        return now - GATHERED
    if rhythm == "daily":
        morning = now.replace(hour=DAILY_HOUR, minute=0, second=0, microsecond=0)
        return morning if morning <= now else morning - timedelta(days=1)
    return None


def wait_after(failures: int) -> timedelta:
    """Wait twice as long after each failure, four hours at most."""
    return min(FIRST_WAIT * (1 << min(failures - 1, 16)), LONGEST_WAIT)


def body_of(lines: Sequence[tuple[str, str]], *, greeting: str, more: str, end: str) -> str:
    """Write a message: a sentence a line, each with its link where there is one."""
    told = [f"• {words}\n  {url}" if url else f"• {words}" for words, url in lines[:MOST_IN_A_MAIL]]
    rest = [more] if len(lines) > MOST_IN_A_MAIL else []
    return "\n\n".join([greeting, *told, *rest, end]) + "\n"
