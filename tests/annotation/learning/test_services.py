"""Models, encoders, policy, runs: written once, audited, seen by whom they concern."""

import uuid
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Role, User
from annotation.learning import runs, selectors, services
from annotation.learning.files import content_of, keep
from annotation.learning.models import Encoder, ModelVersion, Policy, Snapshot, TrainingRun
from annotation.projects.models import Case, Project
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.readings.models import ReferenceStandard
from audit.models import Event
from jobs.models import Job
from tests.factories import a_member, a_project, a_reader, a_user, some_cases

pytestmark = pytest.mark.django_db

FIGURE = {"value": 0.8, "low": 0.7, "high": 0.9}


def an_encoder(project: Project, digest: str = "a" * 64) -> Encoder:
    new = services.NewEncoder("one", digest, 8, {"size": 64}, "encoders/one", {"gain": 1})
    return services.register_encoder(dataset=project.dataset, new=new, now=timezone.now())


def a_model(
    project: Project,
    *,
    job_id: uuid.UUID | None = None,
    metrics: dict[str, Any] | None = None,
    labels: int = 2,
) -> ModelVersion:
    new = services.NewModel(
        encoder=an_encoder(project),
        classes=["normal", "pneumonia"],
        artefact=keep(b"heads", folder="artefacts", suffix=".safetensors"),
        labels=[{"case": str(number), "label": "normal"} for number in range(labels)],
        seconds=0.5,
        audit_cases=20,
        metrics={"balanced_accuracy": FIGURE} if metrics is None else metrics,
    )
    return services.record_model(project=project, job_id=job_id or uuid.uuid4(), new=new, now=timezone.now())


def events(action: str) -> int:
    return Event.objects.filter(action=action).count()


def test_a_job_makes_one_model_version_however_often_it_is_recorded() -> None:
    project, job_id = a_project(), uuid.uuid4()
    first, again = a_model(project, job_id=job_id), a_model(project, job_id=job_id)
    assert first == again
    assert (ModelVersion.objects.count(), events("model.create")) == (1, 1)


def test_models_are_numbered_within_their_project() -> None:
    first, second = a_project(), a_project()
    assert [a_model(first).number, a_model(first).number, a_model(second).number] == [1, 2, 1]


def test_the_same_labels_are_one_snapshot_and_the_order_does_not_matter() -> None:
    project = a_project()
    labels = [{"case": "1", "label": "a"}, {"case": "2", "label": "b"}]
    one = services.record_snapshot(project=project, labels=labels, now=timezone.now())
    two = services.record_snapshot(project=project, labels=labels[::-1], now=timezone.now())
    assert one == two
    assert Snapshot.objects.count() == 1


def test_an_encoder_is_registered_once_a_data_set() -> None:
    project = a_project()
    assert an_encoder(project) == an_encoder(project)
    assert Encoder.objects.count() == 1


def test_choosing_an_encoder_is_audited_once() -> None:
    project = a_project()
    encoder = an_encoder(project)
    services.choose_encoder(project=project, encoder=encoder)
    services.choose_encoder(project=project, encoder=encoder)
    assert services.policy_for(project).encoder == encoder
    assert events("encoder.choose") == 1


def test_a_policy_is_set_and_audited() -> None:
    project, staff = a_project(), a_user()
    services.set_policy(project=project, strategy="margin", refit_every=5, audit_share=0.2, by=staff)
    policy = Policy.objects.get(project=project)
    assert (policy.strategy, policy.refit_every, policy.audit_share) == ("margin", 5, 0.2)
    assert Event.objects.get(action="policy.set").actor == str(staff.pk)


def test_what_a_policy_change_does_not_name_stays() -> None:
    project = a_project()
    services.set_policy(project=project, by=None, cost_power=1.5, class_quota=True)
    services.set_policy(project=project, by=None, batch_size=25, cost_power=None)
    policy = Policy.objects.get(project=project)
    assert (policy.batch_size, policy.cost_power, policy.class_quota) == (25, None, True)
    assert (policy.strategy, policy.refit_every) == ("power_margin", 10)


def test_a_refused_policy_changes_nothing() -> None:
    project = a_project()
    with pytest.raises(RefusedError):
        services.set_policy(project=project, strategy="margin", refit_every=5, audit_share=2.0, by=None)
    assert services.policy_for(project).strategy == "power_margin"


