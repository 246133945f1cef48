"""The newest job of a name in a project is found by an index: the sweep and each reading look for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_transfer_lane")]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["name", "scope_id", "-created_at"], name="job_newest"),
        ),
    ]
