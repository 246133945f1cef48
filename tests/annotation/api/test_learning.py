"""The ML console by program: models, mistakes, runs and their log, policy, drift; problems in words."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from annotation.learning import promotion
from annotation.learning.judged_models import Drift
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.runs import note_line
from annotation.projects.models import Project
from audit.models import Event
from jobs.models import Job, Lane, State
from tests import factories
from tests.annotation.api.pages.test_compare import compared, judged, versions
from tests.annotation.api.pages.test_models import a_version, an_encoder, used
from tests.factories import typed

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def project() -> Project:
    return factories.a_project()


@pytest.fixture
def staff(project: Project) -> Client:
    return factories.a_client(factories.a_member(project, Role.ML_STAFF))


def at(project: Project, path: str) -> str:
    return f"/api/v1/projects/{project.pk}/{path}"


def sent(client: Client, project: Project, path: str, body: dict[str, Any], verb: str = "post") -> Any:
    return getattr(client, verb)(at(project, path), body, content_type=JSON)


def a_run(project: Project, state: State = State.RUNNING, minutes: int = 0) -> Job:
    made = timezone.now() - timedelta(minutes=minutes)
    job = Job.objects.create(
        name="train", lane=Lane.TRAINING, scope_id=project.pk, state=state, created_at=made
    )
    TrainingRun.objects.create(
        job_id=job.pk,
        project=project,
        kind="train",
        settings={"mode": "lora"},
        history=[{"epoch": 1, "loss": 0.6}],
        created_at=made,
    )
    return job


def test_models_are_listed_newest_first_page_by_page(staff: Client, project: Project) -> None:
    versions(project, 3)
    first = staff.get(at(project, "models?size=2")).json()
    assert [(one["number"], one["role"]) for one in first["models"]] == [(3, "champion"), (2, "earlier")]
    rest = staff.get(at(project, f"models?size=2&cursor={first['next']}")).json()
    assert [one["number"] for one in rest["models"]] == [1]
    assert rest["next"] is None
    one = staff.get(at(project, f"models/{first['models'][0]['id']}")).json()
    assert one["metrics"]["balanced_accuracy"] == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert one["card"]["labels"]["count"] == 1
    assert staff.get(at(project, f"models/{uuid.uuid4()}")).json()["code"] == "not_found"


def test_the_list_of_models_costs_as_many_queries_for_many(staff: Client, project: Project) -> None:
    versions(project, 2)
    staff.get(at(project, "models"))
    with CaptureQueriesContext(connection) as few:
        staff.get(at(project, "models"))
    versions(project, 8)
    with CaptureQueriesContext(connection) as many:
        staff.get(at(project, "models"))
    assert len(many) == len(few)


def test_models_are_compared_and_mistakes_read_again(staff: Client, project: Project) -> None:
    made = versions(project)
    asked = sent(staff, project, "comparison", {"numbers": [1, 2]})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert staff.get(at(project, "comparison?models=1&models=2")).json()["compared_at"] is None
    compared(project, made)
    judged(project, made[1], 3, right=4)
    found = staff.get(at(project, "comparison?models=2&models=1")).json()
    assert found["figures"]["differences"][0]["balanced_accuracy"]["difference"] == 0.1
    page = staff.get(at(project, f"models/{made[1].pk}/mistakes?size=2")).json()
    assert (page["count"], len(page["cases"]), page["next"]) == (3, 2, 2)
    factories.a_reader(project)
    numbers = [one["number"] for one in page["cases"]]
    again = sent(staff, project, f"models/{made[1].pk}/rereadings", {"numbers": numbers}).json()
    assert again == {"size": 4, "controls": 2, "left_out": {}}
    refused = sent(staff, project, "comparison", {"numbers": [7]})
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")


def test_the_champion_is_of_the_encoder_in_use_and_who_passed_the_gate_challenges_no_more(
    staff: Client, project: Project
) -> None:
    first, second = an_encoder(project, "First"), an_encoder(project, "Second")
    fitted = a_version(project, first)
    a_version(project, second)
    refused, passed = (a_version(project, second, origin=ModelVersion.Origin.TRAIN) for _ in range(2))
    for version, verdict in ((refused, False), (passed, True)):
        decided = promotion.Decided(version, promotion.Verdict(verdict, "measured"))
        promotion.decide(project=project, decided=decided, now=timezone.now())
    used(project, first)
    roles = {one["number"]: one["role"] for one in staff.get(at(project, "models")).json()["models"]}
    assert roles == {1: "champion", 2: "earlier", 3: "challenger", 4: "earlier"}
    assert staff.get(at(project, f"models/{passed.pk}")).json()["role"] == "earlier"
    assert staff.get(at(project, f"models/{fitted.pk}")).json()["role"] == "champion"
    page = staff.get(f"/projects/{project.pk}/learning/models").content.decode()
    assert page.count(">Challenger<") == 1


def test_numbers_that_no_column_holds_are_refused_in_words(staff: Client, project: Project) -> None:
    model = versions(project)[0]
    huge = 2**70
    asked = [
        f"models/{model.pk}/mistakes?after={huge}",
        f"comparison?models={huge}",
        f"cases?after={huge}",
        f"runs/{a_run(project).pk}/log?after={huge}",
    ]
    assert [staff.get(at(project, path)).status_code for path in asked] == [422] * 4
    for path in ("comparison", "gold", f"models/{model.pk}/rereadings"):
        for numbers in ([huge], [0], [-1]):
            assert sent(staff, project, path, {"numbers": numbers}).status_code == 422


def test_an_encoder_is_promoted_and_rolled_back(staff: Client, project: Project) -> None:
    first, second = an_encoder(project, "First"), an_encoder(project, "Second")
    used(project, first)
    used(project, second)
    listed = staff.get(at(project, "encoders")).json()
    assert {one["name"]: one["in_use"] for one in listed} == {"First": False, "Second": True}
    refused = sent(staff, project, "promotions", {"encoder": None})
    assert (refused.status_code, refused.json()["code"]) == (403, "confirm_first")
    typed(staff)
    back = sent(staff, project, "promotions", {"encoder": None})
    assert (back.status_code, back.json()["encoder"]) == (200, str(first.pk))
    asked = sent(staff, project, "promotions", {"encoder": str(second.pk)})
    assert asked.status_code == 202
    assert Job.objects.filter(name="adopt_encoder").count() == 1
    assert staff.get(at(project, "promotions")).json()[0]["kind"] == "rollback"
    asked_from = Event.objects.filter(action__in=["encoder.rollback", "encoder.choose", "encoder.request"])
    addresses = asked_from.exclude(actor="system").values_list("remote_address", flat=True)
    assert list(addresses) == ["127.0.0.1"] * 3


@pytest.mark.parametrize("path", ["projects/{project}/runs/{job}/resumption", "jobs/{job}/retry"])
def test_an_encoder_s_job_is_asked_for_again_with_the_password(
    staff: Client, project: Project, path: str
) -> None:
    job = a_run(project, State.FAILED)
    Job.objects.filter(pk=job.pk).update(name="adopt_encoder")
    where = "/api/v1/" + path.format(project=project.pk, job=job.pk)
    refused = staff.post(where, {}, content_type=JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirm_first")
    assert typed(staff).post(where, {}, content_type=JSON).status_code in (201, 202)


def test_runs_are_followed_by_their_log_cancelled_and_resumed(staff: Client, project: Project) -> None:
    old, job = a_run(project, State.DONE, minutes=5), a_run(project)
    note_line(job_id=job.pk, event="epoch", values={"epoch": 1, "loss": 0.6})
    page = staff.get(at(project, "runs?size=1")).json()
    assert [one["id"] for one in page["runs"]] == [str(job.pk)]
    after = staff.get(at(project, f"runs?size=1&cursor={page['next']}")).json()
    assert [one["id"] for one in after["runs"]] == [str(old.pk)]
    assert staff.get(at(project, f"runs/{job.pk}")).json()["history"] == [{"epoch": 1, "loss": 0.6}]
    log = staff.get(at(project, f"runs/{job.pk}/log")).json()
    assert [(one["event"], one["values"]["loss"]) for one in log["lines"]] == [("epoch", 0.6)]
    assert staff.get(at(project, f"runs/{job.pk}/log?after={log['next']}")).json()["lines"] == []
    assert sent(staff, project, f"runs/{job.pk}/cancellation", {}).json()["state"] == "cancelled"
    again = sent(staff, project, f"runs/{job.pk}/resumption", {})
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert set(Event.objects.values_list("action", flat=True)) >= {"job.cancel", "job.retry"}


def test_a_training_that_cannot_be_is_a_problem_in_words(staff: Client, project: Project) -> None:
    few = sent(staff, project, "runs", {"kind": "train"})
    assert (few.status_code, few.json()["status"]) == (422, 422)
    assert "training needs 5 of two classes" in few.json()["detail"]
    deep = sent(staff, project, "runs", {"kind": "train", "mode": "deep"})
    assert "mode is" in deep.json()["detail"]
    asked = sent(staff, project, "runs", {"kind": "pretrain", "minutes": 1.0})
    assert (asked.status_code, asked.json()["kind"]) == (202, "pretrain")
    closed = sent(staff, project, "runs", {"kind": "pretrain", "projects": [str(uuid.uuid4())]})
    assert closed.status_code == 422


def test_the_policy_is_read_and_changed_field_by_field(staff: Client, project: Project) -> None:
    changed = sent(staff, project, "policy", {"train_labels": 200, "budget_hours": 40.0}, "patch").json()
    assert (changed["train_labels"], changed["budget_hours"], changed["batch_size"]) == (200, 40.0, 10)
    emptied = sent(staff, project, "policy", {"train_labels": None}, "patch").json()
    assert (emptied["train_labels"], emptied["budget_hours"]) == (None, 40.0)
    wrong = sent(staff, project, "policy", {"drift_limit": 0.1}, "patch")
    assert (wrong.status_code, "drift_limit is 0.1" in wrong.json()["detail"]) == (422, True)
    empty = sent(staff, project, "policy", {"batch_size": None}, "patch")
    assert (empty.status_code, empty.json()["detail"]) == (422, "batch_size is empty: give a value")
    assert Event.objects.filter(action="policy.set").count() == 2


def test_drift_is_read_and_asked_for(staff: Client, project: Project) -> None:
    assert staff.get(at(project, "drift")).json()["reason"] == "not measured yet"
    assert sent(staff, project, "drift", {}).status_code == 202
    Drift.objects.create(
        project=project,
        value=0.9,
        low=0.85,
        high=0.95,
        new_images=50,
        labelled_images=60,
        job_id=uuid.uuid4(),
        created_at=timezone.now(),
    )
    assert staff.get(at(project, "drift")).json()["value"] == 0.9


def test_curve_advice_replays_maps_and_checks_answer_before_there_is_anything(
    staff: Client, project: Project
) -> None:
    for path in ("curve", "replays", "maps"):
        assert staff.get(at(project, path)).json() == []
    assert staff.get(at(project, "advice")).json()["signs"]
    assert staff.get(at(project, "label-checks")).json()["checked_at"] is None
    assert staff.get(at(project, "maps/pca/points")).status_code == 404
    for path, name in (("label-checks", "check_labels"), ("maps", "map_pool"), ("refits", "refit")):
        assert sent(staff, project, path, {}).status_code == 202
        assert Job.objects.filter(name=name, scope_id=project.pk).exists()
