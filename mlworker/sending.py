"""The job that sends an export's objects to a PACS; no torch."""

from django.utils import timezone

from annotation.exchange.peers.client import PeerAwayError, PeerError
from annotation.exchange.sending import services
from annotation.exchange.sending.models import Sending
from jobs.models import Lane
from mlworker.runtime import Work, job


@job("send_export", lane=Lane.TRANSFER, spawn=True)
def send_export(work: Work, *, sending_id: str) -> None:
    """Send what the peer has not taken yet; run again, nothing is sent twice."""
    rows = Sending.objects.select_related("export__snapshot", "peer", "requested_by")
    sending, error = rows.get(pk=sending_id), ""
    results = dict(sending.results)
    if sending.finished_at is None:
        try:
            results = services.send(sending, now=timezone.now(), progress=work.progress)
        except PeerAwayError:
            raise
        except PeerError as refused:
            error = str(refused)
            sending.refresh_from_db(fields=["results"])
            results = dict(sending.results)
    with work.commit():
        if sending.finished_at is None:
            services.finish(sending=sending, results=results, error=error, now=timezone.now())
