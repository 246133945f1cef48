"""Labels out to a PACS: choose one of the peers, follow the job, see what became of each object."""

from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from annotation.api.pages.access import ADMIN, Visit, denied, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.exports import found_export
from annotation.api.pages.frame import project_page
from annotation.api.permissions import address_of
from annotation.exchange.out.catalogue import ALL_FORMATS
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import ExpiredError
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.selectors import peers_for
from annotation.exchange.sending.models import Sending
from annotation.exchange.sending.services import request_sending, sendings_for
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import organises
from jobs.models import OPEN, Job

SHOWN, REFUSALS_SHOWN = 10, 50


class SendingForm(forms.Form):
    """To whom, and how."""

    peer = forms.ModelChoiceField(queryset=Peer.objects.all(), error_messages={"required": "Choose a peer."})
    way = forms.ChoiceField(choices=Sending.Way.choices, error_messages={"required": "Choose a way."})


@require_GET
@member(ADMIN)
def sendings(request: HttpRequest, visit: Visit, export_id: UUID) -> HttpResponse:
    """Show the form and what was sent, or with ?part=list this alone as it goes."""
    export = sendable(request, visit, export_id)
    rows = list(sendings_for(visit.user, visit.project.pk).filter(export=export)[:SHOWN])
    jobs = Job.objects.in_bulk([one.job_id for one in rows if one.job_id])
    told = [(one, jobs.get(one.job_id), list(one.refused.items())[:REFUSALS_SHOWN]) for one in rows]
    live = any(job is not None and job.state in OPEN for _, job, _ in told)
    is_part = request.GET.get("part") == "list"
    if is_part and not live:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return project_page(
        request,
        "exports/sendings.html" if is_part else "exports/send.html",
        "exports",
        visit,
        export=export,
        format=ALL_FORMATS[export.format],
        rows=told,
        live=live,
        peers=peers_for(visit.user),
        ways=Sending.Way.choices,
        chosen_peer=request.GET.get("peer", ""),
        chosen_way=request.GET.get("way", Sending.Way.STOW),
    )


def sendable(request: HttpRequest, visit: Visit, export_id: UUID) -> Export:
    """Find an export that the person may send: not where they read themselves.

    raises: Http404, PermissionDenied.
    """
    if not organises(visit.user, visit.project.pk):
        raise denied(request, "project", str(visit.project.pk))
    return found_export(visit, export_id)


def back_to_choice(request: HttpRequest) -> str:
    """Go on, after the password, where the choice stands as it was made."""
    match = request.resolver_match
    page = resolve_url("sendings", **match.kwargs) if match else resolve_url("home")
    return f"{page}?{urlencode({name: request.POST.get(name, '') for name in ('peer', 'way')})}"


@require_POST
@member(ADMIN)
def send(request: HttpRequest, visit: Visit, export_id: UUID) -> HttpResponseBase:
    """Ask for an export to be sent."""
    return send_confirmed(request, visit, sendable(request, visit, export_id))


@confirmed(back_to_choice)
def send_confirmed(request: HttpRequest, visit: Visit, export: Export) -> HttpResponse:
    """Ask for it, where the password was typed lately."""
    form = SendingForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Nothing was sent: choose a peer and a way.")
        return redirect("sendings", project_id=visit.project.pk, export_id=export.pk)
    try:
        request_sending(
            export=export,
            peer=form.cleaned_data["peer"],
            way=form.cleaned_data["way"],
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        )
        messages.success(request, "It is being sent; this page follows it.")
    except (RefusedError, ExpiredError) as error:
        messages.warning(request, f"Nothing was sent: {error}.")
    return redirect("sendings", project_id=visit.project.pk, export_id=export.pk)
