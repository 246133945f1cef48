"""Images in: the page to send from, the deliveries, and what became of every file."""

import csv
import json
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation.api.pages.access import ADMIN, Visit, admin_only, member, visit_of
from annotation.api.pages.deliveries import found_delivery, state_of
from annotation.api.pages.frame import project_page
from annotation.api.permissions import person
from annotation.exchange import uploads
from annotation.studies.models import Import, ImportedFile
from annotation.studies.selectors import imported_files, imports_for

PAGE_LENGTH, DELIVERIES_SHOWN = 100, 50
# What plain pictures can be said to be, the common ones; DICOM says it itself.
MODALITIES = [
    ("OT", "Other, or I do not know"),
    ("DX", "X-ray"),
    ("CT", "CT"),
    ("MR", "MR"),
    ("US", "Ultrasound"),
    ("MG", "Mammography"),
    ("OP", "Fundus photograph"),
    ("OCT", "Optical coherence tomography"),
    ("SM", "Slide microscopy"),
    ("ES", "Endoscopy"),
    ("XC", "Photograph"),
]
FILTERS = [("", "All"), *ImportedFile.Outcome.choices]


@require_GET
@member(ADMIN)
def imports(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show where to drop images, and what came in so far."""
    return project_page(
        request,
        "project/import.html",
        "import",
        visit,
        deliveries=imports_for(visit.user, visit.project.pk)[:DELIVERIES_SHOWN],
        modalities=MODALITIES,
        limit_gib=f"{settings.UPLOAD_MAX_BYTES / 1024**3:.0f}",
        limit_files=f"{uploads.MAX_FILES:,}",
    )


@require_GET
@admin_only
def report(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show how far an import is, and every file; when it has just ended, the whole page comes again."""
    delivery = found_delivery(request, import_id)
    visit, context = visit_of_delivery(request, delivery), state_of(delivery)
    asked_by_page = "HX-Request" in request.headers
    if asked_by_page and not context["live"]:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if asked_by_page:
        return project_page(request, "imports/state.html", "import", visit, **context)
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in ImportedFile.Outcome.values else ""
    files = imported_files(visit.user, import_id, outcome)
    return project_page(
        request,
        "imports/report.html",
        "import",
        visit,
        **context,
        part=Paginator(files, PAGE_LENGTH).get_page(request.GET.get("page")),
        outcome=outcome,
        filters=filters_of(delivery),
    )


@require_GET
@admin_only
def table(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Download the report."""
    delivery = found_delivery(request, import_id)
    rows = imported_files(person(request), import_id).values_list("path", "outcome", "reason")
    if request.GET.get("as") == "json":
        response = HttpResponse(as_json(delivery, list(rows)), content_type="application/json")
        name = "import.json"
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        name = "import.csv"
        csv.writer(response).writerows([("path", "outcome", "reason"), *map(plain_cells, rows)])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def plain_cells(row: tuple[str, ...]) -> tuple[str, ...]:
    """Keep a spreadsheet from taking a file's name for a formula."""
    return tuple(f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell for cell in row)


def as_json(delivery: Import, rows: list[tuple[str, ...]]) -> str:
    """Write the report as the command “import --json” does."""
    files = [{"path": path, "outcome": outcome, "reason": reason} for path, outcome, reason in rows]
    counts = {name: getattr(delivery, name) for name in ("stored", "duplicate", "quarantined")}
    return json.dumps({**counts, "files": files}, indent=1)


def visit_of_delivery(request: HttpRequest, delivery: Import) -> Visit:
    """Stand in the project that a delivery belongs to.

    raises: Http404.
    """
    if delivery.project_id is None:
        raise Http404("no project")
    return visit_of(request, delivery.project_id, (ADMIN,))


def filters_of(delivery: Import) -> list[tuple[str, str, int]]:
    """Name the outcomes, each with how many files have it so far."""
    counts = dict(delivery.files.order_by().values_list("outcome").annotate(Count("pk")))
    counts[""] = sum(counts.values())
    return [(value, words, counts.get(value, 0)) for value, words in FILTERS]
