"""The coverage page: what each site and scanner has given, and where labels are missing; also as CSV."""

import csv
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.projects.sites import deliveries_of, name_site
from annotation.queue.coverage import FEWEST_LABELS, as_table, coverage_of

DELIVERIES_SHOWN = 30


class SiteForm(forms.Form):
    """What a delivery's site is called; empty: not told."""

    site = forms.CharField(max_length=64, required=False, strip=True)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def coverage(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the table, and to administrators where each delivery came from."""
    found = coverage_of(visit.user, visit.project.pk)
    deliveries = deliveries_of(visit.project)[:DELIVERIES_SHOWN] if visit.user.is_admin else []
    return project_page(
        request,
        "data/coverage.html",
        "data",
        visit,
        tab="coverage",
        coverage=found,
        rows=[(row, found.cells_of(row)) for row in found.rows],
        fewest=FEWEST_LABELS,
        deliveries=deliveries,
    )


@require_GET
@member(Role.ML_STAFF, ADMIN)
def coverage_table(request: HttpRequest, visit: Visit) -> HttpResponse:  # noqa: ARG001  as every page
    """Send the table as comma-separated values."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="coverage.csv"'
    response["Cache-Control"] = "no-store"
    csv.writer(response).writerows(safe(row) for row in as_table(coverage_of(visit.user, visit.project.pk)))
    return response


def safe(row: list[str]) -> list[str]:
    """Keep a spreadsheet from taking what a scanner says for a formula."""
    return [f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell for cell in row]


@require_POST
@member(ADMIN)
def site(request: HttpRequest, visit: Visit, import_id: UUID) -> HttpResponse:
    """Say where a delivery's images were made."""
    form = SiteForm(request.POST)
    delivery = deliveries_of(visit.project).filter(pk=import_id).first()
    if delivery is None:
        raise Http404("no such delivery")
    if form.is_valid():
        name_site(delivery=delivery, site=form.cleaned_data["site"], by=visit.user)
        messages.success(request, "The site is named.")
    else:
        messages.error(request, "The site's name is longer than 64 characters.")
    return redirect("coverage", project_id=visit.project.pk)
