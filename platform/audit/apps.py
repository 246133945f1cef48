"""The audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Append-only, hash-chained events."""

    name = "audit"
