"""Images from a PACS: search it, pick studies, have them fetched. What is searched for is kept nowhere."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import address_of, record_act
from annotation.exchange.peers.client import MOST_FOUND, FoundStudy, PeerError, Wish, search
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.pulls import ask_pull
from annotation.exchange.peers.selectors import archives_for
from annotation.projects.models import Project

TEXT = forms.TextInput(attrs={"class": "input", "autocomplete": "off"})
DAYS = forms.DateInput(attrs={"class": "input", "type": "date"})
TOO_WIDE = "Say whom or what to look for: a patient, an accession number or dates."


class SearchForm(forms.Form):
    """What an administrator looks for."""

    peer = forms.UUIDField()
    patient_id = forms.CharField(required=False, max_length=64, widget=TEXT)
    patient_name = forms.CharField(required=False, max_length=64, widget=TEXT)
    accession_number = forms.CharField(required=False, max_length=16, widget=TEXT)
    first_day = forms.DateField(required=False, widget=DAYS)
    last_day = forms.DateField(required=False, widget=DAYS)
    modality = forms.RegexField("[A-Za-z]{2,16}", required=False, widget=TEXT)

    def clean(self) -> dict[str, object]:
        """Refuse to ask for everything that a PACS has."""
        told = self.cleaned_data
        narrowing = ("patient_id", "patient_name", "accession_number", "first_day", "last_day")
        if not any(str(told.get(name) or "").strip("*?") for name in narrowing):
            raise forms.ValidationError(TOO_WIDE)
        return told

    def wish(self) -> Wish:
        """Give the keys of the query."""
        told = self.cleaned_data
        first, last = (f"{told[name]:%Y%m%d}" if told[name] else "" for name in ("first_day", "last_day"))
        return Wish(
            patient_id=told["patient_id"],
            patient_name=told["patient_name"],
            accession_number=told["accession_number"],
            study_date=f"{first}-{last}" if first or last else "",
            modality=told["modality"].upper(),
        )


@require_GET
@member(ADMIN)
def pull(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what can be searched for."""
    return shown(request, visit, SearchForm())


@sensitive_post_parameters()
@require_POST
@member(ADMIN)
def look(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Search a peer, and list what it has; audited with how many, never with what."""
    form = SearchForm(request.POST)
    if not form.is_valid():
        return shown(request, visit, form, status=422)
    peer = archive_named(visit, form.cleaned_data["peer"])
    if peer is None:
        form.add_error("peer", "Choose a peer.")
        return shown(request, visit, form, status=422)
    try:
        found = searched(request, visit.project, peer, form.wish())
    except PeerError as error:
        return shown(request, visit, form, problem=f"{peer.name}: {error}.")
    return shown(request, visit, form, peer=peer, found=found)


def searched(request: HttpRequest, project: Project, peer: Peer, wish: Wish) -> list[FoundStudy]:
    """Search a peer for a project; audited with how many, never with what.

    raises: PeerError.
    """
    told = {"project": str(project.pk)}
    try:
        found = search(peer, wish)
    except PeerError:
        record_act(request, "peer.search", "peer", peer.pk, told | {"answered": False})
        raise
    record_act(request, "peer.search", "peer", peer.pk, told | {"found": len(found)})
    return found


def shown(  # noqa: PLR0913  what the page can show
    request: HttpRequest,
    visit: Visit,
    form: SearchForm,
    *,
    status: int = 200,
    problem: str = "",
    peer: Peer | None = None,
    found: list[FoundStudy] | None = None,
) -> HttpResponse:
    """Render the page; it is kept in no cache."""
    told = {"form": form, "archives": archives_for(visit.user), "problem": problem, "peer": peer}
    more = {"found": found, "is_cut": found is not None and len(found) >= MOST_FOUND}
    response = project_page(request, "project/pull.html", "import", visit, status=status, **told, **more)
    response["Cache-Control"] = "no-store"
    return response


@sensitive_post_parameters()
@require_POST
@member(ADMIN)
def start(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for the studies that were picked."""
    peer = archive_named(visit, request.POST.get("peer", ""))
    if peer is None:
        return shown(request, visit, SearchForm(), status=422, problem="Choose a peer and search it first.")
    try:
        delivery = ask_pull(
            project=visit.project,
            peer=peer,
            studies=request.POST.getlist("study"),
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        )
    except PeerError as error:
        return shown(request, visit, SearchForm(), status=422, problem=f"Nothing was fetched: {error}.")
    return redirect("import-report", import_id=delivery.pk)


def archive_named(visit: Visit, peer_id: object) -> Peer | None:
    """Find a peer that can be searched; None where there is none of this id."""
    try:
        return archives_for(visit.user).filter(pk=UUID(str(peer_id))).first()
    except ValueError:
        return None
