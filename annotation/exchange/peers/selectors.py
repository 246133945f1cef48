"""Reads of peers: for administrators alone."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from annotation.exchange.peers.models import Peer


def peers_for(user: User) -> QuerySet[Peer]:
    """List peers by name; none for who is no administrator."""
    return Peer.objects.select_related("project") if user.is_admin else Peer.objects.none()


def archives_for(user: User) -> QuerySet[Peer]:
    """List peers that can be searched over DICOMweb."""
    return peers_for(user).exclude(dicomweb_url="")


def peer_for(user: User, peer_id: UUID) -> Peer:
    """One peer.

    raises: Peer.DoesNotExist.
    """
    return peers_for(user).get(pk=peer_id)
