"""The machine-learning worker's application: commands only, no tables."""

from django.apps import AppConfig


class MlworkerConfig(AppConfig):
    """Registers nothing at start: torch is imported by jobs alone."""

    name = "mlworker"
