"""The learning page of ML staff."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from annotation.api.pages import learning_events
from annotation.api.pages.access import Visit
from annotation.learning.models import (
    Encoder,
    Evaluation,
    ModelVersion,
    Policy,
    Snapshot,
    TrainingRun,
)
from annotation.learning.services import policy_for
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from audit.models import Event
from jobs.models import Job, State
from tests.annotation.api.pages.addresses import address
from tests.factories import some_cases


def a_model(project: Project, number: int, value: float, **metrics: dict[str, float]) -> ModelVersion:
    now = timezone.now()
    encoder, _ = Encoder.objects.get_or_create(
        dataset=project.dataset,
        digest="a" * 64,
        defaults={"name": "ResNet-18", "dimension": 512, "preprocessing": {}, "created_at": now},
    )
    snapshot, _ = Snapshot.objects.get_or_create(
        project=project, digest="b" * 64, defaults={"label_count": 1, "created_at": now}
    )
    model = ModelVersion.objects.create(
        project=project,
        number=number,
        encoder=encoder,
        snapshot=snapshot,
        classes=["normal", "pneumonia"],
        label_count=10 * number,
        job_id=uuid.uuid4(),
        seconds=0.5,
        created_at=now,
    )
    figures = {"balanced_accuracy": {"value": value, "low": value - 0.1, "high": value + 0.1}}
    Evaluation.objects.create(model=model, case_count=20, metrics=figures | metrics, created_at=now)
    return model


def test_before_the_first_model_the_page_says_when_it_comes(ml_staff: Client, project: Project) -> None:
    page = ml_staff.get(address(project, "ml")).content.decode()
    assert "No curve yet" in page
    assert "at least two answers of each kind" in page
    assert "No encoder yet" in page


def test_the_curve_is_drawn_and_told_as_a_table(ml_staff: Client, project: Project) -> None:
    a_model(project, 1, 0.6)
    a_model(project, 2, 0.75)
    page = ml_staff.get(address(project, "ml")).content.decode()
    assert "Model 2: 0.750 (0.650 – 0.850) after 20 labels" in page
    assert "0.650 – 0.850</td>" in page
    assert 'role="img"' in page
    assert "chance" in page


def test_another_metric_is_a_link_away(ml_staff: Client, project: Project) -> None:
    a_model(project, 1, 0.6, macro_auc={"value": 0.812, "low": 0.7, "high": 0.9})
    page = ml_staff.get(address(project, "ml"), {"metric": "macro_auc"}).content.decode()
    assert "0.812" in page
    assert ml_staff.get(address(project, "ml"), {"metric": "nonsense"}).status_code == 200


A_POLICY = {"strategy": "margin", "refit_every": "25", "batch_size": "30", "audit_percent": "20"}


def test_the_newest_model_is_told_by_answer_and_by_scanner(ml_staff: Client, project: Project) -> None:
    figure = {"value": 0.61, "low": 0.5, "high": 0.7}
    metrics = {
        "worst_class_recall": figure,
        "calibration_error": figure | {"value": 0.034},
        "prevalence:pneumonia": {"value": 0.12, "low": 0.07, "high": 0.19},
        "prevalence:normal": {"value": 0.88, "low": 0.81, "high": 0.93},
        "recall:pneumonia": figure,
        "scanner:Maker One": figure,
    }
    a_model(project, 1, 0.6, **metrics)
    page = ml_staff.get(address(project, "ml")).content.decode()
    for words in ("least recognised 61 %", "7 % – 19 %", "none in the stream yet", "Maker One", "0.034"):
        assert words in page


def test_retrain_asks_for_one_job_however_often_it_is_pressed(ml_staff: Client, project: Project) -> None:
    for _ in range(3):
        answer = ml_staff.post(address(project, "retrain"), follow=True)
    assert "Asked for a new model" in answer.content.decode()
    job = Job.objects.get(name="refit")
    assert job.requested_by == User.objects.get(username="m.lind")


def test_a_policy_is_set_and_audited(ml_staff: Client, project: Project) -> None:
    ml_staff.post(address(project, "policy"), A_POLICY | {"class_quota": "on", "cost_power": "1.5"})
    policy = Policy.objects.get(project=project)
    assert (policy.strategy, policy.refit_every, policy.audit_share) == ("margin", 25, 0.2)
    assert (policy.batch_size, policy.cost_power) == (30, 1.5)
    assert (policy.class_quota, policy.site_quota, policy.logit_adjustment) == (True, False, False)
    assert Event.objects.filter(action="policy.set").count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategy": "best"}, "not one of the available choices"),
        ({"refit_every": "0"}, "Fit a new model after is 0: give 1 to 1000 readings."),
        ({"refit_every": "x"}, "Fit a new model after must be a number: give 1 to 1000 readings."),
        ({"batch_size": ""}, "Batch size must be a number: give 1 to 500 cases."),
        ({"audit_percent": "80"}, "Audit share is 80.0: give 0 to 50 per cent."),
        ({"cost_power": "9"}, "Weight α is 9.0: give 0.1 to 4 or leave it empty."),
    ],
)
def test_a_policy_that_cannot_be_comes_back_with_what_is_wrong(
    ml_staff: Client, project: Project, change: dict[str, str], words: str
) -> None:
    policy_for(project)
    answer = ml_staff.post(address(project, "policy"), A_POLICY | change)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Policy.objects.get(project=project).refit_every == 10


def test_administrators_look_and_do_not_steer(admin: Client, project: Project) -> None:
    page = admin.get(address(project, "ml")).content.decode()
    assert "Retrain now" not in page
    assert admin.post(address(project, "retrain")).status_code == 403
    assert admin.post(address(project, "policy")).status_code == 403
    assert not Job.objects.exists()


def test_a_piece_of_the_page_comes_without_the_rest(ml_staff: Client, project: Project) -> None:
    Job.objects.create(
        name="refit",
        lane="light",
        scope_id=project.pk,
        state=State.RUNNING,
        progress=0.4,
        message="Ranking the pool",
        created_at=timezone.now(),
    )
    piece = ml_staff.get(address(project, "ml"), {"part": "now"}).content.decode()
    assert "Ranking the pool" in piece
    assert "<html" not in piece
    assert "Learning curve" in ml_staff.get(address(project, "ml"), {"part": "curve"}).content.decode()


def test_simulated_readers_are_shown_strategy_against_random(ml_staff: Client, project: Project) -> None:
    line = [{"readings": 10, "value": 0.5, "low": 0.4, "high": 0.6}, {"readings": 20, "value": 0.7}]
    TrainingRun.objects.create(
        job_id=uuid.uuid4(),
        project=project,
        kind="simulation",
        settings={"strategy": "power_margin", "budget": 20, "readers": 2},
        result={"curves": {"random": line, "strategy": line}, "judging_cases": 80, "judged_on": "test split"},
        created_at=timezone.now(),
    )
    page = ml_staff.get(address(project, "ml")).content.decode()
    assert "Simulated readers" in page
    assert "80 cases (test split)" in page
    assert page.index("<td>Power-margin</td>") < page.index("<td>Random</td>")


@pytest.fixture
def visit(ml_staff: Client, project: Project) -> Visit:
    return Visit(User.objects.get(username="m.lind"), project, Role.ML_STAFF)


def seen(visit: Visit) -> learning_events.Seen:
    found = learning_events.look(visit)
    assert found is not None
    return found


def test_news_are_jobs_labels_and_models(visit: Visit) -> None:
    before = seen(visit)
    assert learning_events.changed(before, seen(visit)) == []
    Job.objects.create(name="refit", lane="light", scope_id=visit.project.pk, created_at=timezone.now())
    with_job = seen(visit)
    assert learning_events.changed(before, with_job) == ["now"]
    a_model(visit.project, 1, 0.6)
    assert learning_events.changed(with_job, seen(visit)) == ["now", "curve"]


def test_what_changed_between_the_page_and_its_stream_is_told_at_once(visit: Visit) -> None:
    assert learning_events.changed(None, seen(visit)) == ["now", "curve"]


def test_the_stream_ends_within_a_look_when_the_role_is_gone(visit: Visit) -> None:
    set_membership(project=visit.project, user=visit.user, role=None)
    assert learning_events.look(visit) is None
    set_membership(project=visit.project, user=visit.user, role="reader")
    assert learning_events.look(visit) is None
    set_membership(project=visit.project, user=visit.user, role="ml_staff")
    assert learning_events.look(visit) is not None


def test_a_stream_tells_the_browser_when_to_come_back_and_ends_by_itself(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([learning_events.Seen((), 0, 0), learning_events.Seen((), 3, 0), None])
    monkeypatch.setattr(learning_events, "look", lambda _visit: next(looks))
    monkeypatch.setattr(learning_events, "POLL_SECONDS", 0.0)
    sent = asyncio.run(collected(learning_events.events(visit)))
    assert sent[0] == b"retry: 2000\n\n"
    assert [one.partition(b"\n")[0] for one in sent[1:]] == [b"event: now", b"event: curve", b"event: now"]


async def collected(stream: AsyncIterator[bytes]) -> list[bytes]:
    return [one async for one in stream]


def test_a_protocol_without_a_question_to_learn_breaks_no_page(ml_staff: Client, project: Project) -> None:
    box = {"key": "where", "prompt": "Where?", "kind": "box", "labels": [{"value": "n", "label": "N"}]}
    project.protocols.update(questions=[box])
    some_cases(project, 1)
    for name in ("project", "map", "similar"):
        assert ml_staff.get(address(project, name)).status_code == 200
    assert ml_staff.get(address(project, "case", number=1)).status_code == 200
    page = ml_staff.get(address(project, "ml")).content.decode()
    assert "protocol has none, so no model is fitted" in page
