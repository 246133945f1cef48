"""The embedding map: a picture of all cases, drawn in the browser from a compact file."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.learning.maps import colour_words, map_bytes, maps_for, request_map
from annotation.learning.models import EmbeddingMap
from annotation.learning.selectors import models_for
from annotation.projects.selectors import question_learned
from jobs.selectors import jobs_now

JOBS = ["map_pool", "map_pool_umap"]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def show_map(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the newest map of a method; while one is being drawn the page asks again by itself."""
    maps = maps_for(visit.user, visit.project.pk)
    drawn = maps.get(request.GET.get("method", "")) or maps.get("umap") or maps.get("pca")
    now = jobs_now([visit.project.pk], JOBS)
    newest = models_for(visit.user, visit.project.pk).first()
    if request.headers.get("HX-Request"):
        return progress(request, visit, now.busy)
    return project_page(
        request,
        "learning/map.html",
        "learning",
        visit,
        drawn=drawn,
        methods=[(method, EmbeddingMap.Method(method).label) for method in sorted(maps)],
        **now._asdict(),
        newest=newest,
        facts=facts_of(visit, drawn) if drawn else {},
    )


def progress(request: HttpRequest, visit: Visit, busy: object) -> HttpResponse:
    """Say how far the drawing is; when it is done the page is loaded again."""
    if busy is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return project_page(request, "learning/map_busy.html", "learning", visit, busy=busy)


@require_POST
@member(Role.ML_STAFF)
def draw_map(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a new map."""
    request_map(project=visit.project, by=visit.user)
    messages.success(request, "Asked for a new map. It takes seconds.")
    return redirect("map", project_id=visit.project.pk)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def map_points(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Send a map's places with today's labels: see annotation.learning.maps.map_bytes."""
    drawn = maps_for(visit.user, visit.project.pk).get(request.GET.get("method", "pca"))
    if drawn is None:
        raise Http404("no such map")
    response = HttpResponse(map_bytes(drawn), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response


def facts_of(visit: Visit, drawn: EmbeddingMap) -> dict[str, Any]:
    """Tell the drawing script the names behind the numbers."""
    question = question_learned(visit.project.pk)
    points = reverse("map-points", kwargs={"project_id": visit.project.pk})
    return {
        "points": f"{points}?method={drawn.method}",
        "case": reverse("case", kwargs={"project_id": visit.project.pk, "number": 0})[:-1],
        "count": drawn.case_count,
        "classes": [colour_words(question, value) for value in drawn.classes],
        "sites": drawn.sites,
        "judged": drawn.model is not None,
    }
