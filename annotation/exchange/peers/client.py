"""A peer's DICOMweb, asked by us: at the address that an administrator gave, and at no other."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from annotation.exchange.dicomweb_json import attribute
from annotation.exchange.multipart import (
    MalformedError,
    TooLargeError,
    UnsupportedError,
    boundary_in,
    parts_in,
)
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.rules import is_uid
from annotation.exchange.peers.sealing import SealBrokenError, unsealed
from annotation.studies.door.limits import MEBIBYTE

MOST_FOUND = 100
MOST_STUDY_BYTES = 64 * 1024 * MEBIBYTE
MOST_ANSWER_BYTES = 16 * MEBIBYTE
BLOCK_BYTES = 256 * 1024
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
JSON = "application/dicom+json"
FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
FIELDS = ("StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedInstances")


class PeerError(Exception):
    """A peer does not do what is asked; the message says why, without what was asked."""


class PeerAwayError(PeerError, OSError):
    """A peer does not answer now: it can be asked again."""


@dataclass(frozen=True)
class Wish:
    """What is searched for: keys of QIDO-RS; "" = any. They may name a patient: neither kept nor logged."""

    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    study_date: str = ""
    modality: str = ""

    def parameters(self) -> dict[str, str]:
        """Give the query's parameters."""
        keys = {
            "PatientID": self.patient_id,
            "PatientName": self.patient_name,
            "AccessionNumber": self.accession_number,
            "StudyDate": self.study_date,
            "ModalitiesInStudy": self.modality,
        }
        return {name: value for name, value in keys.items() if value.strip("*")}  # * alone is any text


@dataclass(frozen=True)
class FoundStudy:
    """A study as the peer describes it: it names the patient, and is shown to who asked, once."""

    uid: str
    patient_name: str
    patient_id: str
    date: str
    modalities: str
    description: str
    instances: int


def search(peer: Peer, wish: Wish) -> list[FoundStudy]:
    """Search for studies, at most MOST_FOUND.

    raises: PeerError.
    """
    asked = wish.parameters() | {"limit": str(MOST_FOUND), "includefield": ",".join(FIELDS)}
    with answered(peer, "/studies", JSON, asked) as answer:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return []
        content = b""
        for block in answer.iter_bytes(BLOCK_BYTES):
            content += block
            if len(content) > MOST_ANSWER_BYTES:
                raise PeerError("the answer is larger than a list of studies can be")
        rows = _rows(answer, content)
    found = [_study(row) for row in rows[:MOST_FOUND] if isinstance(row, dict)]
    return [one for one in found if is_uid(one.uid)]


def _rows(answer: httpx.Response, content: bytes) -> list[Any]:
    try:
        rows = httpx.Response(answer.status_code, content=content).json()
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        raise PeerError("the answer is not DICOM JSON: is the address the root of its DICOMweb?")
    return rows


def retrieve(peer: Peer, study_uid: str) -> Iterator[tuple[int, BinaryIO]]:
    """Fetch a study's files by WADO-RS, one after the other: size and content, which the caller closes.

    raises: PeerError.
    """
    if not is_uid(study_uid):
        raise PeerError("the study's UID is none")
    with answered(peer, f"/studies/{study_uid}", FILES, {}) as answer:
        try:
            boundary = boundary_in(answer.headers.get("Content-Type", ""))
            yield from parts_in(Body(answer), boundary, most=MOST_STUDY_BYTES)
        except (MalformedError, TooLargeError, UnsupportedError) as error:
            raise PeerError(f"what it sends is not as DICOMweb asks: {error}") from error
        except httpx.TransportError as error:
            raise PeerAwayError("the connection broke off") from error


class Body:
    """An answer's body, to be read in pieces."""

    def __init__(self, answer: httpx.Response) -> None:
        self._blocks, self._held = answer.iter_raw(BLOCK_BYTES), b""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, none at the end."""
        if not self._held:
            self._held = next(self._blocks, b"")
        block, self._held = self._held[:size], self._held[size:]
        return block


@contextmanager
def answered(peer: Peer, path: str, accept: str, parameters: Mapping[str, str]) -> Iterator[httpx.Response]:
    """Ask a peer and give its answer, to be read within the context.

    raises: PeerError.
    """
    if not peer.dicomweb_url:
        raise PeerError("it has no DICOMweb address")
    headers = {"Accept": accept, "Accept-Encoding": "identity"} | authorization(peer)
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", peer.dicomweb_url + path, params=parameters, headers=headers) as answer,
        ):
            check(answer.status_code)
            yield answer
    except httpx.TransportError as error:
        raise PeerAwayError(f"it does not answer ({type(error).__name__})") from error


def check(status: int) -> None:
    """Take an answer that succeeded.

    raises: PeerError.
    """
    if httpx.codes.is_success(status):
        return
    if httpx.codes.is_redirect(status):
        raise PeerError("it sends us on to another address: redirects are not followed, give that address")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise PeerError(f"it refuses our user name, password or token ({status})")
    if httpx.codes.is_server_error(status) or status == httpx.codes.TOO_MANY_REQUESTS:
        raise PeerAwayError(f"it cannot answer now ({status})")
    raise PeerError(f"it refuses what we ask ({status})")


def authorization(peer: Peer) -> dict[str, str]:
    """Write who we are: by name and password, or by a token.

    raises: PeerError.
    """
    try:
        secret = unsealed(peer.secret)
    except SealBrokenError as error:
        raise PeerError(f"its secret cannot be read: {error}") from error
    if not secret:
        return {}
    if not peer.user_name:
        return {"Authorization": f"Bearer {secret}"}
    return {"Authorization": f"Basic {base64.b64encode(f'{peer.user_name}:{secret}'.encode()).decode()}"}


def _study(row: dict[str, Any]) -> FoundStudy:
    instances = _text(row, "NumberOfStudyRelatedInstances")
    return FoundStudy(
        uid=_text(row, "StudyInstanceUID"),
        patient_name=_text(row, "PatientName").replace("^", " ").strip(),
        patient_id=_text(row, "PatientID"),
        date=_text(row, "StudyDate"),
        modalities=_text(row, "ModalitiesInStudy"),
        description=_text(row, "StudyDescription"),
        instances=int(instances) if instances.isdecimal() else 0,
    )


def _text(row: dict[str, Any], keyword: str) -> str:
    """Read an element's values as one text, of whatever the peer wrote."""
    element = row.get(attribute(keyword).tag)
    values = element.get("Value") if isinstance(element, dict) else None
    found = values if isinstance(values, list) else []
    texts = [one.get("Alphabetic", "") if isinstance(one, dict) else one for one in found]
    return " ".join(str(one) for one in texts if one is not None)[:200]
