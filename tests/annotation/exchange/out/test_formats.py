"""Every format of a real CT series that was drawn on: the same bytes twice, and nothing left out."""

import zipfile
from pathlib import Path

import pytest

from annotation.exchange.out.making import WRITERS
from annotation.learning.models import Snapshot
from tests.annotation.exchange.out.conftest import Exported

pytestmark = pytest.mark.django_db


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_same_snapshot_gives_the_same_bytes(ct_snapshot: Snapshot, exported: Exported, name: str) -> None:
    first, again = exported(ct_snapshot, name), exported(ct_snapshot, name)
    assert first.read_bytes() == again.read_bytes()
    assert {"card.json", "README.md", "left_out.csv"} < set(names_in(first))
