"""Cases that are there already get the acquisition that their series tells of."""

from typing import Any

from django.db import migrations

TOLD = ("modality", "body_part_examined", "manufacturer", "manufacturer_model_name")


def fill(apps: Any, _schema_editor: Any) -> None:  # noqa: ANN401  as Django gives them
    """Write one acquisition for each kind of series, and name it in the cases."""
    cases = apps.get_model("annotation", "Case").objects
    acquisitions = apps.get_model("annotation", "Acquisition").objects
    told = [f"series__{name}" for name in TOLD]
    kinds = cases.order_by().values_list("series__study__dataset", *told).distinct()
    for dataset, *values in list(kinds):
        made, _ = acquisitions.get_or_create(dataset_id=dataset, **dict(zip(TOLD, values, strict=True)))
        same = dict(zip(told, values, strict=True)) | {"series__study__dataset": dataset}
        keys = cases.filter(**same).values("pk")
        cases.filter(pk__in=keys).update(acquisition=made)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0022_splits_acquisitions_and_duplicates")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
