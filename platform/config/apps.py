"""The system itself: commands that start, seed and check it."""

from django.apps import AppConfig


class SystemConfig(AppConfig):
    """Management commands that belong to no single room."""

    name = "config"
