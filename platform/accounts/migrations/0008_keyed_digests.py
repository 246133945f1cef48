from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_kept_answers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="keptanswer",
            name="digest",
            field=models.CharField(help_text="HMAC of what is asked", max_length=64),
        ),
    ]
