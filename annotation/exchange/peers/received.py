"""What was received by C-STORE comes in: through the one door, and off the disk when its rows are there."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from annotation.exchange.arriving import arrived, delivery_of_the_hour
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.spool import SpooledFile, files_in
from annotation.projects.models import Project
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import PROCESSES, Arrival, Treatment

Progress = Callable[[float, str], None]


def import_received(spool: Path, project_id: UUID, peer_id: UUID, *, progress: Progress) -> None:
    """Take in what waits of one sender until nothing waits; cut off anywhere, the rest comes next time."""
    project = Project.objects.select_related("dataset").get(pk=project_id)
    sender = Peer.objects.filter(pk=peer_id).values_list("name", flat=True).first() or "a sender of before"
    folder, count = spool / str(project_id) / str(peer_id), 0
    with Sandbox(PROCESSES) as door:
        while waiting := files_in(folder):
            count = _take(waiting, project, f"C-STORE: {sender}", door, count, progress)


def _take(
    waiting: list[SpooledFile], project: Project, source: str, door: Sandbox, count: int, progress: Progress
) -> int:
    """Take in what waits now; gives how many have come in altogether."""
    delivery = delivery_of_the_hour(
        project=project, source_name=source, requested_by=None, now=timezone.now()
    )
    treatment = Treatment(pictures_cleared=False, options=delivery.options)
    arrivals = map(Arrival, waiting)
    for batch in arrived(delivery, project, arrivals, treatment=treatment, door=door):
        for judged in batch:
            if isinstance(judged.arrival.file, SpooledFile):
                judged.arrival.file.where.unlink(missing_ok=True)
        count += len(batch)
        progress(0.5, f"{count} files")
    return count
