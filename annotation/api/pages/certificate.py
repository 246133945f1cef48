"""What de-identification did to a delivery: to be read, and to be kept beside the data."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from annotation.api.pages.access import admin_only
from annotation.api.pages.deliveries import found_delivery
from annotation.api.pages.frame import project_page
from annotation.api.pages.imports import visit_of_delivery
from annotation.studies.certificates import certificate_of, lines_of
from annotation.studies.door.comparison import DEEDS


@require_GET
@admin_only
def certificate(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show a delivery's certificate, or send it as a file: as=json or as=html."""
    delivery = found_delivery(request, import_id)
    visit = visit_of_delivery(request, delivery)
    stated = certificate_of(delivery)
    if request.GET.get("as") == "json":
        return attached(json.dumps(stated, indent=1, ensure_ascii=False), "application/json", "json")
    lines = lines_of(delivery.deeds)
    context: dict[str, Any] = {"stated": stated, "delivery": delivery, "lines": lines, "deeds": DEEDS}
    if request.GET.get("as") == "html":
        return attached(
            render_to_string("imports/certificate_file.html", context), "text/html; charset=utf-8", "html"
        )
    return project_page(request, "imports/certificate.html", "import", visit, **context)


def attached(content: str, kind: str, ending: str) -> HttpResponse:
    """Send something to be kept."""
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="deidentification.{ending}"'
    return response
