"""Studies picked at a peer come in: asked for by an administrator, fetched by a job, through the one door."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from annotation.exchange.dicomweb_store import Received
from annotation.exchange.imports import admitted, fail_delivery, job_key, project_of
from annotation.exchange.peers.client import PeerError, retrieve
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.peers.rules import is_uid
from annotation.exchange.peers.sealing import SealBrokenError, seal, unsealed
from annotation.projects.models import Project
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import PROCESSES, Arrival, Treatment
from annotation.studies.keys import dataset_key, source_digest
from annotation.studies.models import Import
from audit.services import record
from jobs.models import Lane
from jobs.services import ask

MOST_STUDIES = 100
NAME_CHARACTERS = 16
Progress = Callable[[float, str], None]


@transaction.atomic
def ask_pull(
    *, project: Project, peer: Peer, studies: Sequence[str], by: User, now: datetime, address: str = ""
) -> Import:
    """Ask for studies of a peer, audited once; gives the delivery that they will be.

    studies: Study Instance UIDs as the peer has them: sealed until they are fetched, in no log, in no report.
    raises:  PeerError where none, too many or no UIDs are named.
    """
    wanted = list(dict.fromkeys(studies))
    if not 0 < len(wanted) <= MOST_STUDIES or not all(map(is_uid, wanted)):
        raise PeerError(f"pick 1 to {MOST_STUDIES} studies")
    delivery = Import.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_name=peer.name,
        requested_by=by,
        pictures_cleared=False,
        options=project.dataset.deidentification,
        created_at=now,
    )
    pull = Pull.objects.create(
        peer=peer, delivery=delivery, wanted=seal(json.dumps(wanted)), studies=len(wanted), created_at=now
    )
    record(
        actor=str(by.pk),
        action="peer.pull",
        object_type="import",
        object_id=str(delivery.pk),
        remote_address=address,
        details={"project": str(project.pk), "peer": str(peer.pk), "studies": len(wanted)},
    )
    ask(
        name="pull_studies",
        lane=Lane.TRANSFER,
        arguments={"pull_id": str(pull.pk)},
        requested_by=by,
        scope_id=project.pk,
        singleton_key=job_key(delivery),
    )
    return delivery


def fetch_studies(pull_id: UUID, *, progress: Progress) -> UUID:
    """Fetch what is not fetched yet, study after study; gives the delivery's id.

    raises: PeerError where the peer refuses, PeerAwayError where it can be asked again.
    """
    pull = Pull.objects.select_related("peer", "delivery__dataset").get(pk=pull_id)
    Import.objects.filter(pk=pull.delivery_id).update(state=Import.State.RUNNING, error="")
    try:
        _fetch_all(pull, progress)
    except (PeerError, SealBrokenError) as error:
        words = f"{pull.delivery.source_name}: {error}"
        fail_delivery(pull.delivery_id, error=words, now=timezone.now())
        raise
    return pull.delivery_id


def _fetch_all(pull: Pull, progress: Progress) -> None:
    if pull.peer is None:
        raise PeerError("it is no longer known here")
    wanted = json.loads(unsealed(pull.wanted) or "[]")
    with Sandbox(PROCESSES) as door:
        for place, uid in enumerate(wanted):
            done = pull.studies - len(wanted) + place
            for count in _fetch(pull, pull.peer, uid, door):
                words = f"study {done + 1} of {pull.studies}: {count} files"
                progress(done / pull.studies, words)
            rest = wanted[place + 1 :]
            Pull.objects.filter(pk=pull.pk).update(wanted=seal(json.dumps(rest)) if rest else "")


def _fetch(pull: Pull, peer: Peer, uid: str, door: Sandbox) -> Iterator[int]:
    """Fetch one study; gives how many of its files are in, batch after batch."""
    delivery = pull.delivery
    project = Project.objects.get(pk=project_of(delivery))
    treatment = Treatment(pictures_cleared=False, options=delivery.options)
    count = 0
    arrivals = _received(retrieve(peer, uid), dataset_key(delivery.dataset_id))
    for batch in admitted(delivery, project, arrivals, treatment=treatment, door=door):
        fresh = sum(taken is not None for _, taken in batch)
        Import.objects.filter(pk=delivery.pk).update(total=F("total") + fresh)
        count += len(batch)
        yield count


def _received(contents: Iterator[tuple[int, BinaryIO]], key: bytes) -> Iterator[Arrival]:
    """Name each file by its keyed digest: the same one, fetched again, is counted once."""
    seen: set[str] = set()
    for size, content in contents:
        name = source_digest(key, content)[:NAME_CHARACTERS]
        content.seek(0)
        if name in seen:
            content.close()
            continue
        seen.add(name)
        yield Arrival(Received(name, size, content))
