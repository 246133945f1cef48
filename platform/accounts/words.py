"""Words that people read aloud and type without mistakes: no look-alikes."""

import secrets
from typing import Final

ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz2345678"


def drawn(*, groups: int, length: int) -> str:
    """Draw groups of letters, joined by hyphens: log2(31) = 4.95 bits a letter."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(length)) for _ in range(groups))
