"""Tables of labels: what their columns and values mean, and what is said where they mean nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.exchange.labels import importing
from annotation.exchange.labels.checking import Asked
from annotation.exchange.labels.naming import MappingError, mapping_of
from annotation.exchange.labels.statements import LabelFileError
from annotation.learning.drawn import drawings
from annotation.projects.masks import written
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.questions import Segmentation, questions_of
from annotation.projects.selectors import protocol_in_force
from annotation.projects.services import save_protocol, start_project
from annotation.readings.models import Reading, ReferenceStandard, Source
from annotation.readings.selectors import counts_by_reader, revisions_in_force
from annotation.readings.services import Examined
from annotation.readings.sourced import write_sourced
from tests import factories, phantoms
from tests.annotation.exchange.conftest import write
from tests.annotation.exchange.labels.conftest import NAME, brought, problems_in, quiet
from tests.annotation.exchange.out.conftest import imported, labels, read_all

pytestmark = pytest.mark.django_db
QUESTIONS: list[dict[str, Any]] = [
    {"key": "finding", "prompt": "What?", "kind": "single", "choices": labels("normal", "pneumonia")},
    {
        "key": "signs",
        "prompt": "Signs?",
        "kind": "multi",
        "required": False,
        "choices": labels("edema", "mass"),
    },
    {"key": "age", "prompt": "Age", "kind": "number", "required": False, "min": 0, "max": 120},
]
DRAWN: list[dict[str, Any]] = [
    {"key": "organ", "prompt": "Paint", "kind": "segmentation", "required": False, "classes": labels("lung")}
]
MASK = written((1, 2, 2), ["1.2.3"], {"lung": [[[True, False], [False, False]]]})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four pictures, and three questions."""
    made = start_project(name="chest", document=document_of({"questions": QUESTIONS}), now=timezone.now())
    for number in range(4):
        write(tmp_path / "in", f"pictures/{number}.png", phantoms.png(phantoms.chest(number)))
    imported(made, tmp_path / "in")
    return made


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    """Write a table."""

    def written(text: str) -> Path:
        target = tmp_path / "given.csv"
        target.write_text(text)
        return target

    return written


Table = Callable[[str], Path]


def said(project: Project) -> dict[str, dict[str, Any]]:
    """What sources say, by the name of the picture."""
    rows = revisions_in_force().filter(source__project=project)
    return dict(rows.values_list("reading__case__series__instances__arrivals__path", "answers"))


def test_columns_are_questions_and_cells_their_answers(project: Project, table: Table) -> None:
    text = "path,finding,signs,age\n0.png,Pneumonia,edema;Mass,61\npictures/1.png,normal,,\n"
    found = brought(project, table(text), "csv")
    assert (found.counts["new"], problems_in(found)) == (2, [])
    assert said(project) == {
        "pictures/0.png": {"finding": "pneumonia", "signs": ["edema", "mass"], "age": 61.0},
        "pictures/1.png": {"finding": "normal"},
    }


def test_columns_of_yes_and_no_tick_choices_as_labelers_write_them(project: Project, table: Table) -> None:
    text = "img,Edema,Mass\n0.png,1.0,0.0\n1.png,-1.0,1.0\n"
    mapping = {"img": "@path", "Edema": "signs:edema", "Mass": "signs:mass", "Edema:-1.0": "-"}
    found = brought(project, table(text), "csv", mapping)
    assert problems_in(found) == []
    assert sorted(map(str, said(project).values())) == ["{'signs': ['edema']}", "{'signs': ['mass']}"]


def test_a_value_that_means_nothing_is_named_with_its_row_and_what_to_do(
    project: Project, table: Table, nothing_written: Callable[[], bool]
) -> None:
    found = brought(project, table("path,finding\n0.png,PNA\n"), "csv")
    assert found.counts["invalid"] == 1
    (line,) = found.lines
    assert line[0] == "row 2"
    assert line[3] == (
        'column "finding": "PNA" is no choice of question "finding": give normal, pneumonia; map it,'
        " finding:PNA=normal"
    )
    assert nothing_written()


