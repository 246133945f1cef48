"""The masks' code, held to the table that the browser's tests read too."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.projects.masks import MaskError, intervals, mask_of, runs_of

CASES = json.loads(Path(__file__).with_name("mask_cases.json").read_text())
GOOD = [case for case in CASES if "spans" in case]
BAD = [case for case in CASES if "spans" not in case]


def mask(case: dict[str, Any]) -> dict[str, Any]:
    images = [f"1.2.{nth}" for nth in range(case["shape"][0])]
    return {"shape": case["shape"], "images": images, "classes": case["runs"]}


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["name"])
def test_a_code_is_read_as_its_spans(case: dict[str, Any]) -> None:
    read = mask_of(mask(case))
    for value, runs in read.classes.items():
        assert intervals(runs, read.size).tolist() == case["spans"][value]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["name"])
def test_spans_are_written_as_their_code(case: dict[str, Any]) -> None:
    for value, spans in case["spans"].items():
        drawn = np.zeros(case["shape"], dtype=np.bool_)
        for first, after in spans:
            drawn.reshape(-1)[first:after] = True
        assert runs_of(drawn) == case["runs"][value]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_what_is_no_code_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MaskError):
        mask_of(mask(case))
