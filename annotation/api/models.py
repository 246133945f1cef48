"""Model versions for programs: listed, compared, which encoder is in use, and the way back."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile

from annotation.api.errors import NotThereError
from annotation.api.guards import confirmed
from annotation.api.organise import JobView, organised
from annotation.api.pages.models import UploadForm, kept
from annotation.api.pages.taking import checked, files_of
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body, Number
from annotation.learning import promotion
from annotation.learning.judged import champion_of, comparison_for, passed_in, request_comparison
from annotation.learning.models import ModelVersion, Promotion
from annotation.learning.selectors import (
    encoders_for,
    learning_project,
    models_for,
    policy_of,
    promotions_for,
)

ORDER = ("-number",)
MOST_PROMOTIONS = 200


class ModelView(Schema):
    """A version; role: champion (in use), challenger (a training's that did not pass the gate), earlier.

    metrics: value, low, high.
    """

    id: UUID
    number: int
    role: Literal["champion", "challenger", "earlier"]
    origin: str
    labels: int
    classes: list[str]
    encoder: UUID
    artefact_sha256: str
    judged_cases: int
    metrics: dict[str, dict[str, float]]
    reason: str
    created_at: datetime


class ModelsView(Schema):
    """A page of versions, the newest first; next: the cursor of the next page, null at the end."""

    models: list[ModelView]
    next: str | None


class ModelCardView(ModelView):
    """A version with its card."""

    card: dict[str, Any]


class ComparisonView(Schema):
    """Versions judged on the same audit cases; figures: as on the page, none where no job has judged them."""

    models: list[int]
    cases: int
    figures: dict[str, Any]
    compared_at: datetime | None


class Numbers(Schema):
    """Which models, by their numbers."""

    models: Annotated[list[Number], Field(max_length=200)] = []


class NumbersBody(Body):
    """Numbers of models, or of cases."""

    numbers: Annotated[list[Number], Field(min_length=1, max_length=200)]


class EncoderView(Schema):
    """An encoder that the project can choose."""

    id: UUID
    name: str
    digest: str
    dimension: int
    licence: str
    source: str
    in_use: bool


class PromotionView(Schema):
    """A decision about the encoder: the gate's, a choice, or the way back."""

    kind: str
    promoted: bool
    encoder: UUID
    previous: UUID | None
    reason: str
    comparison: dict[str, Any]
    created_at: datetime


class PromotionBody(Body):
    """The encoder to take into use; null: the one before."""

    encoder: UUID | None


router = Router(tags=["models"])


@router.get("projects/{uuid:project_id}/models", response={200: ModelsView, **WRITE})
def list_models(request: HttpRequest, project_id: UUID, page: Query[After]) -> ModelsView:
    """List a project's model versions, the newest first."""
    rows = after(models_for(person(request), project_id), page, order=ORDER)
    champion, passed = champion_of(person(request), project_id), passed_in(rows)
    return ModelsView(
        models=[ModelView(**told(one, champion, passed)) for one in rows[: page.size]],
        next=next_of(rows, page, order=ORDER),
    )


@router.get("projects/{uuid:project_id}/models/{uuid:model_id}", response={200: ModelCardView, **WRITE})
def show_model(request: HttpRequest, project_id: UUID, model_id: UUID) -> ModelCardView:
    """Show one version with its card."""
    version = version_of(request, project_id, model_id)
    card = version.card.content if hasattr(version, "card") else {}
    champion = champion_of(person(request), project_id)
    return ModelCardView(**told(version, champion, passed_in([version])), card=card)


@router.get("projects/{uuid:project_id}/comparison", response={200: ComparisonView, **WRITE})
def show_comparison(request: HttpRequest, project_id: UUID, numbers: Query[Numbers]) -> ComparisonView:
    """Give what is known of models side by side."""
    found = comparison_for(person(request), project_id, numbers.models)
    if found is None:
        return ComparisonView(models=sorted(set(numbers.models)), cases=0, figures={}, compared_at=None)
    return ComparisonView(
        models=sorted(set(numbers.models)),
        cases=found.cases,
        figures=found.figures,
        compared_at=found.created_at,
    )


@router.post("projects/{uuid:project_id}/comparison", response={202: JobView, **WRITE})
def compare_models(request: HttpRequest, project_id: UUID, body: NumbersBody) -> Status[JobView]:
    """Ask for one to four models to be judged side by side; lists of their mistakes come with it."""
    project = organised(request, project_id)
    job = request_comparison(
        project=project, numbers=body.numbers, by=person(request), address=address_of(request)
    )
    return Status(202, JobView(job=job.pk, state=job.state))


@router.get("projects/{uuid:project_id}/encoders", response={200: list[EncoderView], **WRITE})
def list_encoders(request: HttpRequest, project_id: UUID) -> list[EncoderView]:
    """List the encoders that the project can choose from, the newest first."""
    used = policy_of(person(request), project_id).encoder_id
    names = ("id", "name", "digest", "dimension", "licence", "source")
    return [
        EncoderView(in_use=one.pk == used, **{name: getattr(one, name) for name in names})
        for one in encoders_for(person(request), project_id)
    ]


@router.post("projects/{uuid:project_id}/encoders", response={202: JobView, **WRITE})
def upload_encoder(
    request: HttpRequest, project_id: UUID, name: Form[str] = "", weights: File[UploadedFile | None] = None
) -> Status[JobView]:
    """Send weights (safetensors, 2 GB at most) for an encoder of the catalogue; a worker checks them.

    The project changes over once every image has its vector. The password must have been typed lately.
    """
    project = organised(request, project_id)
    confirmed(request)
    form = checked(UploadForm({"name": name}, files_of(weights=weights)))
    stored, digest = kept(form.cleaned_data["weights"])
    job = promotion.request_upload(
        project=project,
        name=form.cleaned_data["name"],
        stored=stored,
        digest=digest,
        by=person(request),
        address=address_of(request),
    )
    return Status(202, JobView(job=job.pk, state=job.state))


@router.get("projects/{uuid:project_id}/promotions", response={200: list[PromotionView], **WRITE})
def list_promotions(request: HttpRequest, project_id: UUID) -> list[PromotionView]:
    """List decisions about the project's encoder, the newest first, at most two hundred."""
    return [promotion_view(one) for one in promotions_for(person(request), project_id)[:MOST_PROMOTIONS]]


@router.post("projects/{uuid:project_id}/promotions", response={202: JobView, 200: PromotionView, **WRITE})
def promote(
    request: HttpRequest, project_id: UUID, body: PromotionBody
) -> Status[JobView] | Status[PromotionView]:
    """Take an encoder into use once every image has its vector (202), or go back to the one before (200).

    The password must have been typed lately.
    """
    project = organised(request, project_id)
    encoder = None
    if body.encoder is not None:
        encoder = encoders_for(person(request), project_id).filter(pk=body.encoder).first()
        if encoder is None:
            raise NotThereError(f"there is no encoder {body.encoder}")
    confirmed(request)
    user, address = person(request), address_of(request)
    if encoder is None:
        made = promotion.roll_back(project=project, by=user, now=timezone.now(), address=address)
        return Status(200, promotion_view(made))
    job = promotion.request_encoder(project=project, encoder=encoder, by=user, address=address)
    return Status(202, JobView(job=job.pk, state=job.state))


def version_of(request: HttpRequest, project_id: UUID, model_id: UUID) -> ModelVersion:
    """Find a version that the person may see.

    raises: NotThereError, Project.DoesNotExist, ForbiddenError.
    """
    learning_project(person(request), project_id)
    found = models_for(person(request), project_id).select_related("card", "project").filter(pk=model_id)
    version = found.first()
    if version is None:
        raise NotThereError(f"there is no model {model_id}")
    return version


def told(version: ModelVersion, champion: ModelVersion | None, passed: Collection[UUID]) -> dict[str, Any]:
    """Describe a version. passed: the versions that passed the gate."""
    is_champion = champion is not None and champion.pk == version.pk
    challenges = version.origin == ModelVersion.Origin.TRAIN and version.pk not in passed
    return {
        "id": version.pk,
        "number": version.number,
        "role": "champion" if is_champion else "challenger" if challenges else "earlier",
        "origin": version.origin,
        "labels": version.label_count,
        "classes": version.classes,
        "encoder": version.encoder_id,
        "artefact_sha256": version.artefact_digest,
        "judged_cases": version.evaluation.case_count,
        "metrics": version.evaluation.metrics,
        "reason": version.evaluation.reason,
        "created_at": version.created_at,
    }


def promotion_view(one: Promotion) -> PromotionView:
    """Describe a decision."""
    return PromotionView(
        kind=one.kind,
        promoted=one.promoted,
        encoder=one.encoder_id,
        previous=one.previous_id,
        reason=one.reason,
        comparison=one.comparison,
        created_at=one.created_at,
    )