def test_a_value_is_mapped_to_a_choice(project: Project, table: Table) -> None:
    mapping = mapping_of(["diagnosis = finding", "diagnosis:PNA = pneumonia"])
    found = brought(project, table("path,diagnosis\n0.png,PNA\n1.png,normal\n"), "csv", mapping)
    assert found.counts["new"] == 2


def test_each_of_several_values_in_a_cell_is_mapped(project: Project, table: Table) -> None:
    mapping = {"signs:oedema": "edema", "signs:?": "-"}
    found = brought(project, table("path,signs\n0.png,oedema|mass|?\n"), "csv", mapping)
    assert problems_in(found) == []
    assert list(said(project).values()) == [{"signs": ["edema", "mass"]}]


def test_a_picture_in_another_folder_of_the_same_name_is_not_meant(project: Project, table: Table) -> None:
    found = brought(project, table("path,finding\nothers/0.png,normal\n"), "csv")
    assert (found.counts["new"], found.counts["unmatched"]) == (0, 1)


def test_a_mapping_to_a_question_that_is_not_asked_names_those_that_are(
    project: Project, table: Table
) -> None:
    with pytest.raises(MappingError, match='asks no question "tumour": it asks finding, signs, age'):
        brought(project, table("path,x\n0.png,1\n"), "csv", {"x": "tumour"})


def test_a_table_without_a_question_says_which_columns_there_are(project: Project, table: Table) -> None:
    found = brought(project, table("path,label\n0.png,normal\n"), "csv")
    assert "map one, label=question" in problems_in(found)[0]


def test_a_column_called_label_answers_the_one_choice_that_is_asked(project: Project, table: Table) -> None:
    project.protocols.update(questions=[QUESTIONS[0], QUESTIONS[2]])
    found = brought(project, table("path,label,split\n0.png,pneumonia,train\n"), "csv")
    assert (found.counts["new"], problems_in(found)) == (1, [])
    assert said(project) == {"pictures/0.png": {"finding": "pneumonia"}}


def test_a_picture_that_is_not_stored_is_reported_by_its_name(project: Project, table: Table) -> None:
    found = brought(project, table("path,finding\n9.png,normal\n"), "csv")
    assert found.counts["unmatched"] == 1
    assert problems_in(found)[0].startswith("9.png: no stored file has this name")


def test_two_rows_that_disagree_of_one_picture_are_a_conflict(project: Project, table: Table) -> None:
    found = brought(project, table("path,finding\n0.png,normal\n0.png,pneumonia\n"), "csv")
    assert found.counts["invalid"] == 1
    assert "answered otherwise at row 2" in problems_in(found)[0]


def test_a_number_out_of_bounds_is_refused_as_a_reader_s_would_be(project: Project, table: Table) -> None:
    found = brought(project, table("path,age\n0.png,140\n"), "csv")
    assert problems_in(found) == ['question "age": give at most 120']


def test_a_file_that_is_no_text_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00path")
    found = brought(project, tmp_path / "x.csv", "csv")
    assert "UTF-8" in problems_in(found)[0]


def test_a_folder_without_such_a_file_is_refused(project: Project, tmp_path: Path) -> None:
    write(tmp_path / "none", "x.txt", b"x")
    with pytest.raises(LabelFileError, match=r"no \.csv file"):
        brought(project, tmp_path / "none", "csv")


def test_a_preview_writes_nothing(
    project: Project, table: Table, nothing_written: Callable[[], bool]
) -> None:
    asked = Asked(project, NAME, "csv", {})
    found = importing.preview(asked, table("path,finding\n0.png,normal\n"), quiet)
    assert found.counts["new"] == 1
    assert nothing_written()
    assert not Source.objects.exists()


