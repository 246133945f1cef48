"""Facts about what was learned: encoders, snapshots, model versions, evaluations, runs, policy. No maths."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from annotation.projects.models import Project
from annotation.studies.models import Dataset


class Encoder(models.Model):
    """A frozen network that turns an image into a vector, named by its digest (weights and preprocessing)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.PROTECT, related_name="encoders")
    name = models.CharField(max_length=128)
    digest = models.CharField(max_length=64)
    dimension = models.PositiveIntegerField()
    preprocessing = models.JSONField()
    weights_name = models.CharField(max_length=255, help_text="safetensors in the file store")
    report = models.JSONField(default=dict, help_text="what its training bought, measured")
    licence = models.CharField(
        max_length=128, default="", help_text="of the weights, as their source states it"
    )
    source = models.CharField(max_length=255, default="", help_text="where the weights come from")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["dataset", "digest"], name="encoder_once")]

    def __str__(self) -> str:
        return self.name


class Policy(models.Model):
    """How a project's queue and models are driven."""

    class Strategy(models.TextChoices):
        """Acquisition functions on offer, each with its explanation behind the colon."""

        POWER_MARGIN = "power_margin", "Power-margin: uncertain cases, kept diverse by a random draw"
        MARGIN = "margin", "Margin: the cases first whose two likeliest answers are closest"
        ENTROPY = "entropy", "Entropy: the cases first whose prediction is spread over most answers"
        BALD = "bald", "BALD: cases about which ten models, each of other readings, disagree"
        LAPLACE_BALD = (
            "laplace_bald",
            "BALD, Laplace: cases about which likely variants of one model disagree",
        )
        BADGE = "badge", "BADGE: batches of uncertain cases that differ from each other"
        CLASS_THRESHOLD = (
            "class_threshold",
            "Class threshold: cases at the edge of each answer, rare answers more often; for long tails",
        )
        TYPICLUST = "typiclust", "Typical cases: the middle of each group of images that has no reading yet"
        PROBCOVER = "probcover", "ProbCover: cases that look like as many others as possible"
        CORE_SET = "core_set", "Core-set: cases that look least like anything read so far"
        RANDOM = "random", "Random: every case equally likely"
        RANDOM_BY_SITE = (
            "random_by_site",
            "Random by scanner: each scanner's cases alike, small scanners more often than their size",
        )

    project = models.OneToOneField(Project, primary_key=True, on_delete=models.CASCADE, related_name="policy")
    strategy = models.CharField(max_length=32, choices=Strategy.choices, default=Strategy.POWER_MARGIN)
    refit_every = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    batch_size = models.PositiveIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(500)],
        help_text="cases that are chosen to go together",
    )
    audit_share = models.FloatField(
        default=0.125, validators=[MinValueValidator(0.0), MaxValueValidator(0.5)]
    )
    class_quota = models.BooleanField(
        default=True, help_text="whether rarely labelled classes get more places"
    )
    site_quota = models.BooleanField(default=True, help_text="whether small scanners get more places")
    cost_power = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1), MaxValueValidator(4.0)],
        help_text="score ** this / expected seconds; empty: time is left out",
    )
    logit_adjustment = models.BooleanField(
        default=True, help_text="class imbalance by logit adjustment (Menon 2021) instead of weights"
    )
    encoder = models.ForeignKey(Encoder, null=True, on_delete=models.PROTECT, related_name="+")
    seed = models.PositiveIntegerField(default=0)
    train_labels = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(20), MaxValueValidator(100_000)],
        help_text="new labels after which the encoder is fine-tuned; empty: never by itself",
    )
    train_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="days after which it is, where there are new labels; empty: never by itself",
    )
    drift_limit = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.55), MaxValueValidator(0.99)],
        help_text="it is, where new images can be told from labelled ones better than this; empty: never",
    )
    budget_hours = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1), MaxValueValidator(100_000.0)],
        help_text="expert hours that the project may spend; empty: not set",
    )
    share_labels = models.BooleanField(
        default=False, help_text="whether encoders of other projects may learn from this project's labels"
    )

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.strategy


class Snapshot(models.Model):
    """What a model learned from, or all that a project knows, frozen: content-addressed, never changed."""

    class Kind(models.TextChoices):
        """What it holds."""

        LABELS = "labels", "Labels that a model learned from"
        PROJECT = "project", "All readings and reference standards"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="snapshots")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.LABELS)
    digest = models.CharField(max_length=64)
    label_count = models.PositiveIntegerField()
    card = models.JSONField(default=dict, help_text="data card: what is in it, told by its content alone")
    file_name = models.CharField(max_length=255)
    erased_members = models.PositiveIntegerField(
        default=0, help_text="cases of erased patients that were in it; its file is gone since the first"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="snapshot_once")]
        indexes = [models.Index(fields=["project", "kind", "-created_at"], name="snapshot_newest")]

    def __str__(self) -> str:
        return self.digest[:12]


