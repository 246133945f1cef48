"""Peers: which other systems images come from and go to, as administrators describe them; audited."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.pages.access import admin_only
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.permissions import address_of, person, record_act
from annotation.exchange.peers.client import PeerError, Wish, search
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.rules import PeerRefusedError
from annotation.exchange.peers.selectors import peer_for, peers_for
from annotation.exchange.peers.services import Described, remove_peer, save_peer
from annotation.projects.models import Project

TEXT = forms.TextInput(attrs={"class": "input", "autocomplete": "off"})
NOBODY = "00000000"  # a patient id that a peer is asked for to see whether it answers


class PeerForm(forms.Form):
    """What an administrator says of a peer."""

    name = forms.CharField(max_length=64, widget=TEXT)
    dicomweb_url = forms.CharField(required=False, max_length=500, widget=TEXT)
    user_name = forms.CharField(required=False, max_length=128, widget=TEXT)
    secret = forms.CharField(
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )
    without_secret = forms.BooleanField(required=False)
    ae_title = forms.CharField(required=False, max_length=16, widget=TEXT)
    host = forms.CharField(required=False, max_length=255, widget=TEXT)
    port = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=65535,
        widget=forms.NumberInput(attrs={"class": "input short"}),
    )
    sends = forms.BooleanField(required=False)
    project = forms.ModelChoiceField(
        required=False,
        queryset=Project.objects.order_by("name"),
        empty_label="None",
        widget=forms.Select(attrs={"class": "input"}),
    )

    @classmethod
    def of(cls, peer: Peer) -> "PeerForm":
        """Show a peer; its secret is never shown."""
        names = [name for name in cls.base_fields if name not in ("secret", "without_secret")]
        return cls(initial={name: getattr(peer, name) for name in names})

    def described(self) -> Described:
        """Give what was said; an empty secret leaves what is there."""
        values = dict(self.cleaned_data)
        without, typed = values.pop("without_secret"), values.pop("secret")
        return Described(**values, secret="" if without else typed or None)


@require_GET
@admin_only
def peers(request: HttpRequest) -> HttpResponse:
    """List every peer."""
    return page(request, "peers/list.html", "peers", peers=peers_for(person(request)))


@require_http_methods(["GET", "POST"])
@admin_only
@confirmed()
def add(request: HttpRequest) -> HttpResponse:
    """Add a peer."""
    return form_page(request, None)


@require_http_methods(["GET", "POST"])
@admin_only
@confirmed()
def change(request: HttpRequest, peer_id: UUID) -> HttpResponse:
    """Show and change a peer."""
    return form_page(request, found_peer(request, peer_id))


def form_page(request: HttpRequest, peer: Peer | None) -> HttpResponse:
    """Show the form, or take it."""
    form = PeerForm(request.POST) if request.method == "POST" else PeerForm.of(peer) if peer else PeerForm()
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_peer(
                peer_id=peer.pk if peer else None,
                described=form.described(),
                by=person(request),
                now=timezone.now(),
                address=address_of(request),
            )
        except PeerRefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("peers")
    status = 422 if form.errors else 200
    return page(request, "peers/form.html", "peers", status=status, form=form, peer=peer)


@require_POST
@admin_only
@confirmed(lambda _request: resolve_url("peers"))
def remove(request: HttpRequest, peer_id: UUID) -> HttpResponse:
    """Forget a peer; what came from it stays."""
    found_peer(request, peer_id)
    name = remove_peer(peer_id=peer_id, by=person(request), address=address_of(request))
    messages.success(request, f"{name} is removed: it is neither called nor listened to any more.")
    return redirect("peers")


@require_POST
@admin_only
def check(request: HttpRequest, peer_id: UUID) -> HttpResponse:
    """Ask a peer over DICOMweb for a patient whom nobody is, to see whether it answers."""
    peer = found_peer(request, peer_id)
    record_act(request, "peer.check", "peer", peer.pk)
    try:
        search(peer, Wish(patient_id=NOBODY))
    except PeerError as error:
        messages.error(request, f"{peer.name}: {error}.")
    else:
        messages.success(request, f"{peer.name} answers a search over DICOMweb.")
    return redirect("peers")


def found_peer(request: HttpRequest, peer_id: UUID) -> Peer:
    """Look up a peer.

    raises: Http404.
    """
    try:
        return peer_for(person(request), peer_id)
    except Peer.DoesNotExist:
        raise Http404("no such peer") from None
