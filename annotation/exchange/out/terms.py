"""Words that have a code: terms.csv, read both ways. Pure."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("terms.csv")


@cache
def terms() -> dict[str, tuple[str, str, str]]:
    """Read the table: term → (code, scheme, meaning)."""
    with TABLE.open(newline="") as stream:
        return {row["term"]: (row["code"], row["scheme"], row["meaning"]) for row in csv.DictReader(stream)}


def words_for(code: str, scheme: str) -> list[str]:
    """List the terms that a code stands for."""
    return [term for term, (found, its, _) in terms().items() if (found, its) == (code, scheme)]
