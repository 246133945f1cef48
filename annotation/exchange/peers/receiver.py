"""C-STORE SCP: takes images of senders that an administrator has named; off unless it is started.

A status of success is given when a file is durable, never before. What is in it is looked at by the door.
"""

import logging
import socket
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError, close_old_connections
from pynetdicom import AE, AllStoragePresentationContexts, _config, evt
from pynetdicom.association import Association
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from annotation.exchange.lifecycle.usage import QuotaError, check_room
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.spool import FileTooLargeError, Spool, files_in
from annotation.projects.models import Project
from annotation.studies.door.formats import TRANSFER_SYNTAXES
from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from audit.services import record
from jobs.models import OPEN, Job, Lane
from jobs.services import ask

log = logging.getLogger(__name__)

# PS3.4 B.2.3, PS3.7 C.
SUCCESS, OUT_OF_RESOURCES, NOT_AUTHORISED, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0x0124, 0xC000
REJECTED_FOR_GOOD = (0x01, 0x01, 0x03)  # permanently, by the service user: calling AE title not recognised

MOST_ASSOCIATIONS = 8
PDU_BYTES = 128 * 1024
TIMEOUT_SECONDS = 60
POLL_SECONDS = 1.0
SLACK_BYTES = MEBIBYTE


class Receiver:
    """The C-STORE service on one port, and the clock that has what came imported."""

    def __init__(self, spool: Path, *, title: str, host: str, port: int) -> None:
        self.spool, self._title, self._address = Spool(spool), title, (host, port)
        self._senders: WeakKeyDictionary[Association, Peer] = WeakKeyDictionary()
        self._came: WeakKeyDictionary[Association, int] = WeakKeyDictionary()
        self._stop = threading.Event()
        self._clock = threading.Thread(target=self._have_imported, name="received", daemon=True)

    def __enter__(self) -> "Receiver":
        self.spool.prepare()
        tempfile.tempdir = str(self.spool.incoming)  # pynetdicom writes there what is still coming
        _config.STORE_RECV_CHUNKED_DATASET = True
        _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
        entity = AE(ae_title=self._title)
        entity.require_called_aet = True
        entity.maximum_associations, entity.maximum_pdu_size = MOST_ASSOCIATIONS, PDU_BYTES
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = TIMEOUT_SECONDS
        entity.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax or "", sorted(TRANSFER_SYNTAXES))
        handlers = [
            (evt.EVT_REQUESTED, self._on_request),
            (evt.EVT_PDU_RECV, self._on_pdu),
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_C_ECHO, self._on_echo),
            (evt.EVT_CONN_CLOSE, close_unfinished),
        ]
        self._server = entity.start_server(self._address, block=False, evt_handlers=handlers)  # type: ignore[arg-type]
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._server is not None:
            self._server.shutdown()
        self._clock.join()
        tempfile.tempdir = None

    def _on_request(self, event: evt.Event) -> None:
        """Know the sender by its title and its address, or reject it; either is audited once."""
        try:
            self._know(event.assoc)
        except Exception as error:  # noqa: BLE001 - who cannot be known is not let in, whatever the cause
            log.error("receiver: a sender could not be looked up (%s)", type(error).__name__)
            reject(event.assoc)
        finally:
            close_old_connections()

    def _know(self, association: Association) -> None:
        primitive, address = association.requestor.primitive, association.requestor.address or ""
        title = str(primitive.calling_ae_title).strip() if primitive else ""
        peer = Peer.objects.filter(sends=True, ae_title=title, project__isnull=False).first()
        is_known = peer is not None and address in addresses_of(peer.host)
        record(
            actor="system",
            action="peer.associate",
            object_type="peer",
            object_id=str(peer.pk) if peer else "",
            outcome="ok" if is_known else "denied",
            remote_address=address,
        )
        if peer is not None and is_known:
            self._senders[association] = peer
        else:
            reject(association)

    def _on_pdu(self, event: evt.Event) -> None:
        """End an association whose file is larger than any that is read, while it still comes."""
        if not isinstance(event.pdu, P_DATA_TF):
            return
        came = self._came.get(event.assoc, 0) + event.pdu.pdu_length
        self._came[event.assoc] = came
        if came > FILE_BYTES + SLACK_BYTES:
            event.assoc.abort()

    def _on_echo(self, event: evt.Event) -> int:
        self._came[event.assoc] = 0
        return SUCCESS if event.assoc in self._senders else NOT_AUTHORISED

    def _on_store(self, event: evt.Event) -> int:
        """Keep a file, and only then say so."""
        self._came[event.assoc] = 0
        received, peer = event.dataset_path, self._senders.get(event.assoc)
        try:
            if peer is None or peer.project_id is None:
                return NOT_AUTHORISED
            if not takes(peer.project_id, received.stat().st_size):
                return OUT_OF_RESOURCES
            self.spool.keep(received, peer.project_id, peer.pk)
        except FileTooLargeError:
            return CANNOT_UNDERSTAND
        except OSError as error:
            log.error("receiver: a file could not be kept (%s)", error.strerror or error)
            return OUT_OF_RESOURCES
        finally:
            received.unlink(missing_ok=True)
        return SUCCESS

    def _have_imported(self) -> None:
        """Ask for a job wherever files wait, and tidy up."""
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.spool.drop_abandoned()
                for folder in self.spool.folders():
                    if files_in(folder):
                        ask_import(UUID(folder.parent.name), UUID(folder.name))
            except Exception as error:  # noqa: BLE001 - the database may be away: it is asked again
                log.error("receiver: an import could not be asked for (%s)", type(error).__name__)
            finally:
                close_old_connections()


def close_unfinished(event: evt.Event) -> None:
    """Remove the file that was still coming when an association ended."""
    message = event.assoc.dimse.message
    unfinished = message._data_set_file if message else None  # noqa: SLF001 - pynetdicom leaves it open
    if unfinished is not None:
        unfinished.close()
        Path(unfinished.name).unlink(missing_ok=True)


def reject(association: Association) -> None:
    """Let nobody in who is not named."""
    association.acse.send_reject(*REJECTED_FOR_GOOD)


def addresses_of(host: str) -> Collection[str]:
    """Resolve the host from which a sender may call."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return set()
    addresses = {str(one[4][0]) for one in found}
    return addresses | {f"::ffff:{one}" for one in addresses if ":" not in one}


def takes(project_id: UUID, size: int = 0) -> bool:
    """Whether a project is there and has room; where the database is away, the import asks again."""
    try:
        check_room(project_id, size)
        return Project.objects.filter(pk=project_id).exists()
    except QuotaError:
        return False
    except DatabaseError:
        return True


def ask_import(project_id: UUID, peer_id: UUID) -> None:
    """Ask for what waits to be imported, where nobody is at it."""
    key = f"received:{project_id}:{peer_id}"
    if Job.objects.filter(singleton_key=key, state__in=OPEN).exists() or not takes(project_id):
        return
    ask(
        name="import_received",
        lane=Lane.TRANSFER,
        arguments={"project_id": str(project_id), "peer_id": str(peer_id)},
        scope_id=project_id,
        singleton_key=key,
    )
