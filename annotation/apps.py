"""The annotation domain: one Django application, one migration history."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    """Studies, projects, readings, learning facts and the queue."""

    name = "annotation"
    default_auto_field = "django.db.models.BigAutoField"
