"""The loop with a question of several answers, job by job: refit, ranking, map, search, replay, training."""

import csv
import json
from array import array
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Role
from annotation.learning import similar
from annotation.learning.advice import advice_of
from annotation.learning.files import content_of
from annotation.learning.judgements import advice_for
from annotation.learning.maps import NONE, SEVERAL, map_bytes, maps_for, request_map
from annotation.learning.models import Evaluation, ModelVersion, Promotion, TrainingRun
from annotation.learning.training import TrainingSettings, request_training
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import question_learned
from annotation.queue.models import Entry
from annotation.readings.models import ReferenceStandard
from annotation.readings.selectors import pool_labels_by_choice
from jobs.models import State
from mlworker import teaching
from mlworker.heads.artefact import unpacked
from mlworker.heads.multilabel import MultilabelHeads
from mlworker.replay.projects import world_of_project
from mlworker.runtime import run
from mlworker.vectors import store_of
from tests.factories import OFFSET, a_member, a_project, some_cases
from tests.mlworker.stages import WIDTH, an_encoder, refitted, same_model_twice
from tests.mlworker.test_encode import done_here, embedded

pytestmark = pytest.mark.django_db(transaction=True)

FINDINGS = {"mass": 2, "oedema": 3}
ASKED = {
    "key": "findings",
    "prompt": "Which findings are there?",
    "kind": "multi",
    "required": False,
    "choices": [{"value": value, "label": value.capitalize()} for value in FINDINGS],
}


def findings_of(case: Case) -> list[str]:
    """A mass in every second case, an oedema in every third."""
    return [value for value, every in FINDINGS.items() if case.number % every == 0]


def a_project_of_findings(count: int, *, audit_share: float = 0.3) -> tuple[Project, list[Case]]:
    project = a_project()
    project.protocols.update(questions=[ASKED])
    some_cases(project, count, audit_share=audit_share)
    return project, list(project.cases.select_related("series").order_by("number"))


def with_vectors(count: int = 120, *, audit_share: float = 0.3) -> tuple[Project, list[Case]]:
    """Cases whose vectors tell each finding apart."""
    project, cases = a_project_of_findings(count, audit_share=audit_share)
    there = np.array([[value in findings_of(case) for value in FINDINGS] for case in cases])
    vectors = np.random.default_rng(0).normal(size=(count, WIDTH)) + 6.0 * there @ np.eye(2, WIDTH)
    store_of(an_encoder(project)).append([case.series.content_digest for case in cases], vectors)
    return project, cases


def read(cases: list[Case]) -> None:
    now = timezone.now()
    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(case=case, answers={"findings": findings_of(case)}, readings=1, updated_at=now)
        for case in cases
    )
    Entry.objects.filter(case__in=cases).update(state=Entry.State.DONE)


def of(cases: list[Case], stream: str) -> list[Case]:
    return [case for case in cases if case.stream == stream]


def test_findings_are_learned_ranked_judged_and_told() -> None:
    project, cases = with_vectors()
    read(of(cases, Case.Stream.POOL)[:40])
    read(of(cases, Case.Stream.AUDIT))
    assert refitted(project).state == State.DONE
    model = ModelVersion.objects.get(project=project)
    metrics, entry = (
        model.evaluation.metrics,
        Entry.objects.filter(project=project, reason="uncertain").first(),
    )
    assert entry is not None
    assert entry.probabilities is not None
    assert list(entry.probabilities) == ["mass", "oedema"]
    assert {"macro_auc", "macro_f1", "balanced:mass", "auc:oedema", "recall:mass"} <= set(metrics)
    assert metrics["balanced_accuracy"]["value"] > 0.9
    ensemble, told = unpacked(content_of(model.artefact_name, digest=model.artefact_digest))
    assert isinstance(ensemble.heads, MultilabelHeads)
    assert len(told["temperature"]) == 2
    kept = json.loads(content_of(model.snapshot.file_name, digest=model.snapshot.digest))["labels"]
    assert {tuple(row["label"]) for row in kept} == {(), ("mass",), ("oedema",), ("mass", "oedema")}
    card = model.card.content
    assert set(card["answers"]["mass"]) == {"prevalence", "recall", "balanced", "auc"}
    assert set(card["labels"]["by_class"]) == {"mass", "oedema", "None of them"}


