"""Searches for cases like a few examples: asked for here, answered by a job."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.learning.models import SimilaritySearch
from annotation.learning.selectors import learning_project
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from annotation.readings.models import ReferenceStandard
from jobs.models import Job, Lane
from jobs.services import ask

MOST_EXAMPLES, MOST_UNLIKE = 5, 40


@transaction.atomic
def ask_similar(
    *, project: Project, like: Sequence[int], unlike: Sequence[int], by: User, now: datetime
) -> SimilaritySearch:
    """Ask for the unread cases that are most like one to five examples. like, unlike: case numbers.

    raises: RefusedError naming the rule: an audit case is no example, or it would steer what is learned.
    """
    wanted, not_wanted = sorted(set(like)), sorted(set(unlike) - set(like))
    check_examples(project, wanted, not_wanted)
    search = SimilaritySearch.objects.create(
        project=project, asked_by=by, like=wanted, unlike=not_wanted, created_at=now
    )
    search.job_id = ask_job(search, by).pk
    search.save(update_fields=["job_id"])
    record_act("similar.search", project.pk, by=by, details={"like": wanted, "unlike": not_wanted})
    return search


def check_examples(project: Project, like: Sequence[int], unlike: Sequence[int]) -> None:
    """Check what a search starts from.

    raises: RefusedError naming the rule.
    """
    if not 1 <= len(like) <= MOST_EXAMPLES:
        raise RefusedError(f"{len(like)} examples are given: give 1 to {MOST_EXAMPLES}")
    if len(unlike) > MOST_UNLIKE:
        raise RefusedError(f"{len(unlike)} cases are marked as not meant: mark at most {MOST_UNLIKE}")
    numbers = {*like, *unlike}
    pool = project.cases.filter(number__in=numbers, stream=Case.Stream.POOL)
    missing = numbers - set(pool.values_list("number", flat=True))
    if missing:
        told = ", ".join(map(str, sorted(missing)))
        raise RefusedError(f"case {told} is not in the pool: cases of the audit stream are no examples")


def ask_job(search: SimilaritySearch, by: User) -> Job:
    """Ask the light lane to go through the vectors."""
    return ask(
        name="find_similar",
        lane=Lane.LIGHT,
        arguments={"search_id": str(search.pk)},
        requested_by=by,
        scope_id=search.project_id,
    )


def keep_hits(*, search_id: UUID, hits: Sequence[tuple[int, float]], searched: int, seconds: float) -> None:
    """Keep what was found, most alike first."""
    found: list[Any] = [[number, similarity] for number, similarity in hits]
    SimilaritySearch.objects.filter(pk=search_id).update(hits=found, searched=searched, seconds=seconds)


def searches_for(user: User, project_id: UUID) -> QuerySet[SimilaritySearch]:
    """List the searches of a project, newest first."""
    return SimilaritySearch.objects.filter(project=learning_project(user, project_id))


def examples_of(project_id: UUID, label: str) -> list[int]:
    """Find the newest labelled cases of a class in the pool: what a search by class starts from."""
    question = question_learned(project_id)
    standards = ReferenceStandard.objects.filter(case__project=project_id, case__stream=Case.Stream.POOL)
    newest = standards.order_by("-updated_at").values_list("case__number", "answers").iterator()
    found = (
        number for number, answers in newest if label in (question.chosen(answers.get(question.key)) or ())
    )
    return list(islice(found, MOST_EXAMPLES))
