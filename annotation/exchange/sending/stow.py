"""Objects sent by STOW-RS (PS3.18 10.5), one a request, so that each has its own answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from annotation.exchange.peers.client import TIMEOUT, PeerAwayError, PeerError, authorization, check
from annotation.exchange.peers.models import Peer
from annotation.exchange.sending.ways import Send

BOUNDARY = "fovea-object"
KIND = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
FAILED_SOPS, FAILURE_REASON = "00081198", "00081197"


@contextmanager
def stow(peer: Peer) -> Iterator[Send]:
    """Open a way to a peer's DICOMweb.

    raises: PeerError where it has none, or its secret cannot be read.
    """
    if not peer.dicomweb_url:
        raise PeerError("it has no DICOMweb address")
    headers = {"Content-Type": KIND, "Accept": "application/dicom+json"} | authorization(peer)
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False, headers=headers) as client:

        def send(content: bytes) -> str:
            head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            body = head + content + f"\r\n--{BOUNDARY}--\r\n".encode()
            try:
                answer = client.post(f"{peer.dicomweb_url}/studies", content=body)
            except httpx.TransportError as error:
                raise PeerAwayError(f"it does not answer ({type(error).__name__})") from error
            return refusal(answer)

        yield send


def refusal(answer: httpx.Response) -> str:
    """Say why a peer did not take an object; "" where it did.

    raises: PeerError where it refuses us, not the object.
    """
    if answer.status_code not in (httpx.codes.CONFLICT, httpx.codes.BAD_REQUEST):
        check(answer.status_code)
    try:
        told = answer.json()
    except ValueError:
        told = {}
    failed = told.get(FAILED_SOPS, {}).get("Value", []) if isinstance(told, dict) else []
    if failed:
        reasons = failed[0].get(FAILURE_REASON, {}).get("Value", ["unknown"])
        return f"it was not taken: (0008,1197) Failure Reason {reasons[0]}"
    return "" if answer.is_success else f"it was not taken ({answer.status_code})"
