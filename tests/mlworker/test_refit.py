"""The refit job: labels and stored vectors in; a model, its evaluation and a ranking out, once."""

import subprocess
import sys
import uuid

import numpy as np
import pytest

from annotation.learning import services
from annotation.learning.files import content_of
from annotation.learning.models import Evaluation, ModelVersion, Policy, Snapshot
from annotation.projects.models import Case
from annotation.queue.models import UNRANKED, Entry, Ranking
from jobs.models import Job, State
from mlworker.heads.artefact import unpacked
from mlworker.heads.ordinal import OrdinalHeads
from mlworker.runtime import run
from tests.factories import a_project, some_cases
from tests.mlworker.stages import (
    a_stage,
    an_encoder,
    of_stream,
    read,
    refitted,
    same_model_twice,
    store_vectors,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_there_are_labels_the_pool_is_ranked_by_typical_cases() -> None:
    project, _ = a_stage(30)
    assert refitted(project).state == State.DONE
    ranking = Ranking.objects.get(project=project)
    reasons = set(Entry.objects.filter(project=project).values_list("reason", flat=True))
    assert (ranking.model, ranking.pool_size) == (None, 30)
    assert reasons == {"cold_start", "random_audit"}


def test_ranks_run_from_one_without_a_gap() -> None:
    project, _ = a_stage(30)
    refitted(project)
    ranks = Entry.objects.filter(project=project).order_by("rank").values_list("rank", flat=True)
    assert list(ranks) == list(range(1, 31))


def test_labels_of_every_class_make_a_model_that_ranks_by_uncertainty() -> None:
    project, cases = a_stage()
    read(of_stream(cases, Case.Stream.POOL)[:10])
    refitted(project)
    model = ModelVersion.objects.get(project=project)
    entry = Entry.objects.filter(project=project, reason="uncertain").first()
    assert entry is not None
    assert (model.number, model.label_count, model.classes) == (1, 10, ["normal", "pneumonia"])
    assert entry.probabilities is not None
    assert entry.draw_probability is not None
    assert sum(entry.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
    assert 0.0 < entry.draw_probability <= 1.0
    assert Ranking.objects.get(project=project).model == model


def test_audit_labels_judge_and_are_never_learned_from() -> None:
    project, cases = a_stage(120)
    pool, audit = of_stream(cases, Case.Stream.POOL), of_stream(cases, Case.Stream.AUDIT)
    read(pool[:40])
    read(audit)
    refitted(project)
    model = ModelVersion.objects.get(project=project)
    evaluation = Evaluation.objects.get(model=model)
    figure = evaluation.metrics["balanced_accuracy"]
    assert model.label_count == 40
    assert evaluation.case_count == len(audit)
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["value"] > 0.8
    snapshot = content_of(model.snapshot.file_name, digest=model.snapshot.digest).decode()
    assert not any(str(case.pk) in snapshot for case in audit)


def test_few_audit_labels_give_no_figure_at_all() -> None:
    project, cases = a_stage()
    read(of_stream(cases, Case.Stream.POOL)[:10])
    read(of_stream(cases, Case.Stream.AUDIT)[:3])
    refitted(project)
    evaluation = Evaluation.objects.get(model__project=project)
    assert (evaluation.case_count, evaluation.metrics) == (3, {})


def test_a_job_that_runs_twice_leaves_the_same_rows() -> None:
    project, cases = a_stage()
    read(of_stream(cases, Case.Stream.POOL)[:10])
    job = refitted(project)
    before = list(Entry.objects.order_by("pk").values())
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, finished_at=None)
    run(job.pk)
    counts = [kind.objects.count() for kind in (ModelVersion, Evaluation, Snapshot, Ranking)]
    assert counts == [1, 1, 1, 1]
    assert list(Entry.objects.order_by("pk").values()) == before


def test_the_same_labels_are_the_same_snapshot_and_artefact() -> None:
    project, cases = a_stage()
    read(of_stream(cases, Case.Stream.POOL)[:10])
    first, second = same_model_twice(project)
    assert (first.number, second.number) == (1, 2)


def test_the_artefact_predicts_what_it_was_taught() -> None:
    project, cases = a_stage(100)
    read(of_stream(cases, Case.Stream.POOL)[:20])
    refitted(project)
    model = ModelVersion.objects.get(project=project)
    ensemble, description = unpacked(content_of(model.artefact_name, digest=model.artefact_digest))
    vectors = np.random.default_rng(1).normal(size=(2, 16)) * 0.1 + 3.0 * np.eye(2, 16)
    assert ensemble.mean_probabilities(vectors)[:, 0].argmax(axis=1).tolist() == [0, 1]
    assert description["labels"] == 20


def test_a_case_without_a_vector_stays_in_the_queue_unranked() -> None:
    project = a_project()
    some_cases(project, 6)
    cases = list(project.cases.select_related("series").order_by("number"))
    store_vectors(an_encoder(project), cases[:4])
    refitted(project)
    assert Entry.objects.filter(project=project, rank=UNRANKED).count() == 2


def test_a_project_without_an_encoder_asks_for_one() -> None:
    project = a_project()
    some_cases(project, 2)
    assert refitted(project).state == State.DONE
    assert Job.objects.filter(name="embed", arguments={"dataset_id": str(project.dataset_id)}).count() == 1


def test_random_strategy_draws_each_case_alike() -> None:
    project, cases = a_stage(40, audit_share=0.0)
    services.set_policy(project=project, strategy="random", refit_every=5, audit_share=0.1, by=None)
    read(cases[:10])
    refitted(project)
    first = Entry.objects.get(project=project, rank=1)
    assert first.reason == "random"
    assert first.draw_probability == pytest.approx(1 / 30)
    assert ModelVersion.objects.filter(project=project).count() == 1


def test_margin_strategy_puts_the_least_certain_case_first() -> None:
    project, cases = a_stage(60, audit_share=0.0)
    services.set_policy(project=project, strategy="margin", class_quota=False, audit_share=0.1, by=None)
    read(cases[:10])
    refitted(project)
    scores = Entry.objects.filter(project=project, rank__lt=UNRANKED).order_by("rank")
    values = [score for score in scores.values_list("score", flat=True) if score is not None]
    assert len(values) == scores.count()
    assert values == sorted(values, reverse=True)


def test_a_case_that_is_being_read_keeps_its_lease() -> None:
    project, cases = a_stage(20, audit_share=0.0)
    Entry.objects.filter(case=cases[0]).update(state=Entry.State.LEASED)
    refitted(project)
    assert Entry.objects.get(case=cases[0]).state == Entry.State.LEASED


def test_a_project_that_is_gone_fails_with_its_name() -> None:
    job = services.ask_refit(project_id=uuid.uuid4())
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, "DoesNotExist" in job.error) == (State.FAILED, True)


