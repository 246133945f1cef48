"""Writes about peers: described, changed and removed by administrators, each audited."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.rules import PeerRefusedError, checked_host, checked_title, checked_url
from annotation.exchange.peers.sealing import seal
from annotation.projects.models import Project
from audit.services import record


@dataclass(frozen=True)
class Described:
    """What an administrator says of a peer. secret: None leaves what is there."""

    name: str
    ae_title: str = ""
    host: str = ""
    port: int | None = None
    dicomweb_url: str = ""
    user_name: str = ""
    secret: str | None = None
    sends: bool = False
    project: Project | None = None


@transaction.atomic
def save_peer(*, peer_id: UUID | None, described: Described, by: User, now: datetime, address: str) -> Peer:
    """Add or change a peer.

    raises: PeerRefusedError naming what is wrong, Peer.DoesNotExist.
    """
    peer = (
        Peer.objects.select_for_update().get(pk=peer_id) if peer_id else Peer(created_by=by, created_at=now)
    )
    before = peer.dicomweb_url
    _write(peer, described)
    if described.secret is not None:
        peer.secret = seal(described.secret)
    elif _host_of(before) != _host_of(peer.dicomweb_url):
        peer.secret = ""  # a secret is for the host that it was typed for
    try:
        with transaction.atomic():
            peer.save()
    except IntegrityError:
        raise PeerRefusedError("There is a peer of this name, or a sender of this AE title.") from None
    _note("peer.change" if peer_id else "peer.add", peer, by=by, address=address)
    return peer


def _write(peer: Peer, described: Described) -> None:
    peer.name = described.name.strip()
    peer.ae_title = checked_title(described.ae_title)
    peer.host, peer.port = checked_host(described.host), described.port
    peer.dicomweb_url = checked_url(described.dicomweb_url)
    peer.user_name = described.user_name.strip()
    peer.sends, peer.project = described.sends, described.project
    if not 0 < len(peer.name) <= 64:
        raise PeerRefusedError("Give it a name of at most 64 characters.")
    if not peer.dicomweb_url and not peer.ae_title:
        raise PeerRefusedError("Give a DICOMweb address, an AE title, or both.")
    if peer.sends and (not peer.ae_title or not peer.host or peer.project is None):
        raise PeerRefusedError(
            "To send to us it needs an AE title, a host from which it may call, and a project for its images."
        )


def _host_of(url: str) -> str:
    return url.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0]


@transaction.atomic
def remove_peer(*, peer_id: UUID, by: User, address: str) -> str:
    """Forget a peer and its secret; gives its name. What came from it stays.

    raises: Peer.DoesNotExist.
    """
    peer = Peer.objects.select_for_update().get(pk=peer_id)
    _note("peer.remove", peer, by=by, address=address)
    peer.delete()
    return peer.name


def _note(action: str, peer: Peer, *, by: User, address: str) -> None:
    record(
        actor=str(by.pk),
        action=action,
        object_type="peer",
        object_id=str(peer.pk),
        remote_address=address,
        details={"name": peer.name, "dicomweb": bool(peer.dicomweb_url), "sends": peer.sends},
    )