def test_suggested_are_all_findings_that_are_likelier_than_not() -> None:
    project, cases = with_vectors()
    read(of(cases, Case.Stream.POOL)[:40])
    refitted(project)
    unread = Entry.objects.filter(project=project, probabilities__isnull=False).select_related("case")
    right = [
        {value for value, likely in (entry.probabilities or {}).items() if likely >= 0.5}
        == set(findings_of(entry.case))
        for entry in unread
    ]
    assert np.mean(right) > 0.85


def test_a_job_that_runs_twice_makes_the_same_model() -> None:
    project, cases = with_vectors()
    read(of(cases, Case.Stream.POOL)[:30])
    same_model_twice(project)


def test_cases_with_no_finding_at_all_are_labels_too_and_one_kind_of_case_fits_nothing() -> None:
    project, cases = with_vectors()
    read([case for case in of(cases, Case.Stream.POOL) if not findings_of(case)][:12])
    assert refitted(project).state == State.DONE
    assert not ModelVersion.objects.filter(project=project).exists()
    assert Entry.objects.filter(project=project, reason="cold_start").exists()


def test_stability_of_predictions_is_noted_from_the_second_model_on() -> None:
    project, cases = with_vectors()
    pool = of(cases, Case.Stream.POOL)
    for first, last in ((0, 20), (20, 40)):
        read(pool[first:last])
        refitted(project)
    notes = list(Evaluation.objects.order_by("model__number").values_list("advice", flat=True))
    assert "stability" not in notes[0]
    assert 0.2 < notes[1]["stability"] <= 1.0
    assert 0.0 < notes[1]["uncertainty"] < 1.0
    assert advice_for(a_member(project, Role.ML_STAFF), project.pk) != advice_of([])


def test_a_question_that_became_another_kind_is_not_compared_with_the_model_before() -> None:
    project, cases = with_vectors()
    pool = of(cases, Case.Stream.POOL)
    read(pool[:20])
    refitted(project)
    project.protocols.update(questions=[ASKED | {"kind": "single", "required": True}])
    ReferenceStandard.objects.filter(case__in=pool[:20]).delete()
    now = timezone.now()
    for case in pool[:30]:
        answer = {"findings": "mass" if "mass" in findings_of(case) else "oedema"}
        ReferenceStandard.objects.create(case=case, answers=answer, readings=1, updated_at=now)
    refitted(project)
    newest = Evaluation.objects.get(model__project=project, model__number=2)
    assert newest.model.classes == ["mass", "oedema"]
    assert "stability" not in newest.advice


def test_a_map_colours_what_is_alone_none_and_several() -> None:
    project, cases = with_vectors(60, audit_share=0.0)
    read(cases[:30])
    refitted(project)
    staff = a_member(project, Role.ML_STAFF)
    run(request_map(project=project, by=staff).pk)
    drawn = maps_for(staff, project.pk)["pca"]
    assert drawn.classes == ["mass", "oedema", NONE, SEVERAL]
    content, count = map_bytes(drawn), drawn.case_count
    listed = list(array("I", content[: 4 * count]))
    predicted, labels = (
        np.frombuffer(content, np.uint8, count, offset) for offset in (9 * count, 27 * count)
    )
    colours = {(): 2, ("mass",): 0, ("oedema",): 1, ("mass", "oedema"): 3}
    truth = [
        colours[tuple(findings_of(case))] for case in sorted(cases, key=lambda one: listed.index(one.number))
    ]
    assert np.mean(predicted == truth) > 0.85
    told = labels != 255
    assert told.sum() == 30
    assert (labels[told] == np.array(truth)[told]).all()


