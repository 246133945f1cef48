"""Every table at once, for a new database; one that is there already goes on from migration to migration."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import annotation.studies.models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("annotation", "0001_initial"),
        ("annotation", "0002_import_settings"),
        ("annotation", "0003_query_batches"),
        ("annotation", "0004_model_cards_and_promotions"),
        ("annotation", "0005_similarity_and_maps"),
        ("annotation", "0006_policy_strategies_and_quotas"),
        ("annotation", "0007_class_quota_by_default"),
        ("annotation", "0008_remarks_and_final_skips"),
        ("annotation", "0009_protocol_settings_and_measurements"),
        ("annotation", "0010_logit_adjustment_by_default"),
        ("annotation", "0011_project_hanging_rules"),
        ("annotation", "0012_dicomweb_search"),
        ("annotation", "0013_dicomweb_search_values"),
        ("annotation", "0014_exports_and_data_cards"),
        ("annotation", "0015_pixel_heads_and_region_suggestions"),
        ("annotation", "0016_export_that_freezes_first"),
        ("annotation", "0017_deidentification_options_and_masks"),
        ("annotation", "0018_discarded_files_can_be_brought_back"),
        ("annotation", "0019_life_cycle"),
        ("annotation", "0020_readings_of_named_sources"),
        ("annotation", "0021_peers_and_pulls"),
        ("annotation", "0022_splits_acquisitions_and_duplicates"),
        ("annotation", "0023_acquisitions_of_known_cases"),
        ("annotation", "0024_exports_sent_to_peers"),
        ("annotation", "0025_agreement_and_uncertainty"),
        ("annotation", "0026_originals_are_kept_sealed"),
        ("annotation", "0027_label_checks"),
        ("annotation", "0028_readers_and_models"),
        ("annotation", "0029_effort_of_readings"),
        ("annotation", "0030_effort_of_decisions"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Deletion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("study", "Study"), ("project", "Project with its images")], max_length=16
                    ),
                ),
                ("project_id", models.UUIDField(help_text="where it was deleted")),
                ("what", models.CharField(help_text="a project's name, or numbers of cases", max_length=160)),
                ("reason", models.CharField(max_length=200)),
                ("images", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("kept_until", models.DateTimeField(help_text="until when it can be brought back")),
                ("returned_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Dataset",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=128, unique=True)),
                (
                    "deidentification",
                    models.JSONField(
                        default=annotation.studies.models.list_of_default_options,
                        help_text="names of the options that later imports are taken under",
                    ),
                ),
                (
                    "keeps_originals",
                    models.BooleanField(
                        default=False,
                        help_text="files that are admitted from now on are kept as they came too, sealed",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "deletion",
                    models.ForeignKey(
                        help_text="what is in it is deleted: seen by nobody until it is brought back",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="datasets",
                        to="annotation.deletion",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Acquisition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.CharField(
                        default="", help_text="as an administrator named the delivery's", max_length=64
                    ),
                ),
                ("manufacturer", models.CharField(default="", max_length=64)),
                ("manufacturer_model_name", models.CharField(default="", max_length=64)),
                (
                    "magnetic_field_strength",
                    models.CharField(default="", help_text="DS, in tesla", max_length=16),
                ),
                ("convolution_kernel", models.CharField(default="", max_length=64)),
                ("modality", models.CharField(default="", max_length=16)),
                ("body_part_examined", models.CharField(default="", max_length=64)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acquisitions",
                        to="annotation.dataset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "dataset",
                            "site",
                            "manufacturer",
                            "manufacturer_model_name",
                            "magnetic_field_strength",
                            "convolution_kernel",
                            "modality",
                            "body_part_examined",
                        ),
                        name="acquisition_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=128, unique=True)),
                (
                    "hanging_rules",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="the project's own, as annotation.projects.hanging reads them",
                    ),
                ),
                (
                    "quota_bytes",
                    models.BigIntegerField(blank=True, help_text="of stored and held images", null=True),
                ),
                ("quota_cases", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "required_skills",
                    models.JSONField(blank=True, default=list, help_text="tags that its readers must have"),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "stands_for",
                    models.ForeignKey(
                        help_text="whose deleted cases it keeps",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.project",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "deletion",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="annotation.deletion",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Encoder",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=128)),
                ("digest", models.CharField(max_length=64)),
                ("dimension", models.PositiveIntegerField()),
                ("preprocessing", models.JSONField()),
                ("weights_name", models.CharField(help_text="safetensors in the file store", max_length=255)),
                ("report", models.JSONField(default=dict, help_text="what its training bought, measured")),
                (
                    "licence",
                    models.CharField(
                        default="", help_text="of the weights, as their source states it", max_length=128
                    ),
                ),
                (
                    "source",
                    models.CharField(default="", help_text="where the weights come from", max_length=255),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="encoders",
                        to="annotation.dataset",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [models.UniqueConstraint(fields=("dataset", "digest"), name="encoder_once")],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("project_id", models.UUIDField(help_text="where it was asked for")),
                ("pseudonym", models.CharField(help_text="until it is done; then empty", max_length=64)),
                ("subject", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=200)),
                ("job_id", models.UUIDField(null=True)),
                (
                    "remains",
                    models.JSONField(
                        default=dict,
                        help_text="files and vectors to remove, by digest, until the job has done so",
                    ),
                ),
                ("certificate", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("project_id", models.UUIDField(help_text="the project whose cases it makes", null=True)),
                ("source_name", models.CharField(max_length=255)),
                ("site", models.CharField(default="", help_text="where its images were made", max_length=64)),
                (
                    "modality",
                    models.CharField(
                        default="OT",
                        help_text="what plain pictures of this delivery are said to be",
                        max_length=16,
                    ),
                ),
                (
                    "pictures_cleared",
                    models.BooleanField(
                        default=True, help_text="the sender vouches that no plain picture names a person"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("stored", models.PositiveIntegerField(default=0)),
                ("duplicate", models.PositiveIntegerField(default=0)),
                ("quarantined", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(default="", max_length=255)),
                (
                    "options",
                    models.JSONField(
                        default=annotation.studies.models.list_of_default_options,
                        help_text="de-identification options, as its data set had them then",
                    ),
                ),
                (
                    "deeds",
                    models.JSONField(
                        default=dict,
                        help_text="how often each deed was done to each attribute of its stored files",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("pseudonym", models.CharField(max_length=64)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patients",
                        to="annotation.dataset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "pseudonym"), name="patient_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "project_id",
                    models.UUIDField(help_text="the project whose case it becomes when cleared", null=True),
                ),
                ("source_digest", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("rejected", "Cannot be used"),
                            ("pixels", "Pixels must be cleared by a human"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("held", "Held"), ("cleared", "Cleared"), ("discarded", "Discarded")],
                        default="held",
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(max_length=255)),
                (
                    "patient_id_hint",
                    models.CharField(
                        default="", help_text="pseudonym given by the delivery's table", max_length=64
                    ),
                ),
                (
                    "patient",
                    models.CharField(
                        default="",
                        help_text="pseudonym of whom the file is about; empty where it is unknown",
                        max_length=64,
                    ),
                ),
                ("size", models.BigIntegerField(default=0, help_text="bytes of the file")),
                ("split", models.CharField(default="", max_length=16)),
                ("has_preview", models.BooleanField(default=False)),
                (
                    "shown",
                    models.JSONField(
                        default=dict,
                        help_text="columns and rows of the image, panels of its preview; empty without one",
                    ),
                ),
                (
                    "likeness",
                    models.CharField(
                        default="",
                        help_text="keyed digest of device, series and size; empty where unknown",
                        max_length=64,
                    ),
                ),
                (
                    "text_boxes",
                    models.JSONField(
                        help_text="where text was found: (left, top, right, bottom) in pixels; null = not searched",
                        null=True,
                    ),
                ),
                (
                    "masks",
                    models.JSONField(
                        default=list, help_text="what was masked when it was cleared, as text_boxes"
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "kept_until",
                    models.DateTimeField(
                        help_text="until when a discarded file can be brought back; null = its bytes are gone",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quarantine",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
                "indexes": [models.Index(fields=["dataset", "likeness"], name="quarantined_alike")],
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "source_digest"), name="quarantined_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="agreement",
                        serialize=False,
                        to="annotation.project",
                    ),
                ),
                (
                    "figures",
                    models.JSONField(
                        help_text="by question, as annotation.readings.agreement.report writes them"
                    ),
                ),
                (
                    "skills",
                    models.JSONField(
                        default=dict, help_text="how readers confuse choices: what fusion goes by"
                    ),
                ),
                ("readings", models.PositiveIntegerField(help_text="that there were")),
                ("job_id", models.UUIDField(unique=True)),
                ("seconds", models.FloatField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LabelCheck",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="label_check",
                        serialize=False,
                        to="annotation.project",
                    ),
                ),
                (
                    "doubted",
                    models.JSONField(
                        help_text="case number, label, what heads think, and by how much, worst first"
                    ),
                ),
                (
                    "hasty",
                    models.JSONField(
                        help_text="case number, reader, seconds, and the reader's usual, fastest first"
                    ),
                ),
                (
                    "drifts",
                    models.JSONField(
                        default=list, help_text="readers, what they were right of by week, and changes"
                    ),
                ),
                ("labels", models.PositiveIntegerField(help_text="that heads looked at; 0: too few")),
                ("readings", models.PositiveIntegerField(help_text="whose time was looked at")),
                ("job_id", models.UUIDField(unique=True)),
                ("seconds", models.FloatField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Drift",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "value",
                    models.FloatField(help_text="area under the ROC curve; none: too few images", null=True),
                ),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("new_images", models.PositiveIntegerField()),
                ("labelled_images", models.PositiveIntegerField()),
                ("reason", models.CharField(default="", help_text="why there is no value", max_length=255)),
                ("job_id", models.UUIDField(unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drifts",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="drift_newest")],
            },
        ),
        migrations.CreateModel(
            name="DuplicateSearch",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("likeness", models.FloatField(help_text="cosine from which two images are near-duplicates")),
                ("searched", models.PositiveIntegerField(help_text="images that it went through")),
                ("group_count", models.PositiveIntegerField()),
                ("seconds", models.FloatField()),
                ("job_id", models.UUIDField(unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="duplicate_searches",
                        to="annotation.project",
                    ),
                ),
                (
                    "encoder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.encoder"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "duplicate searches",
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="duplicates_newest")],
            },
        ),
        migrations.CreateModel(
            name="Effort",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(help_text="UTC")),
                (
                    "readings",
                    models.PositiveIntegerField(
                        default=0, help_text="cases read for the first time by the reader"
                    ),
                ),
                (
                    "second_readings",
                    models.PositiveIntegerField(default=0, help_text="of them, read by a colleague before"),
                ),
                (
                    "revisions",
                    models.PositiveIntegerField(default=0, help_text="of one's own readings, later"),
                ),
                (
                    "decisions",
                    models.PositiveIntegerField(
                        default=0, help_text="on cases in dispute, as an adjudicator"
                    ),
                ),
                ("seconds", models.FloatField(default=0.0, help_text="expert time, idle time left out")),
                (
                    "decision_seconds",
                    models.FloatField(default=0.0, help_text="of them, spent on cases in dispute"),
                ),
                (
                    "times",
                    models.JSONField(
                        default=dict, help_text="how many first readings took how long, by time class"
                    ),
                ),
                ("last_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="annotation.project",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "efforts",
                "indexes": [models.Index(fields=["day", "reader"], name="effort_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "reader", "day"), name="effort_once_a_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="LabelImport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("source_name", models.CharField(max_length=128)),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("kept", "Kept beside the readers', nothing more"),
                            ("training", "Models learn from them, in the pool"),
                            ("reference", "Models learn from them and are judged by them"),
                        ],
                        max_length=16,
                    ),
                ),
                ("format", models.CharField(max_length=16)),
                (
                    "mapping",
                    models.JSONField(
                        default=dict, help_text="what the file calls things → what the protocol does"
                    ),
                ),
                ("file_title", models.CharField(help_text="what the file was called", max_length=255)),
                (
                    "file_name",
                    models.CharField(default="", help_text="in the file store; empty: gone", max_length=255),
                ),
                (
                    "file_digest",
                    models.CharField(default="", help_text="SHA-256 of the file as it came", max_length=64),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "Being checked"),
                            ("checked", "Waits for your word"),
                            ("writing", "Being written"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("discarded", "Discarded"),
                        ],
                        default="checking",
                        max_length=16,
                    ),
                ),
                (
                    "counts",
                    models.JSONField(
                        default=dict, help_text="readings by what becomes of them; files, statements"
                    ),
                ),
                (
                    "lines",
                    models.JSONField(
                        default=list, help_text="[place in the file, case, outcome, what to do]"
                    ),
                ),
                ("error", models.CharField(default="", max_length=500)),
                ("job_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_imports",
                        to="annotation.project",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="label_import_newest")],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(choices=[("reader", "Reader"), ("ml_staff", "ML staff")], max_length=16),
                ),
                (
                    "adjudicates",
                    models.BooleanField(
                        default=False,
                        help_text="decides on cases whose readers differ, except those that they read",
                    ),
                ),
                (
                    "skills",
                    models.JSONField(blank=True, default=list, help_text="tags: subspecialties and the like"),
                ),
                (
                    "target_cases",
                    models.PositiveIntegerField(blank=True, help_text="to be read by due_on", null=True),
                ),
                ("due_on", models.DateField(blank=True, null=True)),
                (
                    "open_cases",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="held at once, at most", null=True
                    ),
                ),
                (
                    "weekly_cases",
                    models.PositiveIntegerField(
                        blank=True, help_text="from Monday to Sunday, UTC", null=True
                    ),
                ),
                (
                    "weekly_hours",
                    models.FloatField(
                        blank=True, help_text="of expert time, Monday to Sunday, UTC", null=True
                    ),
                ),
                (
                    "paused_at",
                    models.DateTimeField(blank=True, help_text="gets no case since then", null=True),
                ),
                ("away_from", models.DateField(blank=True, null=True)),
                ("away_until", models.DateField(blank=True, help_text="the last day away", null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="annotation.project",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("project", "user"), name="membership_once")],
            },
        ),
        migrations.CreateModel(
            name="Peer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("ae_title", models.CharField(blank=True, default="", max_length=16)),
                (
                    "host",
                    models.CharField(blank=True, default="", help_text="name or address", max_length=255),
                ),
                ("port", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "dicomweb_url",
                    models.CharField(
                        blank=True, default="", help_text="root of its services", max_length=500
                    ),
                ),
                (
                    "user_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="empty: the secret is a bearer token",
                        max_length=128,
                    ),
                ),
                ("secret", models.TextField(blank=True, default="", help_text="password or token, sealed")),
                ("sends", models.BooleanField(default=False, help_text="may send to us by C-STORE")),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        help_text="what it sends goes there",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="senders",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("sends", True)),
                        fields=("ae_title",),
                        name="sender_known_by_title",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PixelHead",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "question",
                    models.CharField(help_text="key of the question that it answers", max_length=64),
                ),
                ("kind", models.CharField(help_text="segmentation, or the regions' shape", max_length=16)),
                ("number", models.PositiveIntegerField()),
                ("classes", models.JSONField()),
                ("artefact_name", models.CharField(max_length=255)),
                ("artefact_digest", models.CharField(max_length=64)),
                (
                    "case_count",
                    models.PositiveIntegerField(help_text="read cases of the pool that it learned from"),
                ),
                ("quality", models.JSONField(default=dict)),
                (
                    "job_id",
                    models.UUIDField(help_text="the job that made it: a job makes one head a question"),
                ),
                ("seconds", models.FloatField()),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pixel_heads",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["project", "question", "-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "question", "number"), name="pixel_head_number_once"
                    ),
                    models.UniqueConstraint(fields=("job_id", "question"), name="pixel_head_job_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "part",
                    models.CharField(
                        choices=[("train", "Training"), ("val", "Validation"), ("test", "Test")], max_length=8
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("given", "The delivery's table"),
                            ("audit", "Audit stream"),
                            ("alike", "Near-duplicates of a patient there"),
                            ("drawn", "Drawn"),
                        ],
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="placements",
                        to="annotation.patient",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="placements",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "patient"), name="placement_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Protocol",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("version", models.PositiveIntegerField()),
                ("questions", models.JSONField()),
                ("settings", models.JSONField(blank=True, default=dict)),
                (
                    "changes",
                    models.TextField(
                        blank=True, default="", help_text="from the version before, a line each"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="protocols",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["project", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "version"), name="protocol_version_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Qualification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("has_passed", models.BooleanField(help_text="null: not settled", null=True)),
                ("asked_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualifications",
                        to="annotation.project",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="qualifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "waived_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "reader"), name="qualification_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="QueryBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("why", models.CharField(help_text="what readers are told", max_length=200)),
                ("size", models.PositiveIntegerField(help_text="cases that it put at the front")),
                (
                    "required_skills",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="tags that its readers must have, sorted, parted by |",
                        max_length=300,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="query_batches",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "query batches",
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="query_batch_newest")],
            },
        ),
        migrations.CreateModel(
            name="SimilaritySearch",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("like", models.JSONField(help_text="numbers of the example cases")),
                ("unlike", models.JSONField(default=list, help_text="numbers of cases that are not meant")),
                (
                    "hits",
                    models.JSONField(
                        help_text="[[case number, similarity], …], most alike first; null until found",
                        null=True,
                    ),
                ),
                (
                    "searched",
                    models.PositiveIntegerField(default=0, help_text="unread cases that it went through"),
                ),
                ("seconds", models.FloatField(null=True)),
                ("job_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="searches",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "similarity searches",
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="search_newest")],
            },
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("labels", "Labels that a model learned from"),
                            ("project", "All readings and reference standards"),
                        ],
                        default="labels",
                        max_length=16,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("label_count", models.PositiveIntegerField()),
                (
                    "card",
                    models.JSONField(
                        default=dict, help_text="data card: what is in it, told by its content alone"
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                (
                    "erased_members",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="cases of erased patients that were in it; its file is gone since the first",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["project", "kind", "-created_at"], name="snapshot_newest")],
                "constraints": [models.UniqueConstraint(fields=("project", "digest"), name="snapshot_once")],
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=128)),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("kept", "Kept beside the readers', nothing more"),
                            ("training", "Models learn from them, in the pool"),
                            ("reference", "Models learn from them and are judged by them"),
                        ],
                        default="kept",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["project", "name"],
                "constraints": [models.UniqueConstraint(fields=("project", "name"), name="source_once")],
            },
        ),
        migrations.CreateModel(
            name="Study",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("study_instance_uid", models.CharField(max_length=64)),
                (
                    "study_date",
                    models.CharField(
                        default="", help_text="DA, shifted like all of the patient's", max_length=8
                    ),
                ),
                ("study_time", models.CharField(default="", help_text="TM", max_length=16)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="studies",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="studies",
                        to="annotation.patient",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "studies",
                "indexes": [
                    models.Index(fields=["dataset", "study_date", "study_instance_uid"], name="study_by_date")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "study_instance_uid"), name="study_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingRun",
            fields=[
                ("job_id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=32)),
                ("settings", models.JSONField(default=dict)),
                ("history", models.JSONField(default=list, help_text='[{"epoch", "loss", …}, …]')),
                ("result", models.JSONField(default=dict)),
                (
                    "samples",
                    models.JSONField(
                        default=list,
                        help_text='[{"seconds", "memory_mb", "gpu_memory_mb", "gpu_percent"}, …]',
                    ),
                ),
                ("checkpoint_name", models.CharField(default="", max_length=255)),
                ("checkpoint_digest", models.CharField(default="", max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="policy",
                        serialize=False,
                        to="annotation.project",
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("power_margin", "Power-margin: uncertain cases, kept diverse by a random draw"),
                            ("margin", "Margin: the cases first whose two likeliest answers are closest"),
                            (
                                "entropy",
                                "Entropy: the cases first whose prediction is spread over most answers",
                            ),
                            ("bald", "BALD: cases about which ten models, each of other readings, disagree"),
                            (
                                "laplace_bald",
                                "BALD, Laplace: cases about which likely variants of one model disagree",
                            ),
                            ("badge", "BADGE: batches of uncertain cases that differ from each other"),
                            (
                                "class_threshold",
                                "Class threshold: cases at the edge of each answer, rare answers more often; for long tails",
                            ),
                            (
                                "typiclust",
                                "Typical cases: the middle of each group of images that has no reading yet",
                            ),
                            ("probcover", "ProbCover: cases that look like as many others as possible"),
                            ("core_set", "Core-set: cases that look least like anything read so far"),
                            ("random", "Random: every case equally likely"),
                            (
                                "random_by_site",
                                "Random by scanner: each scanner's cases alike, small scanners more often than their size",
                            ),
                        ],
                        default="power_margin",
                        max_length=32,
                    ),
                ),
                (
                    "refit_every",
                    models.PositiveIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "batch_size",
                    models.PositiveIntegerField(
                        default=10,
                        help_text="cases that are chosen to go together",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500),
                        ],
                    ),
                ),
                (
                    "audit_share",
                    models.FloatField(
                        default=0.125,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(0.5),
                        ],
                    ),
                ),
                (
                    "class_quota",
                    models.BooleanField(
                        default=True, help_text="whether rarely labelled classes get more places"
                    ),
                ),
                (
                    "site_quota",
                    models.BooleanField(default=True, help_text="whether small scanners get more places"),
                ),
                (
                    "cost_power",
                    models.FloatField(
                        blank=True,
                        help_text="score ** this / expected seconds; empty: time is left out",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.1),
                            django.core.validators.MaxValueValidator(4.0),
                        ],
                    ),
                ),
                (
                    "logit_adjustment",
                    models.BooleanField(
                        default=True,
                        help_text="class imbalance by logit adjustment (Menon 2021) instead of weights",
                    ),
                ),
                ("seed", models.PositiveIntegerField(default=0)),
                (
                    "train_labels",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="new labels after which the encoder is fine-tuned; empty: never by itself",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(20),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                    ),
                ),
                (
                    "train_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="days after which it is, where there are new labels; empty: never by itself",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "drift_limit",
                    models.FloatField(
                        blank=True,
                        help_text="it is, where new images can be told from labelled ones better than this; empty: never",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.55),
                            django.core.validators.MaxValueValidator(0.99),
                        ],
                    ),
                ),
                (
                    "budget_hours",
                    models.FloatField(
                        blank=True,
                        help_text="expert hours that the project may spend; empty: not set",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.1),
                            django.core.validators.MaxValueValidator(100000.0),
                        ],
                    ),
                ),
                (
                    "share_labels",
                    models.BooleanField(
                        default=False,
                        help_text="whether encoders of other projects may learn from this project's labels",
                    ),
                ),
                (
                    "encoder",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.encoder",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
            },
        ),
        migrations.CreateModel(
            name="Split",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="division",
                        serialize=False,
                        to="annotation.project",
                    ),
                ),
                ("seed", models.PositiveIntegerField(default=0)),
                ("val_share", models.FloatField(default=0.15, help_text="of the patients, 0 – 1")),
                (
                    "test_share",
                    models.FloatField(
                        default=0.15, help_text="of the patients, 0 – 1; the rest is for training"
                    ),
                ),
                ("likeness", models.FloatField(help_text="cosine from which two images are near-duplicates")),
                (
                    "figures",
                    models.JSONField(default=dict, help_text="what the newest run placed, and what it found"),
                ),
                ("placed_at", models.DateTimeField(help_text="when it last ran", null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="numbers of the models, ascending, with commas between", max_length=64
                    ),
                ),
                (
                    "cases",
                    models.PositiveIntegerField(
                        help_text="of the audit stream, that all of them were judged on"
                    ),
                ),
                ("figures", models.JSONField()),
                ("job_id", models.UUIDField(unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comparisons",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [models.UniqueConstraint(fields=("project", "key"), name="comparison_once")],
            },
        ),
        migrations.CreateModel(
            name="ModelVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "origin",
                    models.CharField(
                        choices=[("refit", "Heads fitted"), ("train", "Encoder and heads trained")],
                        default="refit",
                        max_length=16,
                    ),
                ),
                ("classes", models.JSONField()),
                ("artefact_name", models.CharField(max_length=255)),
                ("artefact_digest", models.CharField(max_length=64)),
                (
                    "label_count",
                    models.PositiveIntegerField(
                        help_text="reference standards of the pool that it learned from"
                    ),
                ),
                (
                    "job_id",
                    models.UUIDField(help_text="the job that made it: a job makes one version", unique=True),
                ),
                ("seconds", models.FloatField()),
                ("created_at", models.DateTimeField()),
                (
                    "encoder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="models",
                        to="annotation.encoder",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="models",
                        to="annotation.project",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="models",
                        to="annotation.snapshot",
                    ),
                ),
            ],
            options={
                "ordering": ["project", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "number"), name="model_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("series_instance_uid", models.CharField(max_length=64)),
                ("modality", models.CharField(default="", max_length=16)),
                ("body_part_examined", models.CharField(default="", max_length=64)),
                ("manufacturer", models.CharField(default="", max_length=64)),
                ("manufacturer_model_name", models.CharField(default="", max_length=64)),
                (
                    "magnetic_field_strength",
                    models.CharField(default="", help_text="DS, in tesla", max_length=16),
                ),
                ("convolution_kernel", models.CharField(default="", max_length=64)),
                (
                    "site",
                    models.CharField(
                        default="", help_text="as an administrator named the delivery's", max_length=64
                    ),
                ),
                ("series_number", models.IntegerField(default=0)),
                ("series_date", models.CharField(default="", help_text="DA, shifted", max_length=8)),
                ("series_time", models.CharField(default="", help_text="TM", max_length=16)),
                (
                    "content_digest",
                    models.CharField(
                        default="",
                        help_text="SHA-256 over its instances' digests in SOP Instance UID order",
                        max_length=64,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="series",
                        to="annotation.study",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "series",
                "indexes": [
                    models.Index(
                        fields=["study", "series_number", "series_instance_uid"], name="series_by_number"
                    ),
                    models.Index(fields=["series_instance_uid"], name="series_by_uid"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("study", "series_instance_uid"), name="series_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Pull",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "wanted",
                    models.TextField(
                        default="",
                        help_text="Study Instance UIDs as the peer has them, sealed; emptied when all are fetched",
                    ),
                ),
                ("studies", models.PositiveIntegerField(help_text="how many were picked")),
                ("created_at", models.DateTimeField()),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pull",
                        to="annotation.import",
                    ),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="pulls",
                        to="annotation.peer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RunLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("event", models.CharField(max_length=64)),
                ("values", models.JSONField(default=dict)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="annotation.trainingrun",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "stream",
                    models.CharField(
                        choices=[("pool", "Pool"), ("audit", "Audit stream"), ("held_out", "Held out")],
                        max_length=16,
                    ),
                ),
                (
                    "split",
                    models.CharField(default="", help_text="as the delivery's table gave it", max_length=16),
                ),
                (
                    "part",
                    models.CharField(
                        choices=[("train", "Training"), ("val", "Validation"), ("test", "Test")],
                        default="",
                        help_text="of the project's split; empty: not placed",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "acquisition",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cases",
                        to="annotation.acquisition",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cases",
                        to="annotation.project",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="annotation.patient",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="annotation.series",
                    ),
                ),
            ],
            options={
                "ordering": ["project", "number"],
                "indexes": [
                    models.Index(fields=["project", "stream"], name="case_stream"),
                    models.Index(fields=["project", "acquisition", "number"], name="case_acquisition"),
                    models.Index(fields=["project", "part", "number"], name="case_part"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("project", "series"), name="case_once"),
                    models.UniqueConstraint(fields=("project", "number"), name="case_number_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="evaluation",
                        serialize=False,
                        to="annotation.modelversion",
                    ),
                ),
                ("case_count", models.PositiveIntegerField()),
                ("metrics", models.JSONField()),
                (
                    "reason",
                    models.CharField(default="", help_text="why there are no metrics yet", max_length=255),
                ),
                (
                    "advice",
                    models.JSONField(
                        default=dict, help_text="what tells when to stop: stability, uncertainty, forecast"
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="ModelCard",
            fields=[
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="card",
                        serialize=False,
                        to="annotation.modelversion",
                    ),
                ),
                ("content", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="EmbeddingMap",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("method", models.CharField(choices=[("pca", "PCA"), ("umap", "UMAP")], max_length=8)),
                ("file_name", models.CharField(max_length=255)),
                ("file_digest", models.CharField(max_length=64)),
                ("case_count", models.PositiveIntegerField()),
                ("sites", models.JSONField(default=list, help_text="names of the sites, by number")),
                ("classes", models.JSONField(default=list, help_text="class values, by number")),
                ("facts", models.JSONField(default=dict, help_text="variance explained, seconds")),
                ("job_id", models.UUIDField(unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="maps",
                        to="annotation.project",
                    ),
                ),
                (
                    "encoder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.encoder"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="annotation.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "method", "-created_at"], name="map_newest")],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("format", models.CharField(max_length=32)),
                ("job_id", models.UUIDField(null=True)),
                (
                    "file_name",
                    models.CharField(
                        default="", help_text="in the file store; empty: none (yet)", max_length=255
                    ),
                ),
                ("file_digest", models.CharField(default="", max_length=64)),
                ("file_bytes", models.BigIntegerField(default=0)),
                (
                    "report",
                    models.JSONField(default=dict, help_text="what is in it, and what was left out and why"),
                ),
                ("created_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(help_text="when the sweep deleted its file", null=True)),
                (
                    "model",
                    models.ForeignKey(
                        help_text="the version that is taken out; its snapshot is what it learned from",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="annotation.modelversion",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="annotation.project",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        help_text="none until its job has frozen one",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to="annotation.snapshot",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["project", "-created_at"], name="export_newest"),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False), ("removed_at", None)),
                        fields=["expires_at"],
                        name="export_expiry",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Instance",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("sop_instance_uid", models.CharField(max_length=64)),
                ("sop_class_uid", models.CharField(max_length=64)),
                ("instance_number", models.IntegerField(default=0)),
                (
                    "digest",
                    models.CharField(db_index=True, help_text="SHA-256 of the stored file", max_length=64),
                ),
                (
                    "source_digest",
                    models.CharField(help_text="keyed digest of the file as it came", max_length=64),
                ),
                (
                    "original_bytes",
                    models.BigIntegerField(
                        help_text="bytes of the file as it came, sealed; null where it is not kept", null=True
                    ),
                ),
                ("frames", models.PositiveIntegerField(default=1)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("columns", models.PositiveIntegerField(default=0)),
                ("bits_allocated", models.PositiveSmallIntegerField(default=0)),
                (
                    "pixel_offset",
                    models.BigIntegerField(
                        help_text="byte at which the first frame starts in the stored file"
                    ),
                ),
                ("frame_bytes", models.BigIntegerField(help_text="bytes of one frame")),
                ("attributes", models.JSONField(help_text="what a viewer needs, by DICOM keyword")),
                ("stored_at", models.DateTimeField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instances",
                        to="annotation.dataset",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instances",
                        to="annotation.series",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["series", "instance_number", "sop_instance_uid"], name="instance_by_number"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "sop_instance_uid"), name="instance_once"),
                    models.UniqueConstraint(fields=("dataset", "source_digest"), name="instance_source_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Promotion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("gate", "Gate"), ("choice", "Chosen by hand"), ("rollback", "Rolled back")],
                        max_length=16,
                    ),
                ),
                ("promoted", models.BooleanField()),
                ("reason", models.CharField(max_length=500)),
                (
                    "comparison",
                    models.JSONField(
                        default=dict, help_text="candidate against champion on the audit stream"
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "encoder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="annotation.encoder"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="promotions",
                        to="annotation.modelversion",
                    ),
                ),
                (
                    "previous",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.encoder",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="promotions",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="promotion_project")],
            },
        ),
        migrations.CreateModel(
            name="Ranking",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("job_id", models.UUIDField(unique=True)),
                ("strategy", models.CharField(max_length=32)),
                ("seed", models.BigIntegerField()),
                ("pool_size", models.PositiveIntegerField()),
                ("label_count", models.PositiveIntegerField(help_text="submitted readings that it knew of")),
                ("created_at", models.DateTimeField()),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rankings",
                        to="annotation.modelversion",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rankings",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["project", "-created_at"], name="ranking_newest")],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("slot", models.PositiveSmallIntegerField(default=0)),
                ("position", models.BigIntegerField(help_text="order in which the reader gets it")),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ending",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("skipped", "Skipped"),
                            ("given_back", "Given back"),
                            ("expired", "Expired"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="annotation.case",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="annotation.project",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["reader", "project"],
                        name="lease_open",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None)), fields=["expires_at"], name="lease_expiry"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("case", "slot"),
                        name="lease_one_open_a_slot",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GoldCase",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="gold",
                        serialize=False,
                        to="annotation.case",
                    ),
                ),
                (
                    "answers",
                    models.JSONField(help_text="the reference standard as it stood when it was made gold"),
                ),
                ("measurements", models.JSONField(default=dict)),
                ("protocol_version", models.PositiveIntegerField(help_text="what the answers are to")),
                (
                    "comment",
                    models.CharField(
                        blank=True, default="", help_text="shown after practice", max_length=1000
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gold_cases",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["project", "-created_at"], name="gold_newest")],
            },
        ),
        migrations.CreateModel(
            name="ReferenceStandard",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="reference",
                        serialize=False,
                        to="annotation.case",
                    ),
                ),
                ("answers", models.JSONField()),
                ("readings", models.PositiveIntegerField()),
                (
                    "uncertainty",
                    models.JSONField(
                        default=dict, help_text="what fusing several readings left of doubt, by question"
                    ),
                ),
                (
                    "provenance",
                    models.CharField(
                        choices=[("fused", "Fused from the readings"), ("adjudicated", "Adjudicated")],
                        default="fused",
                        max_length=16,
                    ),
                ),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "reference standards",
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waits for an adjudicator"),
                            ("returned", "With its readers again"),
                            ("decided", "Decided"),
                            ("agreed", "Its readers agree"),
                            ("withdrawn", "Not adjudicated any more"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="grows with each act, and as readings change"
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        blank=True, default="", help_text="of the revisions in force", max_length=64
                    ),
                ),
                (
                    "keys",
                    models.JSONField(
                        help_text="questions that readers answer too differently, in the protocol's order"
                    ),
                ),
                (
                    "awaited",
                    models.JSONField(
                        default=dict,
                        help_text="readings that are to be answered, and their revision then; by id",
                    ),
                ),
                (
                    "shown",
                    models.JSONField(
                        default=dict,
                        help_text="who was shown the model's answer, when, and which; by user id",
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispute",
                        to="annotation.case",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="disputes",
                        to="annotation.project",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["project", "state", "opened_at"], name="dispute_list")],
            },
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        help_text="grows with each save; an older one never overwrites a newer"
                    ),
                ),
                (
                    "protocol_version",
                    models.PositiveIntegerField(help_text="what the answers are to", null=True),
                ),
                ("answers", models.JSONField(default=dict)),
                ("seconds", models.FloatField(default=0.0)),
                ("updated_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="annotation.case",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("case", "reader"), name="draft_once")],
            },
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("group", models.PositiveIntegerField(help_text="from 1, the most alike first")),
                ("likeness", models.FloatField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.case"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="annotation.duplicatesearch",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["search", "group"], name="duplicate_group")],
                "constraints": [models.UniqueConstraint(fields=("search", "case"), name="duplicate_once")],
            },
        ),
        migrations.CreateModel(
            name="JudgedCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "choice",
                    models.CharField(
                        default="", help_text="the finding, where several can be given", max_length=128
                    ),
                ),
                ("truth", models.CharField(max_length=128)),
                ("thought", models.CharField(max_length=128)),
                ("share", models.FloatField(help_text="how likely the model thinks what it says")),
                ("truth_share", models.FloatField(help_text="how likely it thinks what the readers said")),
                ("scanner", models.CharField(default="", max_length=160)),
                ("site", models.CharField(default="", max_length=64)),
                ("is_right", models.BooleanField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotation.case"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="judged",
                        to="annotation.modelversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["model", "is_right", "-share"], name="judged_surest"),
                    models.Index(fields=["model", "truth", "thought", "-share"], name="judged_cell"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "case", "choice"), name="judged_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", models.CharField(help_text="relative to the delivery's root", max_length=1024)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("stored", "Stored"),
                            ("duplicate", "Already there"),
                            ("quarantined", "Quarantined"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(default="", max_length=255)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="annotation.import",
                    ),
                ),
                (
                    "instance",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="arrivals",
                        to="annotation.instance",
                    ),
                ),
                (
                    "quarantined_file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="arrivals",
                        to="annotation.quarantinedfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "path"), name="file_once_a_delivery")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="annotation.case",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="annotation.source",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["reader", "-updated_at"], name="reading_last")],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "reader"), name="reading_once"),
                    models.UniqueConstraint(fields=("case", "source"), name="sourced_reading_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reader__isnull", False), ("source__isnull", True)),
                            models.Q(("reader__isnull", True), ("source__isnull", False)),
                            _connector="OR",
                        ),
                        name="reading_of_one_author",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RegionSuggestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("question", models.CharField(max_length=64)),
                (
                    "answer",
                    models.JSONField(help_text="a mask, or a list of regions; {} or []: nothing was found"),
                ),
                (
                    "scores",
                    models.JSONField(
                        default=dict, help_text="how sure, 0 – 1, of each region by its id; of a mask as mask"
                    ),
                ),
                ("score", models.FloatField(help_text="mean of the scores; 0 where nothing was found")),
                ("created_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="region_suggestions",
                        to="annotation.case",
                    ),
                ),
                (
                    "head",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suggestions",
                        to="annotation.pixelhead",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["case", "question", "-created_at"], name="region_suggestion_newest")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "question", "head"), name="region_suggestion_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("comment", "Comment"), ("flag", "Flag"), ("question", "Question")],
                        max_length=16,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("important", "Somebody should act on a finding"),
                            ("wrong_data", "Images do not belong together"),
                            ("burned_in_text", "Patient details visible"),
                            ("teaching", "Good for teaching"),
                            ("unsure", "Not sure of the answer"),
                            ("other", "Other"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("text", models.CharField(blank=True, default="", max_length=1000)),
                ("reply", models.CharField(blank=True, default="", max_length=1000)),
                ("replied_at", models.DateTimeField(null=True)),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remarks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remarks",
                        to="annotation.case",
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        help_text="who is asked",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="asked",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("author", "idempotency_key"), name="remark_idempotent")
                ],
            },
        ),
        migrations.CreateModel(
            name="Repeat",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("due_at", models.DateTimeField()),
                ("given_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(help_text="read again, or passed on", null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="repeats",
                        to="annotation.case",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="repeats",
                        to="annotation.project",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="repeats",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None)),
                        fields=["reader", "project", "due_at"],
                        name="repeat_due",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("case", "reader"), name="repeat_once")],
            },
        ),
        migrations.CreateModel(
            name="Sending",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("peer_name", models.CharField(help_text="what the peer was called then", max_length=64)),
                (
                    "way",
                    models.CharField(
                        choices=[("stow", "DICOMweb (STOW-RS)"), ("c_store", "DIMSE (C-STORE)")],
                        max_length=16,
                    ),
                ),
                (
                    "results",
                    models.JSONField(default=dict, help_text='file → "" where it was taken, else why not'),
                ),
                ("error", models.CharField(default="", max_length=255)),
                ("job_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="annotation.export",
                    ),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="annotation.peer",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Skip",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("quality", "Image quality too poor"),
                            ("wrong_examination", "Not the examination asked about"),
                            ("outside_expertise", "Outside my expertise"),
                            ("burned_in_text", "Patient details visible"),
                            ("incomplete", "Images are missing"),
                            ("other", "Other"),
                        ],
                        max_length=32,
                    ),
                ),
                ("comment", models.CharField(blank=True, default="", max_length=500)),
                (
                    "is_final",
                    models.BooleanField(default=False, help_text="nobody can read the case: it is set aside"),
                ),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skips",
                        to="annotation.case",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "reader"), name="skip_once"),
                    models.UniqueConstraint(fields=("reader", "idempotency_key"), name="skip_idempotent"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="entry",
                        serialize=False,
                        to="annotation.case",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("leased", "Being read"),
                            ("done", "Read"),
                            ("set_aside", "Set aside"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("rank", models.PositiveIntegerField(default=2147483647)),
                (
                    "shuffle",
                    models.PositiveIntegerField(help_text="random order of what no ranking has reached yet"),
                ),
                ("score", models.FloatField(null=True)),
                ("draw_probability", models.FloatField(null=True)),
                ("reason", models.CharField(default="unranked", max_length=32)),
                (
                    "probabilities",
                    models.JSONField(help_text="the model's mean prediction, by class value", null=True),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        help_text="rank 0 while it waits",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="entries",
                        to="annotation.querybatch",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="annotation.project",
                    ),
                ),
                (
                    "ranking",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="annotation.ranking",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "entries",
                "indexes": [
                    models.Index(fields=["project", "state", "rank", "shuffle"], name="entry_next"),
                    models.Index(
                        condition=models.Q(("batch", None), _negated=True),
                        fields=["batch"],
                        name="entry_of_batch",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pick",
            fields=[
                (
                    "lease",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pick",
                        serialize=False,
                        to="annotation.lease",
                    ),
                ),
                ("stream", models.CharField(max_length=16)),
                ("reason", models.CharField(max_length=32)),
                ("rank", models.PositiveIntegerField()),
                ("score", models.FloatField(null=True)),
                ("draw_probability", models.FloatField(null=True)),
                ("probabilities", models.JSONField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="picks",
                        to="annotation.querybatch",
                    ),
                ),
                (
                    "ranking",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="picks",
                        to="annotation.ranking",
                    ),
                ),
            ],
            options={
                "ordering": ["lease"],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("taken", "Answers of readers were taken"),
                            ("edited", "Answered anew"),
                            ("returned", "Sent back for consensus"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "taken",
                    models.JSONField(
                        default=dict, help_text="whose answer was taken: reading id, by question"
                    ),
                ),
                ("answers", models.JSONField(default=dict, help_text="what became the reference standard")),
                ("measurements", models.JSONField(default=dict)),
                (
                    "comment",
                    models.CharField(
                        blank=True, default="", help_text="what readers are told", max_length=1000
                    ),
                ),
                ("seconds", models.FloatField(default=0.0, help_text="expert time, idle time left out")),
                (
                    "suggestion",
                    models.JSONField(help_text="what the model had shown, if anything", null=True),
                ),
                (
                    "sent",
                    models.JSONField(
                        help_text="whose answers were asked for: letters, by question", null=True
                    ),
                ),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="annotation.dispute",
                    ),
                ),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.protocol",
                    ),
                ),
            ],
            options={
                "ordering": ["dispute", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("dispute", "number"), name="decision_once"),
                    models.UniqueConstraint(fields=("by", "idempotency_key"), name="decision_idempotent"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RepeatRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("answers", models.JSONField()),
                ("measurements", models.JSONField(default=dict)),
                ("seconds", models.FloatField(help_text="expert time, idle time left out")),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.protocol",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "repeat",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="annotation.repeat",
                    ),
                ),
            ],
            options={
                "ordering": ["repeat", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("repeat", "number"), name="repeat_revision_once"),
                    models.UniqueConstraint(
                        fields=("reader", "idempotency_key"), name="repeat_revision_idempotent"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("answers", models.JSONField()),
                (
                    "measurements",
                    models.JSONField(
                        default=dict, help_text="what the server measured and computed of the answers"
                    ),
                ),
                ("seconds", models.FloatField(help_text="expert time, idle time left out")),
                (
                    "suggestion",
                    models.JSONField(help_text="what the model had shown the reader, if anything", null=True),
                ),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.protocol",
                    ),
                ),
                (
                    "reader",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reading",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="annotation.reading",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="annotation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["reading", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("suggestion__isnull", False)),
                        fields=["-created_at"],
                        name="revision_suggested",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reading", "number"), name="revision_once"),
                    models.UniqueConstraint(fields=("reader", "idempotency_key"), name="revision_idempotent"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reader__isnull", False), ("source__isnull", True)),
                            models.Q(("reader__isnull", True), ("source__isnull", False)),
                            _connector="OR",
                        ),
                        name="revision_of_one_author",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GoldReading",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[("practice", "Practice, with feedback"), ("test", "Qualification test")],
                        max_length=8,
                    ),
                ),
                ("attempt", models.PositiveIntegerField()),
                ("answers", models.JSONField()),
                ("seconds", models.FloatField()),
                (
                    "differs_in",
                    models.JSONField(
                        help_text="keys of the questions on which it differs from the reference"
                    ),
                ),
                ("is_right", models.BooleanField()),
                ("idempotency_key", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gold_readings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "gold",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readings",
                        to="annotation.goldcase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("gold", "reader"), name="gold_reading_once"),
                    models.UniqueConstraint(
                        fields=("reader", "idempotency_key"), name="gold_reading_idempotent"
                    ),
                ],
            },
        ),
    ]
