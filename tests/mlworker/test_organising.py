"""Near-duplicates and splits as jobs: on vectors by hand, and on real brain MRI with two wrong labels."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from annotation.learning.duplicate_models import DuplicateSearch
from annotation.learning.duplicates import (
    conflicting_numbers,
    groups_in,
    newest_search,
    request_duplicates,
    request_split,
)
from annotation.learning.selectors import labelled, teachable_series
from annotation.projects.models import Case, Placement, Project, Split
from annotation.projects.selectors import question_learned
from annotation.projects.services import NewCase, add_cases
from annotation.projects.splits import Wanted, parts_for
from annotation.projects.splitting import LIKENESS
from annotation.queue.selectors import waiting_cases
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import ImportedFile
from audit.models import Event
from mlworker.embeddings import EmbeddingStore
from mlworker.runtime import run
from mlworker.simulation.truth import answers_of, table_of
from mlworker.vectors import store_of
from tests.factories import a_member, a_project, some_cases, some_series
from tests.mlworker.stages import WIDTH, an_encoder
from tests.mlworker.test_encode import embedded
from tests.real import contradicting_delivery

pytestmark = [pytest.mark.django_db]


def vectors_of(project: Project, cases: Sequence[Case], vectors: np.ndarray) -> None:
    """Give a project an encoder of its own with these vectors."""
    store: EmbeddingStore = store_of(an_encoder(project))
    store.append([case.series.content_digest for case in cases], vectors)


def a_stage(count: int = 60, *, audit_share: float = 0.2) -> tuple[Project, list[Case]]:
    """Cases of which each of the last ten looks like one of the first ten."""
    project = a_project()
    some_cases(project, count, audit_share=audit_share)
    cases = list(project.cases.select_related("series").order_by("number"))
    vectors = np.random.default_rng(0).normal(size=(count, WIDTH))
    vectors[-10:] = vectors[:10] + 0.01
    vectors_of(project, cases, vectors)
    return project, cases


def label(case: Case, answer: str) -> None:
    ReferenceStandard.objects.create(
        case=case, answers={"finding": answer}, readings=1, updated_at=timezone.now()
    )


def split(project: Project, wanted: Wanted | None = None) -> Split:
    job = request_split(project=project, wanted=wanted or Wanted(), by=None, now=timezone.now())
    run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    return Split.objects.get(project=project)


def parts(project: Project) -> dict[int, str]:
    return dict(project.cases.values_list("number", "part"))


def test_near_duplicates_with_contradicting_labels_are_listed() -> None:
    project, cases = a_stage()
    label(cases[0], "normal")
    label(cases[50], "pneumonia")
    label(cases[1], "normal")
    label(cases[51], "normal")
    staff = a_member(project, Role.ML_STAFF)
    run(request_duplicates(project=project, likeness=0.95, by=staff).pk)
    search = newest_search(staff, project.pk)
    assert search is not None
    assert (search.searched, search.group_count) == (60, 10)
    [number] = conflicting_numbers(search)
    [group] = groups_in(search, [number])
    assert group.conflicts
    assert set(group.numbers) == {1, 51}
    assert sorted(group.labels.values()) == ["Normal", "Pneumonia"]


def test_a_search_that_runs_twice_leaves_the_same_rows() -> None:
    project, _ = a_stage()
    job = request_duplicates(project=project, likeness=0.95, by=None)
    run(job.pk)
    before = list(DuplicateSearch.objects.values())
    type(job).objects.filter(pk=job.pk).update(state="queued", finished_at=None)
    run(job.pk)
    assert list(DuplicateSearch.objects.values()) == before


def test_every_patient_is_placed_once_and_near_duplicates_together() -> None:
    project, cases = a_stage()
    found = split(project, Wanted(val_share=0.25, test_share=0.15))
    there = parts(project)
    assert "" not in there.values()
    assert all(there[number] == there[number + 50] for number in range(1, 11))
    audit = {case.number for case in cases if case.stream == Case.Stream.AUDIT}
    assert {there[number] for number in audit} == {"val"}
    assert found.figures["crossing"] == []
    assert Event.objects.filter(action="split.place", object_id=str(project.pk)).count() == 1


def test_shares_are_met_where_nothing_else_decides() -> None:
    project, _ = a_stage(audit_share=0.0)
    split(project, Wanted(val_share=0.25, test_share=0.15))
    counts = {row.part: row.patients for row in parts_for(a_member(project, Role.ML_STAFF), project.pk)}
    assert (counts["train"], counts["val"], counts["test"]) == pytest.approx((36, 15, 9), abs=1)


def test_more_data_move_nobody_and_find_their_duplicates_place() -> None:
    project, cases = a_stage()
    split(project)
    before = parts(project)
    test = next(case for case in cases if before[case.number] == "test")
    encoder = project.policy.encoder
    assert encoder is not None
    store = store_of(encoder)
    (vector,) = store.vectors(store.rows([test.series.content_digest]))
    (alike,) = some_cases(project, 1)
    some_cases(project, 1)  # has no vector yet
    store.append([alike.series.content_digest], vector[None] + np.float16(0.005))
    again = split(project)
    after = parts(project)
    assert {number: after[number] for number in before} == before
    assert after[alike.number] == "test"
    assert Placement.objects.get(project=project, patient=alike.patient_id).why == "alike"
    assert after[alike.number + 1] == ""
    assert again.figures["waiting"] == 1


def test_the_command_divides_and_says_how_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    project, _ = a_stage(audit_share=0.0)
    call_command("split", project.name, val=0.25, test=0.15, seed=3)
    said = capsys.readouterr().out
    found = dict(re.findall(r"(\w+)\s+(\d+) patients", said))
    assert [int(found[name]) for name in ("Training", "Validation", "Test")] == pytest.approx(
        [36, 15, 9], abs=1
    )
    split_now = Split.objects.get(project=project)
    assert (split_now.seed, split_now.val_share) == (3, 0.25)
    call_command("split", str(project.pk), show=True)
    assert capsys.readouterr().out == said
    with pytest.raises(CommandError, match="there is no project"):
        call_command("split", "nowhere")
    with pytest.raises(CommandError, match="give shares from 0"):
        call_command("split", project.name, val=0.9, test=0.2)


def test_where_the_deliveries_hold_patients_out_what_they_gave_stands() -> None:
    project = a_project()
    some_cases(project, 20, split="train")
    some_cases(project, 5, split="test")
    cases = list(project.cases.select_related("series").order_by("number"))
    vectors_of(project, cases, np.random.default_rng(0).normal(size=(25, WIDTH)))
    split(project)
    there = parts(project)
    assert {there[number] for number in range(1, 21)} == {"train"}
    assert {there[number] for number in range(21, 26)} == {"test"}


def test_a_patient_who_is_placed_keeps_the_place_with_later_images() -> None:
    project, cases = a_stage()
    split(project)
    here = parts(project)[cases[3].number]
    (series,) = some_series(project.dataset, 1)
    item = NewCase(series_id=series.pk, patient_id=cases[3].patient_id)
    (later,) = add_cases(project=project, items=[item], now=timezone.now())
    assert later.part == here


def test_models_learn_from_training_alone_and_rankings_leave_the_rest() -> None:
    project, cases = a_stage()
    for case in cases:
        label(case, "normal")
    assert len(labelled(project.pk)) == 60
    split(project)
    there = parts(project)
    learned = {one.case_id for one in labelled(project.pk) if one.stream == Case.Stream.POOL}
    pool = [case for case in cases if case.stream == Case.Stream.POOL]
    assert learned == {case.pk for case in pool if there[case.number] == "train"}
    ranked = {one.case_id for one in waiting_cases(project.pk) if one.stream == Case.Stream.POOL}
    assert ranked == learned
    teachable = set(teachable_series(project.dataset).values_list("pk", flat=True))
    assert teachable == {case.series_id for case in pool if there[case.number] == "train"}


@pytest.mark.usefixtures("real_data")
def test_both_wrong_labels_of_the_brain_mri_set_are_found(tmp_path: Path) -> None:
    folder = contradicting_delivery(tmp_path, every=8)
    call_command("import", folder, project="Brain MRI", modality="MR", verbosity=0)
    project = Project.objects.get(name="Brain MRI")
    embedded(project)
    answers = answers_of(project, table_of(folder / "labels.csv", question_learned(project.pk)))
    for case in project.cases.all():
        label(case, str(answers[case.pk]))
    staff = a_member(project, Role.ML_STAFF)
    run(request_duplicates(project=project, likeness=LIKENESS, by=staff).pk)
    search = newest_search(staff, project.pk)
    assert search is not None
    found = groups_in(search, conflicting_numbers(search))
    with (folder / "labels.csv").open(newline="") as lines:
        groups = {row["path"]: row["near_dup_group"] for row in csv.DictReader(lines)}
    paths = dict(ImportedFile.objects.values_list("instance__series__cases__number", "path"))
    named = [{groups[paths[number]] for number in group.numbers} for group in found]
    assert sorted(map(sorted, named)) == [["g1445"], ["g1520"]]
    assert [set(group.labels.values()) for group in found] == [{"Glioma", "Meningioma"}] * 2
