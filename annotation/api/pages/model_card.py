"""A model version's card: as a page, and as a file to keep; and the version itself, to be taken out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import project_page
from annotation.api.permissions import address_of
from annotation.exchange.out.catalogue import MODEL_FORMATS
from annotation.exchange.out.services import request_model_export
from annotation.learning.cards import answers_in, markdown_of, word_in
from annotation.learning.figures import kinds_in, named
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import model_for
from annotation.projects.rules import RefusedError


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def card(request: HttpRequest, visit: Visit, model_id: UUID) -> HttpResponse:
    """Show a version's card; ?format=json or markdown downloads it."""
    version = found_model(visit, model_id)
    if not hasattr(version, "card"):
        raise Http404("a version from before there were cards")
    content, name = version.card.content, f"model-{version.number}"
    if request.GET.get("format") == "json":
        answer: HttpResponse = JsonResponse(content, json_dumps_params={"indent": 1})
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return answer
    if request.GET.get("format") == "markdown":
        answer = HttpResponse(markdown_of(content), content_type="text/markdown; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.md"'
        return answer
    parts = shown_in(content)
    return project_page(
        request,
        "learning/card.html",
        "learning",
        visit,
        version=version,
        card=content,
        formats=MODEL_FORMATS.values(),
        **parts,
    )


def back_to_card(request: HttpRequest) -> str:
    """Go on, after the password, at the card."""
    match = request.resolver_match
    return resolve_url("model-card", **match.kwargs) if match else resolve_url("home")


@require_POST
@member(Role.ML_STAFF, ADMIN)
def take_out(request: HttpRequest, visit: Visit, model_id: UUID) -> HttpResponseBase:
    """Ask for a version as a file."""
    return take_out_confirmed(request, visit, found_model(visit, model_id))


@confirmed(back_to_card)
def take_out_confirmed(request: HttpRequest, visit: Visit, version: ModelVersion) -> HttpResponse:
    """Ask for it, where the password was typed lately."""
    name = request.POST.get("format", "")
    try:
        request_model_export(
            model=version, name=name, by=visit.user, now=timezone.now(), address=address_of(request)
        )
    except RefusedError as error:
        messages.error(request, f"Nothing was asked for: {error}.")
        return redirect("model-card", project_id=visit.project.pk, model_id=version.pk)
    messages.success(request, "The file is being made. It is in the list below as soon as it is ready.")
    return redirect("exports", project_id=visit.project.pk)


def found_model(visit: Visit, model_id: UUID) -> ModelVersion:
    """Look up one version of the project.

    raises: Http404.
    """
    try:
        return model_for(visit.user, visit.project.pk, model_id)
    except ModelVersion.DoesNotExist:
        raise Http404("no such model") from None


def shown_in(content: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a card counts and measures into words."""
    answers = answers_in(content)
    kinds = kinds_in(answers)
    return {
        "metrics": [(named(name), one) for name, one in content["evaluation"]["metrics"].items()],
        "counts": [
            (word_in(content, value), count) for value, count in content["labels"]["by_class"].items()
        ],
        "kinds": list(kinds.values()),
        "answers": [
            (word_in(content, value), [one.get(kind) for kind in kinds]) for value, one in answers.items()
        ],
        "temperature": told_temperature(content["calibration"].get("temperature")),
    }


def told_temperature(kept: float | list[float] | None) -> str:
    """Write one temperature, or the span of those of several answers; nothing where none was fitted."""
    values = kept if isinstance(kept, list) else [kept or 1.0]
    if all(value == 1.0 for value in values):
        return ""
    low, high = min(values), max(values)
    return f"{low:.2f}" if len(values) == 1 else f"{low:.2f} – {high:.2f}, one for each answer,"