def test_examples_of_a_finding_are_cases_that_have_it() -> None:
    project, cases = with_vectors(60, audit_share=0.0)
    read(cases[:30])
    found = similar.examples_of(project.pk, "oedema")
    assert len(found) == 5
    assert all(number % FINDINGS["oedema"] == 0 for number in found)
    counts = pool_labels_by_choice(project.pk, question_learned(project.pk))
    assert counts == {"mass": 15, "oedema": 10}


def test_a_project_s_own_findings_are_replayed() -> None:
    project, cases = with_vectors(90)
    read(cases)
    world = world_of_project(project)
    assert (world.kind, world.classes) == ("multi", ["mass", "oedema"])
    assert world.read.labels.shape == (90, 2)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Project:
    """A read project whose images show their findings: a bright half for each."""
    monkeypatch.setattr(teaching, "is_held_back", lambda patient: int(patient[:2], 16) % 4 == 0)
    project, _ = a_project_of_findings(40, audit_share=0.0)
    some_cases(project, 24, audit_share=1.0)
    cases = list(project.cases.select_related("series").order_by("number"))
    for case in cases:
        (instance,) = case.series.instances.all()
        pixels = np.random.default_rng(case.number).integers(0, 60, size=(8, 6)).astype(np.uint8)
        pixels[:4] += 150 * ("mass" in findings_of(case))
        pixels[4:] += 150 * ("oedema" in findings_of(case))
        name = f"instances/{instance.digest[:2]}/{instance.digest}.dcm"
        default_storage.delete(name)
        default_storage.save(name, ContentFile(bytes(OFFSET) + pixels.tobytes()))
    read(cases)
    embedded(project)
    return project


def test_encoder_and_head_are_trained_on_findings_and_put_before_the_gate(shown: Project) -> None:
    settings = TrainingSettings(epochs=8, batch=8)
    job = done_here(request_training(project=shown, settings=settings, by=None, now=timezone.now()))
    assert job.state == State.DONE, job.error
    version, decision = ModelVersion.objects.get(job_id=job.pk), Promotion.objects.get()
    assert {"balanced_accuracy", "balanced:mass", "recall:oedema"} <= set(decision.comparison)
    history = TrainingRun.objects.get(job_id=job.pk).history
    assert history[-1]["loss"] < history[0]["loss"]
    ensemble, _ = unpacked(content_of(version.artefact_name, digest=version.artefact_digest))
    assert isinstance(ensemble.heads, MultilabelHeads)


def test_training_on_findings_needs_cases_with_and_without_one() -> None:
    project, cases = with_vectors(30, audit_share=0.0)
    read([case for case in cases if not findings_of(case)])
    with pytest.raises(RefusedError, match="mass 0, oedema 0: training needs 5 cases with one of them"):
        request_training(project=project, settings=TrainingSettings(), by=None, now=timezone.now())


MEANS = {"no_finding": "", "pneumonia": "opacity", "covid19": "opacity; covid19"}


def test_real_chest_x_rays_with_two_findings_are_replayed_by_the_command(
    real_data: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "chest", tmp_path / "replay.json"
    folder.mkdir()
    (folder / "images").symlink_to(real_data / "chest_xray" / "images")
    with (real_data / "chest_xray" / "labels.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    kept = [row for row in rows if row["split"] == "val"] + [row for row in rows if row["split"] == "train"][
        ::4
    ]
    lines = [f"{row['path']},{MEANS[row['label']]},{row['patient_id']},{row['split']}" for row in kept]
    (folder / "labels.csv").write_text("\n".join(["path,labels,patient_id,split", *lines]))
    call_command("replay", data=folder, strategies="default,random", seeds=2, budget=60, out=out, verbosity=0)
    found = json.loads(out.read_text())
    curve = found["strategies"]["default"]["curve"]
    assert curve[-1][0] == 60
    assert curve[-1][1] > 0.6
    assert found["full"] > 0.65
