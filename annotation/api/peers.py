"""Peers for programs: the systems that images come from and go to; searched, and studies of them fetched."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.arrivals import ImportView
from annotation.api.errors import NotThereError
from annotation.api.guards import administered, administrator, confirmed_administrator, show_once
from annotation.api.pages.peers import NOBODY, PeerForm
from annotation.api.pages.pull import SearchForm, searched
from annotation.api.pages.taking import checked
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person, record_act
from annotation.api.responses import WRITE
from annotation.api.schemas import Body
from annotation.exchange.peers.client import MOST_FOUND, PeerError, Wish, search
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.pulls import MOST_STUDIES, ask_pull
from annotation.exchange.peers.rules import PeerRefusedError
from annotation.exchange.peers.selectors import archives_for, peers_for
from annotation.exchange.peers.services import remove_peer, save_peer
from annotation.projects.rules import RefusedError

ORDER = ("name", "pk")
Text = Annotated[str, Field(max_length=1000)]


class PeerView(Schema):
    """A peer as an administrator described it; its secret is never shown."""

    id: UUID
    name: str
    ae_title: str
    host: str
    port: int | None
    dicomweb_url: str
    user_name: str
    has_secret: bool
    sends: bool
    project: UUID | None


class PeersView(Schema):
    """A page of peers by name; next: the cursor of the next page, null at the end."""

    peers: list[PeerView]
    next: str | None


class PeerBody(Body):
    """A peer. secret: null leaves what is there, "" removes it. sends: by C-STORE, into the project."""

    name: Text
    ae_title: Text = ""
    host: Text = ""
    port: int | None = None
    dicomweb_url: Text = ""
    user_name: Text = ""
    secret: Text | None = None
    sends: bool = False
    project: UUID | None = None


class AnswersView(Schema):
    """Whether a peer answers a search over DICOMweb, else why not."""

    answers: bool
    words: str


class LookBody(Body):
    """What is looked for at a peer; it may name a patient, and is kept nowhere."""

    peer: UUID
    patient_id: Text = ""
    patient_name: Text = ""
    accession_number: Text = ""
    first_day: date | None = None
    last_day: date | None = None
    modality: Text = ""


class StudyFoundView(Schema):
    """A study as the peer describes it: shown to who asked, and kept nowhere."""

    uid: str
    patient_name: str
    patient_id: str
    date: str
    modalities: str
    description: str
    instances: int


class LookedView(Schema):
    """What a peer has; is_cut: there may be more."""

    studies: list[StudyFoundView]
    is_cut: bool


Uids = Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MOST_STUDIES)]


class PullBody(Body):
    """Studies to fetch, by Study Instance UID as the peer has them."""

    peer: UUID
    studies: Uids


router = Router(tags=["peers"])


@router.get("peers", response={200: PeersView, **WRITE})
def list_peers(request: HttpRequest, page: Query[After]) -> PeersView:
    """List peers, by name."""
    rows = after(peers_for(administrator(request)), page, order=ORDER)
    return PeersView(
        peers=[peer_view(one) for one in rows[: page.size]], next=next_of(rows, page, order=ORDER)
    )


@router.post("peers", response={201: PeerView, **WRITE})
def add_peer(request: HttpRequest, body: PeerBody) -> Status[PeerView]:
    """Describe a peer. The password must have been typed lately."""
    confirmed_administrator(request)
    return Status(201, peer_view(saved(request, None, body)))


@router.put("peers/{uuid:peer_id}", response={200: PeerView, **WRITE})
def change_peer(request: HttpRequest, peer_id: UUID, body: PeerBody) -> PeerView:
    """Describe a peer anew. The password must have been typed lately."""
    found_peer(request, peer_id)
    confirmed_administrator(request)
    return peer_view(saved(request, peer_id, body))


@router.delete("peers/{uuid:peer_id}", response={204: None, **WRITE})
def forget_peer(request: HttpRequest, peer_id: UUID) -> Status[None]:
    """Forget a peer; what came from it stays. The password must have been typed lately."""
    found_peer(request, peer_id)
    me = confirmed_administrator(request)
    remove_peer(peer_id=peer_id, by=me, address=address_of(request))
    return Status(204, None)


@router.post("peers/{uuid:peer_id}/check", response={200: AnswersView, **WRITE})
def check_peer(request: HttpRequest, peer_id: UUID) -> AnswersView:
    """Ask a peer for a patient whom nobody is, to see whether it answers."""
    peer = found_peer(request, peer_id)
    record_act(request, "peer.check", "peer", peer.pk)
    try:
        search(peer, Wish(patient_id=NOBODY))
    except PeerError as error:
        return AnswersView(answers=False, words=str(error))
    return AnswersView(answers=True, words="it answers a search over DICOMweb")


@router.post("projects/{uuid:project_id}/pulls/search", response={200: LookedView, **WRITE})
def search_peer(request: HttpRequest, response: HttpResponse, project_id: UUID, body: LookBody) -> LookedView:
    """Search a peer's studies; audited with how many, never with what."""
    project = administered(request, project_id)
    show_once(request)
    response["Cache-Control"] = "no-store"
    form = checked(SearchForm(body.model_dump()))
    try:
        found = searched(request, project, archive(request, body.peer), form.wish())
    except PeerError as error:
        raise RefusedError(f"peer: {error}") from None
    studies = [StudyFoundView(**asdict(one)) for one in found]
    return LookedView(studies=studies, is_cut=len(found) >= MOST_FOUND)


@router.post("projects/{uuid:project_id}/pulls", response={202: ImportView, **WRITE})
def start_pull(request: HttpRequest, project_id: UUID, body: PullBody) -> Status[Any]:
    """Ask for studies of a peer to be fetched; they come in as a delivery."""
    project = administered(request, project_id)
    try:
        delivery = ask_pull(
            project=project,
            peer=archive(request, body.peer),
            studies=body.studies,
            by=person(request),
            now=timezone.now(),
            address=address_of(request),
        )
    except PeerError as error:
        raise RefusedError(f"studies: {error}") from None
    return Status(202, delivery)


def saved(request: HttpRequest, peer_id: UUID | None, body: PeerBody) -> Peer:
    """Keep what a program says of a peer.

    raises: RefusedError naming what is wrong.
    """
    told = body.model_dump() | {"secret": body.secret or "", "without_secret": body.secret == ""}
    form = checked(PeerForm(told))
    try:
        return save_peer(
            peer_id=peer_id,
            described=form.described(),
            by=person(request),
            now=timezone.now(),
            address=address_of(request),
        )
    except PeerRefusedError as error:
        raise RefusedError(str(error)) from None


def found_peer(request: HttpRequest, peer_id: UUID) -> Peer:
    """Find a peer.

    raises: ForbiddenError, NotThereError.
    """
    found = peers_for(administrator(request)).filter(pk=peer_id).first()
    if found is None:
        raise NotThereError("there is no such peer")
    return found


def archive(request: HttpRequest, peer_id: UUID) -> Peer:
    """Find a peer that can be searched.

    raises: NotThereError.
    """
    found = archives_for(person(request)).filter(pk=peer_id).first()
    if found is None:
        raise NotThereError("peer: there is none of this id that can be searched over DICOMweb")
    return found


def peer_view(one: Peer) -> PeerView:
    """Describe a peer."""
    names = ("name", "ae_title", "host", "port", "dicomweb_url", "user_name", "sends")
    told = {name: getattr(one, name) for name in names}
    return PeerView(id=one.pk, has_secret=bool(one.secret), project=one.project_id, **told)
