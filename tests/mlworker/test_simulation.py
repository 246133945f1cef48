"""Simulated readers: known answers joined through the import, both arms over real HTTP, the curves stored."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from annotation.learning import services
from annotation.learning.models import TrainingRun
from annotation.projects.models import Case, Project
from annotation.projects.rules import LearnedQuestion
from annotation.readings.models import Reading
from annotation.studies.models import Import, ImportedFile
from jobs.models import Job, State
from mlworker.runtime import run
from mlworker.simulation import curves, truth
from mlworker.simulation.curves import CurvePoint
from tests.factories import CHOICES, a_project, a_reader, some_cases
from tests.mlworker.stages import an_encoder, store_vectors, truth_of

pytestmark = pytest.mark.django_db(transaction=True)


def a_delivery(project: Project, folder: Path) -> Path:
    """The table of a delivery, and the rows that its import left."""
    delivery = Import.objects.create(
        dataset=project.dataset, project_id=project.pk, source_name="folder", created_at=timezone.now()
    )
    lines = ["path,label,split"]
    for case in project.cases.select_related("series"):
        path = f"images/{case.number}.png"
        ImportedFile.objects.create(
            delivery=delivery, path=path, outcome="stored", instance=case.series.instances.get()
        )
        lines.append(f"{path},{CHOICES[truth_of(case)][0]},{case.split}")
    table = folder / "labels.csv"
    table.write_text("\n".join(lines))
    return table


def a_project_to_simulate() -> Project:
    project = a_project("simulated")
    some_cases(project, 60, audit_share=0.2)
    some_cases(project, 30, split="test")
    cases = list(project.cases.select_related("series").order_by("number"))
    store_vectors(an_encoder(project), cases)
    return project


@pytest.fixture
def light_worker() -> Iterator[None]:
    """Do light jobs as they come, in a thread; training jobs are taken as done."""
    stop = threading.Event()

    def work() -> None:
        from django.db import connection

        while not stop.wait(0.02):
            Job.objects.filter(lane="training").update(state=State.DONE)
            for job_id in Job.objects.filter(state=State.QUEUED, lane="light").values_list("pk", flat=True):
                run(job_id)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def simulate(table: Path, url: str, **options: Any) -> dict[str, Any]:
    out = table.with_name("out.json")
    call_command(
        "simulate-readers",
        project="simulated",
        truth=table,
        url=url,
        out=out,
        **{"budget": 30, "readers": 2, **options},
    )
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_both_arms_spend_the_same_budget_over_http_and_the_curves_are_kept(
    live_server: Any, light_worker: None, tmp_path: Path
) -> None:
    project = a_project_to_simulate()
    result = simulate(a_delivery(project, tmp_path), live_server.url)
    twin = Project.objects.get(name="simulated (random)")
    read = [Reading.objects.filter(case__project=one).count() for one in (project, twin)]
    assert read == [30, 30]
    assert result["judged_on"] == "held-out test split"
    assert result["curves"]["strategy"][-1]["value"] > 0.8
    assert result["curves"]["random"][-1]["readings"] == 30
    assert TrainingRun.objects.get(kind="simulation").result["budget"] == 30


def test_simulated_readers_answer_what_the_table_says(
    live_server: Any, light_worker: None, tmp_path: Path
) -> None:
    project = a_project_to_simulate()
    simulate(a_delivery(project, tmp_path), live_server.url, budget=10)
    for reading in Reading.objects.select_related("case").prefetch_related("revisions"):
        answers = reading.revisions.all()[0].answers
        assert Case.objects.filter(pk=reading.case_id).exists()
        assert set(answers) == {"finding"}
    own = Reading.objects.filter(case__project=project).select_related("case")
    assert all(one.revisions.get().answers["finding"] == CHOICES[truth_of(one.case)][0] for one in own)


def test_nobody_can_sign_in_as_a_simulated_reader_afterwards(
    live_server: Any, light_worker: None, tmp_path: Path
) -> None:
    simulate(a_delivery(a_project_to_simulate(), tmp_path), live_server.url, budget=4)
    readers = User.objects.filter(username__startswith="sim-")
    assert readers.count() == 4
    assert not any(reader.is_active or reader.has_usable_password() for reader in readers)


def test_held_out_cases_are_never_read(live_server: Any, light_worker: None, tmp_path: Path) -> None:
    simulate(a_delivery(a_project_to_simulate(), tmp_path), live_server.url, budget=200)
    assert not Reading.objects.filter(case__stream=Case.Stream.HELD_OUT).exists()


def test_a_project_in_which_people_read_is_refused(tmp_path: Path) -> None:
    project = a_project_to_simulate()
    table = a_delivery(project, tmp_path)
    now = timezone.now()
    Reading.objects.create(
        case=project.cases.all()[0], reader=a_reader(project), created_at=now, updated_at=now
    )
    with pytest.raises(CommandError, match="1 readings by people"):
        simulate(table, "http://127.0.0.1:9")


def test_a_table_of_another_delivery_is_refused(tmp_path: Path) -> None:
    a_project_to_simulate()
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nimages/other.png,normal\n")
    with pytest.raises(CommandError, match="90 of 90 cases have no row"):
        simulate(table, "http://127.0.0.1:9")


def test_a_table_without_labels_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,finding\n")
    with pytest.raises(truth.TruthError, match="no columns path and label"):
        truth.table_of(table, LearnedQuestion("finding", "?", {}))


def test_a_project_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    a_project("another")
    with pytest.raises(CommandError, match='no project "simulated": there are another'):
        simulate(tmp_path / "labels.csv", "")


def test_without_a_held_out_split_the_audit_stream_judges() -> None:
    project = a_project()
    some_cases(project, 40, audit_share=0.5)
    name, cases = truth.judging_cases(project)
    assert name == "audit stream"
    assert {case.stream for case in cases} == {Case.Stream.AUDIT}


def test_the_area_is_the_mean_height_up_to_the_budget() -> None:
    points = [CurvePoint(10, 9, 0.5, 0, 1), CurvePoint(20, 18, 0.7, 0, 1), CurvePoint(40, 35, 0.7, 0, 1)]
    assert curves.area(points, 40) == pytest.approx((0.6 * 10 + 0.7 * 20) / 30)
    assert curves.area(points, 20) == pytest.approx(0.6)
    assert curves.area(points[:1], 40) is None


def test_a_policy_keeps_its_own_encoder_in_both_arms() -> None:
    project = a_project_to_simulate()
    from mlworker.simulation import arms

    twin = arms.sibling(project)
    assert arms.sibling(project) == twin
    assert twin.cases.count() == project.cases.count()
    assert twin.cases.filter(stream=Case.Stream.HELD_OUT).count() == 30
    assert services.policy_for(twin).encoder is None
