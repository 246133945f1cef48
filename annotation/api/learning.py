"""How a project learns, for programs: policy, curve, advice, drift, replays, maps, checks of labels."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.organise import JobView, organised
from annotation.api.permissions import address_of, person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body
from annotation.learning.drifts import newest_drift, request_drift
from annotation.learning.judged_models import Drift
from annotation.learning.judgements import advice_for
from annotation.learning.maps import map_bytes, maps_for, request_map
from annotation.learning.models import Policy
from annotation.learning.replays import replays_for, request_replay
from annotation.learning.rules import PolicySettings
from annotation.learning.selectors import learning_curve, learning_project, policy_of
from annotation.learning.services import request_retrain, set_policy
from annotation.queue.label_quality import check_for, request_check
from annotation.readings.effort import spent_hours
from jobs.models import Job

MOST_REPLAYS = 20
Strategy = Annotated[str, Field(max_length=32)]


class PolicyView(Schema):
    """How the queue and the models are driven; spent_hours: expert hours so far."""

    strategy: str
    refit_every: int
    batch_size: int
    audit_share: float
    class_quota: bool
    site_quota: bool
    cost_power: float | None
    logit_adjustment: bool
    train_labels: int | None
    train_days: int | None
    drift_limit: float | None
    budget_hours: float | None
    encoder: UUID | None
    spent_hours: float


class PolicyBody(Body):
    """What is changed; what is not named stays as it is."""

    strategy: str | None = None
    refit_every: int | None = None
    batch_size: int | None = None
    audit_share: float | None = None
    class_quota: bool | None = None
    site_quota: bool | None = None
    cost_power: float | None = None
    logit_adjustment: bool | None = None
    train_labels: int | None = None
    train_days: int | None = None
    drift_limit: float | None = None
    budget_hours: float | None = None


class CurvePointView(Schema):
    """A model on the learning curve; 95 % interval over patients."""

    labels: int
    value: float
    low: float
    high: float
    model_number: int
    created_at: datetime


class SignView(Schema):
    """A sign of when to stop; met: null where it is too early to say."""

    name: str
    met: bool | None
    words: str


class AdviceView(Schema):
    """Whether more labels pay: advice only."""

    verdict: str
    words: str
    signs: list[SignView]
    forecast: str


class DriftView(Schema):
    """How well new images can be told from labelled ones: 0.5 not at all, 1 always; null: see reason."""

    value: float | None
    low: float | None
    high: float | None
    new_images: int
    labelled_images: int
    reason: str
    measured_at: datetime | None


class ReplayBody(Body):
    """Which strategies are replayed, with how many seeds, up to how many readings."""

    strategies: Annotated[list[Strategy], Field(min_length=1, max_length=20)]
    seeds: int = 20
    budget: int = 200


class ReplayView(Schema):
    """A replay that has ended: curves, labels to target, verdict in words."""

    asked: dict[str, Any]
    result: dict[str, Any]
    created_at: datetime


class MapView(Schema):
    """A map of the project's vectors; its points come as bytes from map/points."""

    method: str
    cases: int
    classes: list[str]
    sites: list[str]
    facts: dict[str, Any]
    drawn_at: datetime


class LabelCheckView(Schema):
    """Labels worth a second look: likely wrong ones, hasty readings, readers by week and what changed."""

    doubted: list[dict[str, Any]]
    hasty: list[dict[str, Any]]
    drifts: list[dict[str, Any]]
    labels: int
    readings: int
    checked_at: datetime | None


router = Router(tags=["learning"])


@router.get("projects/{uuid:project_id}/policy", response={200: PolicyView, **WRITE})
def show_policy(request: HttpRequest, project_id: UUID) -> PolicyView:
    """Show how the queue and the models are driven."""
    return policy_view(policy_of(person(request), project_id), project_id)


@router.patch("projects/{uuid:project_id}/policy", response={200: PolicyView, **WRITE})
def change_policy(request: HttpRequest, project_id: UUID, body: PolicyBody) -> PolicyView:
    """Change what is named; null empties what may be empty. The next ranking follows it."""
    project = organised(request, project_id)
    named: Any = body.model_dump(exclude_unset=True)
    settings: PolicySettings = named
    return policy_view(
        set_policy(project=project, by=person(request), address=address_of(request), **settings), project_id
    )


