"""Exports sent to a PACS: asked for by an administrator, done by a job, one answer an object; audited."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import IO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.exchange.out.models import Export
from annotation.exchange.out.selectors import exports_for
from annotation.exchange.out.services import file_of
from annotation.exchange.peers.client import PeerError
from annotation.exchange.peers.models import Peer
from annotation.exchange.sending.models import Sending
from annotation.exchange.sending.stow import stow
from annotation.exchange.sending.ways import Send
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import organises
from annotation.projects.services import record_act
from jobs.models import Lane
from jobs.services import ask

OBJECTS = ".dcm"
SENDABLE = ("dicom-seg", "dicom-seg-labelmap", "dicom-sr", "dicom-rtstruct")
Progress = Callable[[float, str], None]


def sendings_for(user: User, project_id: UUID) -> QuerySet[Sending]:
    """List what of a project was sent, newest first; for administrators alone.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    exports = exports_for(user, project_id)
    if not user.is_admin:
        raise ForbiddenError("labels are sent to other systems by administrators")
    return Sending.objects.filter(export__in=exports).select_related("export", "requested_by")


def may_send(user: User, project_id: UUID) -> bool:
    """Whether a person may send a project's labels elsewhere: administrators who do not read there."""
    return user.is_admin and organises(user, project_id)


@transaction.atomic
def request_sending(
    *, export: Export, peer: Peer, way: str, by: User, now: datetime, address: str = ""
) -> Sending:
    """Ask for an export to be sent to a peer, audited.

    raises: ForbiddenError, RefusedError, ExpiredError.
    """
    if not may_send(by, export.project_id):
        raise ForbiddenError("labels are sent to other systems by administrators")
    if export.format not in SENDABLE:
        raise RefusedError(f"a PACS takes DICOM objects alone: export {', '.join(SENDABLE)}")
    if way not in Sending.Way.values:
        raise RefusedError(f'way is "{way}": choose one of {", ".join(Sending.Way.values)}')
    if not (peer.dicomweb_url if way == Sending.Way.STOW else peer.ae_title and peer.host and peer.port):
        raise RefusedError(f"{peer.name} has no address for {Sending.Way(way).label}: describe it first")
    file_of(export, now)
    sending = Sending.objects.create(
        export=export, peer=peer, peer_name=peer.name, way=way, requested_by=by, created_at=now
    )
    sending.job_id = ask(
        name="send_export",
        lane=Lane.TRANSFER,
        arguments={"sending_id": str(sending.pk)},
        requested_by=by,
        scope_id=export.project_id,
    ).pk
    sending.save(update_fields=["job_id"])
    note(sending, "export.send", by=by, address=address)
    return sending


def send(sending: Sending, *, now: datetime, progress: Progress) -> dict[str, str]:
    """Send every object that the peer has not taken yet; gives what became of each.

    raises: ForbiddenError, ExpiredError, PeerError; PeerAwayError, an OSError, to be tried again.
    """
    by, peer = sending.requested_by, sending.peer
    if by is None or not by.is_active or not may_send(by, sending.export.project_id):
        raise ForbiddenError("who asked for this may not send the project's labels any more")
    if peer is None:
        raise PeerError("it is not described any more")
    results = dict(sending.results)
    name = file_of(sending.export, now)
    with default_storage.open(name, "rb") as stored, zipfile.ZipFile(cast("IO[bytes]", stored)) as archive:
        names = [name for name in archive.namelist() if name.endswith(OBJECTS)]
        left = [name for name in names if results.get(name, "unsent")]
        with way_to(peer, sending.way, archive, left) as one_by_one, kept(sending, results):
            for place, name in enumerate(left):
                progress(place / len(left), f"{place + 1} of {len(left)} objects")
                results[name] = one_by_one(archive.read(name))
    return results


@contextmanager
def kept(sending: Sending, results: dict[str, str]) -> Iterator[None]:
    """Keep what was sent, whatever ends the sending: the next attempt goes on from there."""
    try:
        yield
    finally:
        Sending.objects.filter(pk=sending.pk).update(results=results)


def way_to(peer: Peer, way: str, archive: zipfile.ZipFile, names: list[str]) -> AbstractContextManager[Send]:
    """Open the way that was asked for."""
    if way == Sending.Way.STOW:
        return stow(peer)
    from annotation.exchange.sending.store import kind_of, store  # pynetdicom is slow to load

    return store(peer, sorted({kind_of(archive.read(name)) for name in names}))


def finish(*, sending: Sending, results: dict[str, str], error: str, now: datetime) -> None:
    """Keep what became of each object, in the transaction that ends the job; audited."""
    sending.results, sending.error, sending.finished_at = results, error[:255], now
    sending.save(update_fields=["results", "error", "finished_at"])
    note(sending, "export.sent", by=sending.requested_by)


def note(sending: Sending, action: str, *, by: User | None, address: str = "") -> None:
    """Audit a step: to whom, how, how many."""
    details = {
        "export": str(sending.export_id),
        "peer": sending.peer_name,
        "way": sending.way,
        "taken": sending.taken,
        "refused": len(sending.refused),
    }
    record_act(action, sending.export.project_id, by=by, details=details, address=address)
