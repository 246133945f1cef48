"""Files as they came: whether they are kept, their removal, and one of them for an administrator."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_GET, require_POST

from accounts.sealing import SealBrokenError
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.confirm import confirmed
from annotation.api.permissions import address_of, record_act
from annotation.exchange.lifecycle.originals import ask_removal
from annotation.studies.models import Instance
from annotation.studies.originals import keep_originals, opened, original_for

FROM_NOW_ON = "Saved. Files that are admitted from now on are kept as they came too, sealed."
NO_MORE = "Saved. No further originals are kept; those that are kept stay until you remove them."


def to_choice(request: HttpRequest) -> str:
    """Go on, after the password, at the page where originals are chosen: the form is sent anew."""
    match = request.resolver_match
    return resolve_url("deidentification", match.kwargs["project_id"]) if match else resolve_url("home")


@require_POST
@member(ADMIN)
@confirmed(to_choice)
def choose(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say whether originals are kept from now on."""
    keeps = request.POST.get("keeps") == "on"
    keep_originals(dataset=visit.project.dataset, keeps=keeps, by=visit.user, address=address_of(request))
    messages.success(request, FROM_NOW_ON if keeps else NO_MORE)
    return redirect("deidentification", project_id=visit.project.pk)


@require_POST
@member(ADMIN)
@confirmed(to_choice)
def remove(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for the kept originals to be removed."""
    ask_removal(project=visit.project, by=visit.user, address=address_of(request))
    messages.success(request, "The removal is asked for. The images themselves stay as they are.")
    return redirect("deidentification", project_id=visit.project.pk)


def to_study(request: HttpRequest) -> str:
    """Go on, after the password, at the study: a file is fetched by a click of its own."""
    match = request.resolver_match
    if match is None:
        return resolve_url("home")
    return resolve_url("study", match.kwargs["project_id"], match.kwargs["study_id"])


@require_GET
@member(ADMIN)
def fetch(request: HttpRequest, visit: Visit, study_id: UUID, instance_id: UUID) -> HttpResponseBase:
    """Send an image's original as it came."""
    try:
        found = original_for(visit.user, visit.project.pk, study_id, instance_id)
    except Instance.DoesNotExist:
        raise Http404("no such original") from None
    return fetch_confirmed(request, found)


@confirmed(to_study)
def fetch_confirmed(request: HttpRequest, instance: Instance) -> HttpResponseBase:
    """Send it, where the password was typed lately; fetching is audited."""
    try:
        original = opened(instance)
    except (FileNotFoundError, SealBrokenError) as error:
        told = "it is gone" if isinstance(error, FileNotFoundError) else str(error)
        messages.error(request, f"The original cannot be opened: {told}.")
        return redirect(to_study(request))
    answer = StreamingHttpResponse(original, content_type="application/octet-stream")
    answer["Content-Length"] = str(original.length)
    answer["Content-Disposition"] = f'attachment; filename="{instance.source_digest}{original.suffix}"'
    answer["Cache-Control"] = "no-store"
    with transaction.atomic():
        record_act(request, "original.fetch", "instance", instance.pk)
    return answer
