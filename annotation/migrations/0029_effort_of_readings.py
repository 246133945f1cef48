"""Sum up what readers did before days were kept."""

from collections import Counter

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Exists, OuterRef

AT_ONCE = 5000


def fill(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Walk the revisions of readers once; a day's row is written when all are seen."""
    from annotation.readings.effort import time_class

    Effort = apps.get_model("annotation", "Effort")
    Reading = apps.get_model("annotation", "Reading")
    Revision = apps.get_model("annotation", "Revision")
    before = Reading.objects.filter(
        case=OuterRef("reading__case"), reader__isnull=False, created_at__lt=OuterRef("reading__created_at")
    )
    rows = Revision.objects.filter(reader__isnull=False).annotate(second=Exists(before))
    days = {}
    told = ("reading__case__project_id", "reader_id", "created_at", "number", "seconds", "second")
    for project, reader, at, number, seconds, second in rows.order_by().values_list(*told).iterator(AT_ONCE):
        key = (project, reader, at.date())
        day = days.setdefault(
            key,
            Effort(project_id=project, reader_id=reader, day=key[2], last_at=at, times=Counter()),
        )
        day.seconds += seconds
        day.last_at = max(day.last_at, at)
        day.revisions += number > 1
        day.readings += number == 1
        day.second_readings += number == 1 and second
        if number == 1:
            day.times[str(time_class(seconds))] += 1
    Effort.objects.bulk_create(days.values(), batch_size=AT_ONCE, ignore_conflicts=True)


class Migration(migrations.Migration):
    """Data alone."""

    dependencies = [("annotation", "0028_readers_and_models")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
