"""The jobs application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Machine work as rows."""

    name = "jobs"