@router.post("projects/{uuid:project_id}/refits", response={202: JobView, **WRITE})
def refit_now(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for a new model and a new ranking now."""
    return asked(
        request_retrain(
            project=organised(request, project_id), by=person(request), address=address_of(request)
        )
    )


@router.get("projects/{uuid:project_id}/curve", response={200: list[CurvePointView], **WRITE})
def show_curve(request: HttpRequest, project_id: UUID, metric: str = "balanced_accuracy") -> Any:  # noqa: ANN401  rows
    """List how models did on the audit stream, the oldest first."""
    return learning_curve(person(request), project_id, metric)


@router.get("projects/{uuid:project_id}/advice", response={200: AdviceView, **WRITE})
def show_advice(request: HttpRequest, project_id: UUID) -> AdviceView:
    """Say whether more labels pay."""
    return AdviceView(**asdict(advice_for(person(request), project_id)))


@router.get("projects/{uuid:project_id}/drift", response={200: DriftView, **WRITE})
def show_drift(request: HttpRequest, project_id: UUID) -> DriftView:
    """Give the newest measurement of drift."""
    return drift_view(newest_drift(person(request), project_id))


@router.post("projects/{uuid:project_id}/drift", response={202: JobView, **WRITE})
def measure_drift(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for a measurement."""
    return asked(
        request_drift(project=organised(request, project_id), by=person(request), address=address_of(request))
    )


@router.get("projects/{uuid:project_id}/replays", response={200: list[ReplayView], **WRITE})
def list_replays(request: HttpRequest, project_id: UUID) -> list[ReplayView]:
    """List the newest replays that have ended."""
    found = replays_for(person(request), project_id)[:MOST_REPLAYS]
    return [ReplayView(asked=one.settings, result=one.result, created_at=one.created_at) for one in found]


@router.post("projects/{uuid:project_id}/replays", response={202: JobView, **WRITE})
def ask_replay(request: HttpRequest, project_id: UUID, body: ReplayBody) -> Status[JobView]:
    """Ask for the project's labels to be read again by each strategy."""
    project = organised(request, project_id)
    return asked(request_replay(project=project, by=person(request), **body.model_dump()))


@router.get("projects/{uuid:project_id}/maps", response={200: list[MapView], **WRITE})
def list_maps(request: HttpRequest, project_id: UUID) -> list[MapView]:
    """List the newest map of each method."""
    return [
        MapView(
            method=one.method,
            cases=one.case_count,
            classes=one.classes,
            sites=one.sites,
            facts=one.facts,
            drawn_at=one.created_at,
        )
        for one in maps_for(person(request), project_id).values()
    ]


@router.post("projects/{uuid:project_id}/maps", response={202: JobView, **WRITE})
def draw_map(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for a new map."""
    return asked(request_map(project=organised(request, project_id), by=person(request)))


@router.get("projects/{uuid:project_id}/maps/{method}/points", response={200: bytes, **WRITE})
def get_map_points(request: HttpRequest, project_id: UUID, method: str) -> HttpResponse:
    """Send a map's places with today's labels: columns of little-endian numbers, as the page reads them."""
    learning_project(person(request), project_id)
    drawn = maps_for(person(request), project_id).get(method)
    if drawn is None:
        raise NotThereError(f"there is no map by {method}")
    response = HttpResponse(map_bytes(drawn), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response


@router.get("projects/{uuid:project_id}/label-checks", response={200: LabelCheckView, **WRITE})
def show_label_check(request: HttpRequest, project_id: UUID) -> LabelCheckView:
    """Give what the newest check of the labels found, the worst first."""
    found = check_for(person(request), project_id)
    if found is None:
        return LabelCheckView(doubted=[], hasty=[], drifts=[], labels=0, readings=0, checked_at=None)
    names = ("doubted", "hasty", "drifts", "labels", "readings")
    return LabelCheckView(checked_at=found.created_at, **{name: getattr(found, name) for name in names})


@router.post("projects/{uuid:project_id}/label-checks", response={202: JobView, **WRITE})
def check_labels(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for a check of the labels."""
    return asked(request_check(project=organised(request, project_id), by=person(request)))


def asked(job: Job) -> Status[JobView]:
    """Name the job that was asked for."""
    return Status(202, JobView(job=job.pk, state=job.state))


def policy_view(policy: Policy, project_id: UUID) -> PolicyView:
    """Describe a policy."""
    names = [name for name in PolicyView.model_fields if name not in ("encoder", "spent_hours")]
    values = {name: getattr(policy, name) for name in names}
    return PolicyView(encoder=policy.encoder_id, spent_hours=spent_hours(project_id), **values)


def drift_view(found: Drift | None) -> DriftView:
    """Describe a measurement."""
    if found is None:
        return DriftView(
            value=None,
            low=None,
            high=None,
            new_images=0,
            labelled_images=0,
            reason="not measured yet",
            measured_at=None,
        )
    names = ("value", "low", "high", "new_images", "labelled_images", "reason")
    return DriftView(measured_at=found.created_at, **{name: getattr(found, name) for name in names})
