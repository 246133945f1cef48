"""Objects sent by C-STORE (PS3.4 B): one association, every kind of object that there is announced."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.conf import settings
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE

from annotation.exchange.peers.client import PeerAwayError, PeerError
from annotation.exchange.peers.models import Peer
from annotation.exchange.sending.ways import Send

SECONDS = 60.0
SUCCESS, WARNINGS = 0x0000, range(0xB000, 0xC000)


@contextmanager
def store(peer: Peer, kinds: Sequence[tuple[str, str]]) -> Iterator[Send]:
    """Open an association with a peer.

    kinds:  (SOP Class UID, transfer syntax) of all that will be sent.
    raises: PeerError where it has no AE title, host and port, or refuses us.
    """
    if not peer.ae_title or not peer.host or not peer.port:
        raise PeerError("it has no AE title, host and port: an administrator describes them")
    caller: Any = AE(ae_title=settings.DICOM_TITLE)
    caller.acse_timeout = caller.dimse_timeout = caller.network_timeout = caller.connection_timeout = SECONDS
    for sop_class, syntax in kinds:
        caller.add_requested_context(sop_class, syntax)
    association = caller.associate(peer.host, peer.port, ae_title=peer.ae_title)
    if association.is_rejected:
        raise PeerError(f"it refuses the AE title {settings.DICOM_TITLE}: register it there")
    if not association.is_established:
        raise PeerAwayError("it does not answer, or takes none of these objects")
    try:
        yield lambda content: stored(association, content)
    finally:
        association.release()


def stored(association: Any, content: bytes) -> str:  # noqa: ANN401 - pynetdicom is not typed
    """Send one object; give why it was not taken.

    raises: PeerAwayError where the association is gone.
    """
    if not association.is_established:
        raise PeerAwayError("it ended the association")
    try:
        status: Dataset = association.send_c_store(dcmread(BytesIO(content)))
    except ValueError:
        return "it takes no objects of this kind"
    if "Status" not in status:
        raise PeerAwayError("it does not answer")
    code = int(status.Status)
    return "" if code == SUCCESS or code in WARNINGS else f"it was not taken: status 0x{code:04X}"


def kind_of(content: bytes) -> tuple[str, str]:
    """Read an object's class and transfer syntax."""
    found = dcmread(BytesIO(content), stop_before_pixels=True)
    return str(found.SOPClassUID), str(found.file_meta.TransferSyntaxUID)
