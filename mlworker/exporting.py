"""The job that makes an export; highdicom, nibabel, pyarrow and torch are loaded in its own process alone."""

from django.utils import timezone

from annotation.exchange.out.jobs import made_export, made_model_export
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import Made, finish_export
from mlworker.runtime import Work


def export(work: Work, export_id: str) -> None:
    """Make the file, and name it in the row; run again, it makes the same file."""
    wanted = ("project__dataset", "snapshot", "requested_by", "model__snapshot", "model__encoder")
    asked = Export.objects.select_related(*wanted).get(pk=export_id)
    made = made_of(asked, work)
    with work.commit():
        finish_export(export_id=asked.pk, made=made, now=timezone.now())


def made_of(asked: Export, work: Work) -> Made:
    """Write what was asked for: labels, or a model version."""
    if asked.model_id is None:
        return made_export(asked, now=timezone.now(), progress=work.progress)
    from mlworker.portable.writing import write

    return made_model_export(asked, write=write, progress=work.progress)
