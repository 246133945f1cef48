"""The error gallery: audit cases on which a model is wrong, the surest first; read again with controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.compare import JOBS, numbers_in, version_numbered
from annotation.api.pages.frame import project_page
from annotation.api.pages.similar import left_out_words
from annotation.api.pages.similar import numbers_in as case_numbers
from annotation.api.pages.splits import progress
from annotation.learning.judged import (
    Mistakes,
    champion_of,
    judged_versions,
    kinds_of,
    mistakes_of,
    places_of,
)
from annotation.learning.judged_models import JudgedCase
from annotation.learning.models import ModelVersion
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import question_learned
from annotation.queue.mistakes import reread_mistakes
from jobs.selectors import jobs_now

PAGE_LENGTH = 24
KIND = ("choice", "truth", "thought")
FILTERS = ("truth", "thought", "choice", "site", "scanner")


@dataclass(frozen=True)
class Row:
    """A judged case in words; finding: where several can be given."""

    judged: JudgedCase
    truth: str
    thought: str
    finding: str


@require_GET
@member(Role.ML_STAFF, ADMIN)
def errors(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show one page of a model's mistakes; without ?model those of the one in use."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "errors", JOBS)
    version = version_of(request, visit)
    wanted = wanted_in(request)
    known = judged_versions(visit.project)
    context: dict[str, Any] = {"judged": version is not None and version.number in known}
    if version is not None and context["judged"]:
        context |= gallery(request, visit, version, wanted)
    return project_page(
        request,
        "learning/errors.html",
        "learning",
        visit,
        version=version,
        champion=champion_of(visit.user, visit.project.pk),
        wanted=wanted,
        **jobs_now([visit.project.pk], JOBS)._asdict(),
        **context,
    )


def version_of(request: HttpRequest, visit: Visit) -> ModelVersion | None:
    """Find the version that the address names, else the one in use."""
    numbers = numbers_in(request.GET.getlist("model"))
    return version_numbered(visit, numbers[0]) if numbers else champion_of(visit.user, visit.project.pk)


def wanted_in(request: HttpRequest) -> Mistakes:
    """Read the filters that an address names; kind: three of them, written as an address writes them."""
    named = {name: request.GET.get(name, "").strip()[:160] for name in FILTERS}
    if kind := request.GET.get("kind", ""):
        told = QueryDict(kind)
        named |= {name: told.get(name, "") for name in KIND}
    return Mistakes(**named, right=request.GET.get("right") == "1")


def gallery(request: HttpRequest, visit: Visit, version: ModelVersion, wanted: Mistakes) -> dict[str, Any]:
    """Collect one page of cases, and what they can be filtered by."""
    words = words_of(visit)
    part = Paginator(mistakes_of(visit.user, version, wanted), PAGE_LENGTH).get_page(request.GET.get("page"))
    named = {name: value for name in FILTERS if (value := getattr(wanted, name))}
    return {
        "part": part,
        "rows": [row_of(one, words) for one in part],
        "kinds": [
            (urlencode({name: one[name] for name in KIND}), kind_words(one, words), one["count"])
            for one in kinds_of(version)
        ],
        "truths": [(value, words.get(value, value)) for value in places_of(version, "truth")],
        "kind": urlencode({name: getattr(wanted, name) for name in KIND}),
        "sites": places_of(version, "site"),
        "scanners": places_of(version, "scanner"),
        "filtered": bool(named),
        "back": urlencode({"model": version.number} | named),
    }


def row_of(one: JudgedCase, words: Mapping[str, str]) -> Row:
    """Describe a judged case."""
    told = [words.get(value, value) for value in (one.truth, one.thought, one.choice)]
    return Row(one, *told)


def words_of(visit: Visit) -> Mapping[str, str]:
    """Give answers their words."""
    question = question_learned(visit.project.pk)
    return {value: question.words_of(value) for value in question.classes} | {
        "present": "there",
        "absent": "not there",
    }


def kind_words(one: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Name a kind of mistake."""
    if one["choice"]:
        finding = words.get(one["choice"], one["choice"])
        return f"{finding}: {'missed' if one['truth'] == 'present' else 'seen where it is not'}"
    return f"{words.get(one['truth'], one['truth'])} taken for {words.get(one['thought'], one['thought'])}"


@require_POST
@member(Role.ML_STAFF)
def read_mistakes(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Have mistakes read again, with as many cases that the model got right, drawn by chance."""
    back = f"{resolve_url('errors', project_id=visit.project.pk)}?{request.POST.get('back', '')[:500]}"
    models = numbers_in(request.POST.getlist("model"))
    version = version_numbered(visit, models[0]) if models else None
    if version is None:
        messages.error(request, "Nothing was changed: there is no such model.")
        return redirect(back)
    try:
        asked = reread_mistakes(
            version=version, numbers=case_numbers(request, "number"), by=visit.user, now=timezone.now()
        )
    except RefusedError as error:
        messages.error(request, f"Nothing was changed: {error}.")
        return redirect(back)
    told = left_out_words(asked.gathered.left_out)
    if asked.gathered.batch is None:
        messages.warning(request, f"No case could be put at the front of the queue: {told}.")
    else:
        size = asked.gathered.batch.size
        words = f"{size} cases are at the front of the queue until read, {asked.controls} of them controls."
        messages.success(request, f"{words} Left out: {told}." if told else words)
    return redirect(back)
