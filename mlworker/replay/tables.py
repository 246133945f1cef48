"""Cells of a table of known answers: one label, or several with semicolons between."""

from typing import Final

from mlworker.targets import MULTI

SEVERAL: Final = "labels"  # the column in place of "label" where a case can have several


def chosen_in(label: str, kind: str) -> list[str]:
    """Read what a cell names: one answer; of several, all between the semicolons, or none."""
    if kind != MULTI:
        return [label]
    return [value.strip() for value in label.split(";") if value.strip()]
