"""People who sign in."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person does in a project."""

    READER = "reader", "Reader"
    ML_STAFF = "ml_staff", "ML staff"


class User(AbstractUser):
    """One person. Administrators manage data and people; what else they may do comes from memberships."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    is_admin = models.BooleanField("administrator", default=False)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username


class Preferences(models.Model):
    """How a person likes to work; the same at every desk."""

    class Language(models.TextChoices):
        """What the pages can be shown in."""

        ENGLISH = "en", "English"
        CHINESE = "zh-hans", "简体中文"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="preferences"
    )
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ENGLISH)
    keys = models.JSONField(default=dict, help_text="the reading room's keys that were changed, by act")

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return self.language


class ApiToken(models.Model):
    """A key for programs: acts as its owner, for its scopes, until its end. The key itself is not kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=64, help_text="what its owner calls it")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of 256 random bits")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class Invitation(models.Model):
    """A one-time link with which a person chooses their password. What the link says is not kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of 256 random bits")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField(help_text="moved to now by the next link of the same person")
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"


class KeptAnswer(models.Model):
    """What a program's write was answered, so that the same write sent again changes nothing: for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="the Idempotency-Key of the request")
    digest = models.CharField(max_length=64, help_text="HMAC of what is asked")
    status = models.PositiveSmallIntegerField(default=0, help_text="0: not answered yet")
    sealed = models.TextField(default="", help_text="the body, sealed: it may hold a secret shown once")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="answer_once_a_key")]

    def __str__(self) -> str:
        return f"{self.status} of {self.user_id}"


class SecondFactors(models.Model):
    """What a person shows besides the password: the app's secret, and how often a code was wrong."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="second_factors"
    )
    totp_sealed = models.TextField(default="", help_text="the authenticator app's secret; empty: no app")
    totp_step = models.BigIntegerField(default=0, help_text="the time step of the last code that was used")
    wrong_codes = models.PositiveSmallIntegerField(default=0, help_text="since the last right one")
    locked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "second factors"

    def __str__(self) -> str:
        return f"second factors of {self.user_id}"


class SecurityKey(models.Model):
    """A WebAuthn credential: a key, a phone or a computer that signs a challenge."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_keys")
    name = models.CharField(max_length=64, help_text="what its owner calls it")
    credential_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of its id")
    credential = models.BinaryField(help_text="attested credential data: id and public key (WebAuthn 6.5.1)")
    counter = models.BigIntegerField(default=0, help_text="of its signatures; 0: it does not count")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class RecoveryCode(models.Model):
    """A code for the day on which the phone is lost; used once. The code itself is not kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64, unique=True, help_text="HMAC-SHA256 with the installation's key")
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Identity(models.Model):
    """Who a person is at the sign-in provider: its issuer and its own name for them, no mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_of_one_person")]

    def __str__(self) -> str:
        return f"identity of {self.user_id}"
