"""Models side by side on the audit stream: asked for, kept by a job, read by ML staff and administrators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from accounts.models import User
from annotation.learning.judged_models import Comparison, JudgedCase
from annotation.learning.models import ModelVersion, Promotion
from annotation.learning.selectors import learning_project, models_for, policy_of
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import record_act
from jobs.models import Job, Lane
from jobs.services import ask

MOST_COMPARED: Final = 4
# Rows of so many versions are kept; those of versions that nobody compared for longest go first.
VERSIONS_KEPT: Final = 12
AT_A_TIME: Final = 1_000


@dataclass(frozen=True)
class Judged:
    """What a job found: figures for the page, and each version's audit cases, by the version's id."""

    versions: Sequence[ModelVersion]
    figures: Mapping[str, Any]
    cases: Mapping[UUID, Sequence[JudgedCase]]
    case_count: int


@dataclass(frozen=True)
class Mistakes:
    """Which mistakes are looked at; empty: all. right: cases that the model got right are looked at too."""

    truth: str = ""
    thought: str = ""
    choice: str = ""
    site: str = ""
    scanner: str = ""
    right: bool = False


def key_of(numbers: Iterable[int]) -> str:
    """Name a choice of models."""
    return ",".join(str(number) for number in sorted(set(numbers)))


@transaction.atomic
def request_comparison(
    *, project: Project, numbers: Sequence[int], by: User | None, address: str = ""
) -> Job:
    """Ask the light lane to judge models side by side; the request is audited.

    raises: RefusedError for numbers that are no models, and for too many.
    """
    wanted = checked_numbers(project, numbers)
    key = key_of(wanted)
    job = ask(
        name="compare_models",
        lane=Lane.LIGHT,
        arguments={"project_id": str(project.pk), "numbers": wanted},
        requested_by=by,
        scope_id=project.pk,
        singleton_key=f"compare:{project.pk}:{key}",
    )
    record_act("models.compare", project.pk, by=by, details={"models": key}, address=address)
    return job


def checked_numbers(project: Project, numbers: Iterable[int]) -> list[int]:
    """Put models' numbers in order.

    raises: RefusedError for numbers that are no models, and for too many.
    """
    wanted = sorted(set(numbers))
    if not 1 <= len(wanted) <= MOST_COMPARED:
        raise RefusedError(f"{len(wanted)} models were chosen: choose 1 to {MOST_COMPARED}")
    known = set(project.models.filter(number__in=wanted).values_list("number", flat=True))
    missing = [number for number in wanted if number not in known]
    if missing:
        raise RefusedError(f"there is no model {missing[0]}")
    return wanted


@transaction.atomic
def keep_comparison(*, project: Project, found: Judged, job_id: UUID, now: datetime) -> Comparison:
    """Keep what a job found in place of what older ones did; the same job again changes nothing.

    Two that judged the same version wait for each other.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    for version in found.versions:
        JudgedCase.objects.filter(model=version).delete()
        JudgedCase.objects.bulk_create(found.cases[version.pk], batch_size=AT_A_TIME)
    values = {
        "cases": found.case_count,
        "figures": dict(found.figures),
        "job_id": job_id,
        "created_at": now,
    }
    key = key_of(version.number for version in found.versions)
    kept, _ = Comparison.objects.update_or_create(project=project, key=key, defaults=values)
    drop_forgotten(project)
    return kept


def drop_forgotten(project: Project) -> None:
    """Drop comparisons, and rows of versions, that were asked for longest ago."""
    newest = list(Comparison.objects.filter(project=project))
    alive: list[int] = []
    for one in newest:
        numbers = [int(number) for number in one.key.split(",")]
        if len({*alive, *numbers}) > VERSIONS_KEPT:
            one.delete()
        else:
            alive += numbers
    JudgedCase.objects.filter(model__project=project).exclude(model__number__in=alive).delete()


def champion_of(user: User, project_id: UUID) -> ModelVersion | None:
    """Find the version in use: the newest that was fitted on the encoder in use."""
    fitted = models_for(user, project_id).filter(origin=ModelVersion.Origin.REFIT)
    encoder = policy_of(user, project_id).encoder_id
    return (fitted if encoder is None else fitted.filter(encoder=encoder)).first()


def passed_in(versions: Iterable[ModelVersion]) -> set[UUID]:
    """Name the versions of trainings that passed the gate."""
    passed = Promotion.objects.filter(model__in=list(versions), promoted=True)
    return set(passed.values_list("model", flat=True))


def comparison_for(user: User, project_id: UUID, numbers: Iterable[int]) -> Comparison | None:
    """Find what is known of a choice of models.

    raises: Project.DoesNotExist, ForbiddenError to readers.
    """
    project = learning_project(user, project_id)
    return Comparison.objects.filter(project=project, key=key_of(numbers)).first()


def mistakes_of(user: User, model: ModelVersion, wanted: Mistakes) -> QuerySet[JudgedCase]:
    """List a version's judged cases, the surest first; cases that left the project since are left out."""
    learning_project(user, model.project_id)
    rows = JudgedCase.objects.filter(model=model, case__project=model.project_id)
    named = {name: value for name, value in vars(wanted).items() if name != "right" and value}
    rows = rows.filter(**named)
    if not wanted.right:
        rows = rows.filter(is_right=False)
    return rows.select_related("case__series").order_by("-share", "case__number")


def kinds_of(model: ModelVersion) -> list[dict[str, Any]]:
    """Count the kinds of mistakes of a version, the commonest first."""
    rows = JudgedCase.objects.filter(model=model, case__project=model.project_id, is_right=False).order_by()
    counted = rows.values("choice", "truth", "thought").annotate(count=Count("pk"))
    return [dict(one) for one in counted.order_by("-count", "choice", "truth", "thought")]


def places_of(model: ModelVersion, column: str) -> list[str]:
    """Name the sites, scanners or truths of a version's judged cases."""
    rows = JudgedCase.objects.filter(model=model, case__project=model.project_id).exclude(**{column: ""})
    return list(rows.order_by(column).values_list(column, flat=True).distinct())


def judged_versions(project: Project) -> set[int]:
    """Name the versions whose cases can be listed."""
    keys = Comparison.objects.filter(project=project).values_list("key", flat=True)
    return {int(number) for key in keys for number in key.split(",")}