def test_the_same_file_again_changes_nothing_and_another_answer_is_a_new_revision(
    project: Project, table: Table
) -> None:
    brought(project, table("path,finding\n0.png,normal\n"), "csv")
    again = brought(project, table("path,finding\n0.png,normal\n"), "csv")
    assert again.counts == {"files": 1, "statements": 1, "unused": 0, "same": 1}
    changed = brought(project, table("path,finding\n0.png,pneumonia\n"), "csv")
    assert changed.counts["changed"] == 1
    (reading,) = Reading.objects.filter(source__isnull=False)
    assert [one.answers["finding"] for one in reading.revisions.all()] == ["normal", "pneumonia"]


def test_another_file_of_the_source_adds_to_what_it_said(project: Project, table: Table) -> None:
    brought(project, table("path,finding\n0.png,normal\n"), "csv")
    brought(project, table("path,age\n0.png,50\n"), "csv")
    assert list(said(project).values()) == [{"finding": "normal", "age": 50.0}]


def test_two_sources_stay_two_readings(project: Project, table: Table) -> None:
    brought(project, table("path,finding\n0.png,normal\n"), "csv")
    brought(project, table("path,finding\n0.png,pneumonia\n"), "csv", source_name="Another")
    assert Reading.objects.filter(source__isnull=False).count() == 2


def standards(project: Project) -> list[str]:
    rows = ReferenceStandard.objects.filter(case__project=project)
    return [one.answers["finding"] for one in rows]


def test_a_source_counts_only_as_the_project_says_and_where_no_reader_has_read(
    project: Project, table: Table
) -> None:
    path = table("path,finding\n0.png,normal\n1.png,normal\n2.png,normal\n3.png,normal\n")
    brought(project, path, "csv")
    assert standards(project) == []
    brought(project, path, "csv", use=Source.Use.TRAINING)
    pool = project.cases.filter(stream="pool").count()
    assert len(standards(project)) == pool
    brought(project, path, "csv", use=Source.Use.REFERENCE)
    assert standards(project) == ["normal"] * 4
    read_all(project, lambda _case: {"finding": "pneumonia"})
    assert standards(project) == ["pneumonia"] * 4


def test_a_source_is_named_where_readers_are_counted(project: Project, table: Table) -> None:
    brought(project, table("path,finding\n0.png,normal\n"), "csv")
    read_all(project, lambda _case: {"finding": "normal"})
    counts = counts_by_reader(factories.a_user(is_admin=True), project.pk)
    assert {one["username"]: one["readings"] for one in counts}[NAME] == 1
    assert {one["reader_id"] is None for one in counts} == {True, False}


def test_a_reading_has_one_author_in_the_database_itself(project: Project) -> None:
    now = timezone.now()
    case = project.cases.all()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Reading.objects.create(case=case, created_at=now, updated_at=now)
    source = Source.objects.create(project=project, name="x", created_at=now)
    reader = factories.a_reader(project)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reading.objects.create(case=case, reader=reader, source=source, created_at=now, updated_at=now)


def test_only_what_a_source_draws_is_learned_and_readers_come_first(project: Project) -> None:
    question = questions_of(document_of({"questions": DRAWN}).plain()["questions"])[0]
    assert isinstance(question, Segmentation)
    save_protocol(
        project=project,
        document=document_of({"questions": [*QUESTIONS, *DRAWN]}),
        base_version=1,
        now=timezone.now(),
        by=None,
    )
    first, second = project.cases.filter(stream="pool").order_by("number")[:2]
    source = Source.objects.create(
        project=project, name="x", use=Source.Use.TRAINING, created_at=timezone.now()
    )
    protocol = protocol_in_force(project.pk)
    for case, answers in ((first, {"organ": MASK}), (second, {"finding": "normal"})):
        write_sourced(
            source=source,
            case=case,
            examined=Examined(protocol, [], {}),
            answers=answers,
            now=timezone.now(),
        )
    assert [one.case for one in drawings(project.pk, question)] == [first]
    Source.objects.update(use=Source.Use.KEPT)
    assert drawings(project.pk, question) == []