class ModelVersion(models.Model):
    """An immutable artefact, named by its SHA-256, with the snapshot and the encoder it came from."""

    class Origin(models.TextChoices):
        """What made it: a refit's version is in use at once, a training's stands before the gate."""

        REFIT = "refit", "Heads fitted"
        TRAIN = "train", "Encoder and heads trained"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="models")
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.REFIT)
    encoder = models.ForeignKey(Encoder, on_delete=models.PROTECT, related_name="models")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="models")
    classes = models.JSONField()
    artefact_name = models.CharField(max_length=255)
    artefact_digest = models.CharField(max_length=64)
    label_count = models.PositiveIntegerField(
        help_text="reference standards of the pool that it learned from"
    )
    job_id = models.UUIDField(unique=True, help_text="the job that made it: a job makes one version")
    seconds = models.FloatField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["project", "-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="model_number_once")]

    def __str__(self) -> str:
        return f"model {self.number}"


class Evaluation(models.Model):
    """How a model version did on the audit stream.

    metrics: {name: {"value", "low", "high"}}, the interval 95 %, by bootstrap over patients or Wilson's.
    """

    model = models.OneToOneField(
        ModelVersion, primary_key=True, on_delete=models.CASCADE, related_name="evaluation"
    )
    case_count = models.PositiveIntegerField()
    metrics = models.JSONField()
    reason = models.CharField(max_length=255, default="", help_text="why there are no metrics yet")
    advice = models.JSONField(
        default=dict, help_text="what tells when to stop: stability, uncertainty, forecast"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"evaluation of {self.model_id}"


class ModelCard(models.Model):
    """What a model version is, learned from and was found to do; written once, with the version."""

    model = models.OneToOneField(
        ModelVersion, primary_key=True, on_delete=models.CASCADE, related_name="card"
    )
    content = models.JSONField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"card of {self.model_id}"


class Promotion(models.Model):
    """A decision about which encoder a project uses: the gate's, or a person's."""

    class Kind(models.TextChoices):
        """Who decided, and what."""

        GATE = "gate", "Gate"
        CHOICE = "choice", "Chosen by hand"
        ROLLBACK = "rollback", "Rolled back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="promotions")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.CASCADE, related_name="promotions")
    encoder = models.ForeignKey(Encoder, on_delete=models.PROTECT, related_name="+")
    previous = models.ForeignKey(Encoder, null=True, on_delete=models.PROTECT, related_name="+")
    promoted = models.BooleanField()
    reason = models.CharField(max_length=500)
    comparison = models.JSONField(default=dict, help_text="candidate against champion on the audit stream")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="promotion_project")]

    def __str__(self) -> str:
        return f"{self.kind} {self.encoder_id}"


class SimilaritySearch(models.Model):
    """A search for unread cases like a few examples: asked for by ML staff, answered by a job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="searches")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    like = models.JSONField(help_text="numbers of the example cases")
    unlike = models.JSONField(default=list, help_text="numbers of cases that are not meant")
    hits = models.JSONField(
        null=True, help_text="[[case number, similarity], …], most alike first; null until found"
    )
    searched = models.PositiveIntegerField(default=0, help_text="unread cases that it went through")
    seconds = models.FloatField(null=True)
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "similarity searches"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="search_newest")]

    def __str__(self) -> str:
        return f"like {len(self.like)} cases"


class EmbeddingMap(models.Model):
    """A picture of the project's vectors in two dimensions: places in a file, names in the row."""

    class Method(models.TextChoices):
        """How many dimensions become two."""

        PCA = "pca", "PCA"
        UMAP = "umap", "UMAP"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="maps")
    encoder = models.ForeignKey(Encoder, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    method = models.CharField(max_length=8, choices=Method.choices)
    file_name = models.CharField(max_length=255)
    file_digest = models.CharField(max_length=64)
    case_count = models.PositiveIntegerField()
    sites = models.JSONField(default=list, help_text="names of the sites, by number")
    classes = models.JSONField(default=list, help_text="class values, by number")
    facts = models.JSONField(default=dict, help_text="variance explained, seconds")
    job_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "method", "-created_at"], name="map_newest")]

    def __str__(self) -> str:
        return f"{self.method} of {self.case_count} cases"


class TrainingRun(models.Model):
    """A training job as ML staff sees it: what was asked, how the loss went, what came out."""

    job_id = models.UUIDField(primary_key=True)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.CASCADE, related_name="runs")
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=32)
    settings = models.JSONField(default=dict)
    history = models.JSONField(default=list, help_text='[{"epoch", "loss", …}, …]')
    result = models.JSONField(default=dict)
    samples = models.JSONField(
        default=list, help_text='[{"seconds", "memory_mb", "gpu_memory_mb", "gpu_percent"}, …]'
    )
    checkpoint_name = models.CharField(max_length=255, default="")
    checkpoint_digest = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id}"