def test_pressing_retrain_twice_asks_for_one_job() -> None:
    project, staff = a_project(), a_user()
    first = services.request_retrain(project=project, by=staff)
    assert services.request_retrain(project=project, by=staff) == first
    assert Job.objects.count() == 1


def test_a_file_is_stored_once_and_checked_when_it_is_read() -> None:
    one, two = (keep(b"content", folder="artefacts", suffix=".x") for _ in range(2))
    assert one == two
    assert content_of(one.name, digest=one.digest) == b"content"
    with pytest.raises(ValueError, match="restore it"):
        content_of(one.name, digest="0" * 64)
    assert default_storage.exists(one.name)


def test_a_run_keeps_its_history_and_goes_on_with_it() -> None:
    project, job_id = a_project(), uuid.uuid4()
    new = runs.NewRun(kind="pretrain", dataset_id=project.dataset_id)
    runs.start_run(job_id=job_id, new=new, now=timezone.now())
    for epoch, loss in ((1, 3.0), (2, 2.5), (2, 2.0)):
        runs.append_history(job_id=job_id, point={"epoch": epoch, "loss": loss})
    again = runs.start_run(job_id=job_id, new=new, now=timezone.now())
    assert [point["loss"] for point in again.history] == [3.0, 2.0]
    runs.finish_run(job_id=job_id, result={"promoted": True})
    assert TrainingRun.objects.get().result == {"promoted": True}


def test_the_learning_curve_leaves_out_models_that_could_not_be_judged() -> None:
    project = a_project()
    staff = a_member(project, Role.ML_STAFF)
    a_model(project, metrics={})
    a_model(project, labels=7)
    curve = selectors.learning_curve(staff, project.pk)
    assert [(point["model_number"], point["labels"], point["value"], point["low"]) for point in curve] == [
        (2, 7, 0.8, 0.7)
    ]


@pytest.mark.parametrize(
    "read",
    [
        selectors.learning_curve,
        selectors.models_for,
        selectors.runs_for,
        selectors.encoders_for,
        selectors.policy_of,
    ],
)
def test_models_are_for_ml_staff_and_administrators_of_the_project(read: Any) -> None:
    project = a_project()
    a_model(project)
    for allowed in (a_member(project, Role.ML_STAFF), a_user(is_admin=True)):
        read(allowed, project.pk)
    with pytest.raises(ForbiddenError):
        read(a_reader(project), project.pk)
    with pytest.raises(Project.DoesNotExist):
        read(a_user(), project.pk)


def test_the_list_of_models_takes_few_queries_however_long_it_is(
    django_assert_max_num_queries: Any,
) -> None:
    project = a_project()
    staff: User = a_member(project, Role.ML_STAFF)
    for _ in range(5):
        a_model(project)
    with django_assert_max_num_queries(3):
        assert [
            (one.encoder.name, one.snapshot.label_count, one.evaluation.case_count)
            for one in selectors.models_for(staff, project.pk)
        ] == [("one", 2, 20)] * 5
    with django_assert_max_num_queries(3):
        assert len(selectors.learning_curve(staff, project.pk)) == 5


def test_runs_of_another_data_set_are_not_shown() -> None:
    project, other = a_project(), a_project()
    staff = a_member(project, Role.ML_STAFF)
    for one in (project, other):
        new = runs.NewRun(kind="pretrain", dataset_id=one.dataset_id)
        runs.start_run(job_id=uuid.uuid4(), new=new, now=timezone.now())
    new = runs.NewRun(kind="simulation", project_id=project.pk)
    runs.start_run(job_id=uuid.uuid4(), new=new, now=timezone.now())
    assert {run.kind for run in selectors.runs_for(staff, project.pk)} == {"pretrain", "simulation"}
    assert selectors.runs_for(staff, project.pk).count() == 2


def test_a_reference_standard_outside_the_protocol_is_no_label() -> None:
    project = a_project()
    cases = some_cases(project, 3)
    for case, answer in zip(cases, ["normal", "pneumonia", "neither"], strict=True):
        ReferenceStandard.objects.create(
            case=case, answers={"finding": answer}, readings=1, updated_at=timezone.now()
        )
    found = selectors.labelled(project.pk)
    assert [row.chosen for row in found] == [("normal",), ("pneumonia",)]
    assert {row.stream for row in found} == {Case.Stream.POOL}
