"""People who sign in."""

import uuid

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
