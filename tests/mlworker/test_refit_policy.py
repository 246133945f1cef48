"""What a policy asks of the refit job: quotas by scanner, regard for reading time, logit adjustment."""

import uuid

import numpy as np
import pytest
from django.utils import timezone

from annotation.learning import services
from annotation.learning.models import Evaluation, ModelVersion
from annotation.learning.scanners import scanner_name, scanners_of
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.readings.models import Reading, Revision
from annotation.studies.models import Series
from jobs.models import State
from tests.factories import a_reader
from tests.mlworker.stages import a_stage, of_stream, read, refitted

pytestmark = pytest.mark.django_db(transaction=True)


def of_two_scanners(cases: list[Case]) -> None:
    for case in cases:
        name = ("Maker", "Two") if case.number % 3 == 0 else ("Maker", "One")
        Series.objects.filter(pk=case.series_id).update(manufacturer=name[0], manufacturer_model_name=name[1])


def timed_readings(project: Project, cases: list[Case], seconds: list[float]) -> None:
    """Readings with their expert time; the vectors' first number tells nothing of it."""
    reader, now = a_reader(project), timezone.now()
    protocol = project.protocols.get()
    for case, spent in zip(cases, seconds, strict=True):
        reading = Reading.objects.create(case=case, reader=reader, created_at=now, updated_at=now)
        Revision.objects.create(
            reading=reading,
            reader=reader,
            number=1,
            protocol=protocol,
            answers={},
            seconds=spent,
            idempotency_key=uuid.uuid4(),
            created_at=now,
        )


def test_cases_of_one_scanner_have_no_sites() -> None:
    project, _ = a_stage(4)
    assert scanners_of(project.pk) == {}


def test_scanners_are_named_by_maker_and_model() -> None:
    project, cases = a_stage(6)
    of_two_scanners(cases)
    found = scanners_of(project.pk)
    assert {found[case.pk] for case in cases} == {"Maker One", "Maker Two"}


def test_a_scanner_of_which_nothing_was_kept_is_called_so() -> None:
    assert [scanner_name("Maker", ""), scanner_name("", "One")] == ["Maker", "One"]
    assert scanner_name("", "") == "Device not told"


def test_a_model_is_judged_at_each_scanner_that_has_enough_cases() -> None:
    project, cases = a_stage(160)
    of_two_scanners(cases)
    read(of_stream(cases, Case.Stream.POOL)[:20])
    read(of_stream(cases, Case.Stream.AUDIT)[:32])
    refitted(project)
    metrics = Evaluation.objects.get(model__project=project).metrics
    assert "scanner:Maker One" in metrics
    assert metrics["worst_class_recall"]["value"] <= metrics["balanced_accuracy"]["value"]
    assert metrics["prevalence:normal"]["low"] < 0.5 < metrics["prevalence:normal"]["high"]


def test_quotas_by_scanner_and_answer_keep_every_chance() -> None:
    project, cases = a_stage(80, audit_share=0.0)
    of_two_scanners(cases)
    services.set_policy(project=project, by=None, class_quota=True, site_quota=True)
    read(cases[:20])
    refitted(project)
    chances = list(
        Entry.objects.filter(project=project, reason="uncertain").values_list("draw_probability", flat=True)
    )
    assert len(chances) == 60
    assert all(chance is not None and 0.0 < chance <= 1.0 for chance in chances)


def test_quick_cases_come_up_more_often_where_time_counts() -> None:
    project, cases = a_stage(200, audit_share=0.0)
    services.set_policy(project=project, by=None, cost_power=1.0, class_quota=False)
    read(cases[:60])
    slow = [60.0 if case.number % 2 else 4.0 for case in cases[:60]]  # as the two classes' vectors tell
    timed_readings(project, cases[:60], slow)
    refitted(project)
    first = Entry.objects.filter(project=project, reason="uncertain").order_by("rank")[:30]
    quick = np.mean([entry.case.number % 2 == 0 for entry in first.select_related("case")])
    assert quick > 0.6


def test_every_strategy_that_a_policy_offers_makes_a_ranking() -> None:
    project, cases = a_stage(40, audit_share=0.0)
    read(cases[:10])
    for strategy in ("badge", "laplace_bald", "class_threshold", "core_set"):
        services.set_policy(project=project, by=None, strategy=strategy)
        assert refitted(project).state == State.DONE
        assert Entry.objects.get(project=project, rank=1).ranking.strategy == strategy  # type: ignore[union-attr]


def test_logit_adjustment_makes_another_model_of_the_same_labels() -> None:
    project, cases = a_stage(60, audit_share=0.0)
    read(of_stream(cases, Case.Stream.POOL)[:15])
    refitted(project)
    services.set_policy(project=project, by=None, logit_adjustment=False)
    refitted(project)
    digests = set(ModelVersion.objects.values_list("artefact_digest", flat=True))
    assert len(digests) == 2
