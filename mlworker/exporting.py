"""The job that makes an export; highdicom, nibabel and pyarrow are loaded in its own process alone."""

from django.utils import timezone

from annotation.exchange.out.jobs import made_export
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import finish_export
from mlworker.runtime import Work


def export(work: Work, export_id: str) -> None:
    """Make the file, and name it in the row; run again, it makes the same file."""
    asked = Export.objects.select_related("project__dataset", "snapshot", "requested_by").get(pk=export_id)
    made = made_export(asked, now=timezone.now(), progress=work.progress)
    with work.commit():
        finish_export(export_id=asked.pk, made=made, now=timezone.now())
