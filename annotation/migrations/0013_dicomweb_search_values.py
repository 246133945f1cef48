"""What is searched by, of the images that are there already: copied out of their attributes."""

from collections.abc import Mapping
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 500
LARGEST = 2**31 - 1


def number(attributes: Mapping[str, Any], keyword: str) -> int:
    found = attributes.get(keyword)
    return found if isinstance(found, int) and abs(found) <= LARGEST else 0


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    instances = apps.get_model("annotation", "Instance").objects
    waiting: list[Any] = []
    for instance in instances.only("pk", "attributes").order_by("pk").iterator(chunk_size=BATCH):
        instance.rows = number(instance.attributes, "Rows")
        instance.columns = number(instance.attributes, "Columns")
        instance.bits_allocated = number(instance.attributes, "BitsAllocated")
        waiting.append(instance)
        if len(waiting) == BATCH:
            instances.bulk_update(waiting, ["rows", "columns", "bits_allocated"])
            waiting = []
    instances.bulk_update(waiting, ["rows", "columns", "bits_allocated"])
    fill_series(apps)


def fill_series(apps: Apps) -> None:
    instances = apps.get_model("annotation", "Instance").objects
    every_series = apps.get_model("annotation", "Series").objects.select_related("study")
    for series in every_series.iterator(chunk_size=BATCH):
        first = instances.filter(series=series).order_by("instance_number", "sop_instance_uid").first()
        found = first.attributes if first else {}
        series.series_number = number(found, "SeriesNumber")
        series.series_date = str(found.get("SeriesDate", ""))[:8]
        series.series_time = str(found.get("SeriesTime", ""))[:16]
        series.save(update_fields=["series_number", "series_date", "series_time"])
        if not series.study.study_date:
            series.study.study_date = str(found.get("StudyDate", ""))[:8]
            series.study.study_time = str(found.get("StudyTime", ""))[:16]
            series.study.save(update_fields=["study_date", "study_time"])


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0012_dicomweb_search"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
