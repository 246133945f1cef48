"""What is searched by, of the images that are there already: copied out of their attributes."""

from django.db import migrations

BATCH = 500
LARGEST = 2**31 - 1


def number(attributes, keyword):
    found = attributes.get(keyword)
    return found if isinstance(found, int) and abs(found) <= LARGEST else 0


def fill(apps, schema_editor):
    Instance = apps.get_model("annotation", "Instance")
    waiting = []
    for instance in Instance.objects.only("pk", "attributes").order_by("pk").iterator(chunk_size=BATCH):
        instance.rows = number(instance.attributes, "Rows")
        instance.columns = number(instance.attributes, "Columns")
        instance.bits_allocated = number(instance.attributes, "BitsAllocated")
        waiting.append(instance)
        if len(waiting) == BATCH:
            Instance.objects.bulk_update(waiting, ["rows", "columns", "bits_allocated"])
            waiting = []
    Instance.objects.bulk_update(waiting, ["rows", "columns", "bits_allocated"])
    fill_series(apps)


def fill_series(apps):
    Instance, Series = apps.get_model("annotation", "Instance"), apps.get_model("annotation", "Series")
    for series in Series.objects.select_related("study").iterator(chunk_size=BATCH):
        first = Instance.objects.filter(series=series).order_by("instance_number", "sop_instance_uid").first()
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
