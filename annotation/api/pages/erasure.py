"""Erasure of a patient: found, looked at, asked for, certified."""

import json
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.errors import TooOftenError
from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import project_page
from annotation.api.patients import looked_at
from annotation.api.permissions import address_of, record_act
from annotation.exchange.lifecycle.belongings import Preview, find
from annotation.exchange.lifecycle.erasing import certificate_of, request_erasure
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.lifecycle.usage import in_units
from annotation.projects.rules import RefusedError

TEXT = {"class": "input", "autocomplete": "off", "spellcheck": "false"}


class PatientForm(forms.Form):
    """Whom to look for: one of both. What is typed is sent in the body, never in an address."""

    pseudonym = forms.CharField(
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=TEXT | {"class": "input mono", "style": "max-width:24rem"}),
    )
    patient_id = forms.CharField(
        required=False,
        max_length=64,
        label="Patient ID",
        widget=forms.TextInput(attrs=TEXT | {"style": "max-width:24rem"}),
    )


def to_erasure(request: HttpRequest) -> str:
    """Go on, after the password, at the erasure page: the patient is typed again."""
    match = request.resolver_match
    return resolve_url("erasure", project_id=match.kwargs["project_id"]) if match else resolve_url("home")


@require_http_methods(["GET", "POST"])
@member(ADMIN)
@confirmed(to_erasure)
def erasure(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask who it is; of whom was found, say what would go."""
    form = PatientForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return shown(request, visit, form)
    try:
        seen = looked_at(request, visit.project, **form.cleaned_data)
    except RefusedError as error:
        form.add_error(None, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return shown(request, visit, form, status=429 if isinstance(error, TooOftenError) else 422)
    return shown(request, visit, PatientForm(), seen=seen)


def shown(
    request: HttpRequest,
    visit: Visit,
    form: PatientForm,
    *,
    seen: Preview | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page; what was typed is not sent back."""
    form.data = {}
    return project_page(
        request,
        "lifecycle/erasure.html",
        "storage",
        visit,
        status=status,
        form=form,
        seen=seen,
        image_bytes=in_units(seen.image_bytes) if seen else "",
        sharing=visit.project.dataset.projects.exclude(pk=visit.project.pk).count(),
    )


@require_POST
@member(ADMIN)
@confirmed(to_erasure)
def start(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask for the erasure of the patient who was looked at."""
    reason = request.POST.get("reason", "").strip()
    try:
        found = find(visit.project.dataset, pseudonym=request.POST.get("pseudonym", ""), patient_id="")
        request_erasure(
            project=visit.project,
            found=found,
            reason=reason[:200],
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        )
    except RefusedError as error:
        messages.error(request, f"Nothing was erased: {error}.")
        return redirect("erasure", project_id=visit.project.pk)
    messages.success(request, "The erasure is asked for. Its certificate is here when it is done.")
    return redirect("storage", project_id=visit.project.pk)


@require_GET
@admin_only
def certificate(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Send an erasure's certificate; fetching is audited."""
    found = Erasure.objects.select_related("dataset").filter(pk=erasure_id, done_at__isnull=False).first()
    if found is None:
        raise Http404("no such certificate")
    record_act(request, "erasure.certificate", "erasure", found.pk)
    return HttpResponse(
        json.dumps(certificate_of(found), indent=1, ensure_ascii=False),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="erasure-{erasure_id}.json"'},
    )