def test_refit_never_loads_torch() -> None:
    program = "import django; django.setup(); import mlworker.jobs, sys; assert 'torch' not in sys.modules"
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0]=['platform','.']; {program}"],
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "config.settings.test", "PATH": ""},
    )


def test_the_policy_of_a_project_is_made_when_it_is_first_asked_for() -> None:
    project = a_project()
    assert services.policy_for(project).strategy == Policy.Strategy.POWER_MARGIN


def test_grades_are_learned_as_grades() -> None:
    project, cases = a_stage(120)
    protocol = project.protocols.get()
    protocol.questions[0]["kind"] = "ordinal"
    protocol.save()
    read(of_stream(cases, Case.Stream.POOL)[:30])
    read(of_stream(cases, Case.Stream.AUDIT))
    refitted(project)
    model = ModelVersion.objects.get(project=project)
    assert model.evaluation.metrics["quadratic_kappa"]["value"] > 0.8
    ensemble, told = unpacked(content_of(model.artefact_name, digest=model.artefact_digest))
    assert isinstance(ensemble.heads, OrdinalHeads)
    assert told["kind"] == "ordinal"
    assert Entry.objects.filter(project=project, reason="uncertain").exists()


def test_a_project_that_asks_nothing_to_learn_is_ranked_by_typical_cases() -> None:
    project, cases = a_stage()
    box = {"key": "where", "prompt": "Where?", "kind": "box", "labels": [{"value": "n", "label": "N"}]}
    project.protocols.update(questions=[box])
    read(of_stream(cases, Case.Stream.POOL)[:10])
    assert refitted(project).state == State.DONE
    assert not ModelVersion.objects.filter(project=project).exists()
    assert Entry.objects.filter(project=project, reason="cold_start").exists()
