"""`manage.py import`: what it prints, what it makes, what it says when something is wrong."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.projects.models import Project, Protocol
from annotation.studies.models import Import, Series
from tests.annotation.exchange.conftest import write

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import", *arguments, stdout=out)
    return out.getvalue()


def test_json_says_what_became_of_every_file(folder: Path) -> None:
    report = json.loads(run(str(folder), "--project", "chest", "--json"))
    assert set(report) == {"stored", "duplicate", "quarantined", "files"}
    assert (report["stored"], report["duplicate"], report["quarantined"]) == (7, 0, 2)
    assert len(report["files"]) == 9
    assert set(report["files"][0]) == {"path", "outcome", "reason"}


def test_a_new_project_asks_for_the_table_s_labels(folder: Path) -> None:
    run(str(folder), "--project", "chest", "--json")
    [question] = Protocol.objects.get(project__name="chest").questions
    assert [choice["value"] for choice in question["choices"]] == ["normal", "pneumonia"]


def test_choices_on_the_command_line_win(folder: Path) -> None:
    run(str(folder), "--project", "chest", "--json", "--choices", "clear, not_clear")
    [question] = Protocol.objects.get(project__name="chest").questions
    assert question["choices"][1] == {"value": "not_clear", "label": "Not clear"}


def test_a_second_import_goes_into_the_same_project(folder: Path) -> None:
    run(str(folder), "--project", "chest", "--json")
    text = run(str(folder), "--project", "chest")
    assert "0 stored, 7 there already, 2 quarantined" in text
    assert Project.objects.count() == 1


def test_a_delivery_s_site_is_its_cases_and_a_later_delivery_takes_none_over(folder: Path) -> None:
    run(str(folder), "--project", "chest", "--json", "--site", "Hospital A")
    run(str(folder), "--project", "chest", "--json", "--site", "Hospital B")
    cases = Project.objects.get(name="chest").cases.select_related("acquisition", "series")
    assert {(one.acquisition.site, one.series.site) for one in cases if one.acquisition} == {
        ("Hospital A", "Hospital A")
    }
    with pytest.raises(CommandError, match="65 characters"):
        run(str(folder), "--project", "chest", "--site", "x" * 65)


def test_pictures_are_what_the_command_line_says(folder: Path) -> None:
    run(str(folder / "pictures"), "--project", "chest", "--modality", "DX", "--json")
    assert Series.objects.values_list("modality", flat=True).first() == "DX"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing-here", "--project", "p"), "there is no such folder, archive or file"),
        ((".", "--project", "p", "--modality", "XRAY"), "not one of DICOM"),
        ((".", "--project", "p", "--choices", "one"), "give at least 2"),
    ],
)
def test_a_mistake_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    write(tmp_path, "a.txt", b"x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_a_table_that_cannot_be_read_stops_the_import_and_says_why(folder: Path) -> None:
    run(str(folder), "--project", "chest", "--json")
    write(folder, "labels.csv", b"nothing\n")
    with pytest.raises(CommandError, match="no column named path"):
        run(str(folder), "--project", "chest")
    assert Import.objects.filter(state=Import.State.FAILED).count() == 1
