"""The job that checks a file of labels, or writes what somebody agreed to; no torch."""

from django.utils import timezone

from annotation.exchange.labels.jobs import take_step
from annotation.exchange.labels.models import LabelImport
from jobs.models import Lane
from mlworker.runtime import Work, job


@job("import_labels", lane=Lane.TRANSFER, spawn=True)
def import_labels(work: Work, *, label_import_id: str) -> None:
    """Take the next step of a label import; run again, it changes nothing."""
    asked = LabelImport.objects.select_related("project__dataset", "requested_by").get(pk=label_import_id)
    take_step(asked, now=timezone.now(), progress=work.progress, commit=work.commit)
