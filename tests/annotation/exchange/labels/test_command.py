"""`manage.py import-labels`: what it prints, what it writes, what it says when something is wrong."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.exchange.labels.models import LabelImport
from annotation.projects.models import Project
from annotation.readings.models import Reading, Source
from audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Three cases."""
    made = factories.a_project("chest")
    factories.some_cases(made, 3)
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    target = tmp_path / "given.csv"
    target.write_text("case,label\n1,normal\n2,PNA\n7,normal\n")
    return target


def run(table: Path, *more: str) -> str:
    out = io.StringIO()
    call_command(
        "import-labels",
        str(table),
        "--project",
        "chest",
        "--source",
        "Labeler v1",
        "--format",
        "csv",
        *more,
        stdout=out,
    )
    return out.getvalue()


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(project: Project, table: Path) -> None:
    text = run(table, "--map", "label=finding", "--dry-run")
    assert text.startswith("Would be: 1 new readings, 1 invalid readings, 1 statements without a case")
    assert 'row 3, case 2: column "label": "PNA" is no choice of question "finding"' in text
    assert not Source.objects.exists()
    assert project.label_imports.count() == 0


def test_labels_are_written_kept_as_an_import_and_audited(project: Project, table: Path) -> None:
    told = json.loads(run(table, "--map", "label=finding", "--map", "label:PNA=pneumonia", "--json"))
    assert (told["counts"]["new"], told["counts"]["unmatched"]) == (2, 1)
    assert Reading.objects.filter(source__name="Labeler v1").count() == 2
    made = LabelImport.objects.get(project=project)
    assert (made.state, made.file_title, len(made.file_digest)) == (LabelImport.State.DONE, "given.csv", 64)
    assert Event.objects.get(action="labels.import").details["new"] == 2


def test_the_mapping_may_be_a_file(project: Project, table: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps({"label": "finding", "label:PNA": "pneumonia"}))
    assert run(table, "--map", str(mapping)).startswith("2 new readings")
    assert run(table, "--map", str(mapping)).startswith("2 there already")
    assert project.label_imports.count() == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--map", "label=tumour"), 'asks no question "tumour"'),
        (("--map", "label"), "is no mapping"),
        (("--map", "label=@nothing"), "a column identifies one of"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    project: Project, table: Path, more: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run(table, *more)
    assert project.label_imports.count() == 0
