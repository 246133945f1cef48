"""Django behind what sends frames again, and how often it is asked."""

from dataclasses import dataclass, field

from config.bodies import Receive, Scope, Send
from config.handler import Handler

ASKED_FIRST = 2  # the first tells that a series is wanted, the second what of it is allowed


@dataclass
class Counting:
    """Django, and how often it was asked; it keeps no thread, and so no connection."""

    handler: Handler = field(default_factory=lambda: Handler(threads_kept=0))
    asked: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count and pass on."""
        self.asked += 1
        await self.handler(scope, receive, send)


def of_django(questions: int) -> int:
    """How many of so many questions Django answers where nothing is written."""
    return min(questions, ASKED_FIRST)
