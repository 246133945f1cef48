"""The system itself: commands that start, seed and check it."""

from django.apps import AppConfig


class SystemConfig(AppConfig):
    """Management commands that belong to no single room; makes the Celery application the current one."""

    name = "config"

    def ready(self) -> None:
        """Load the Celery application, so that whoever asks for a job finds the broker."""
        from config import celery

        celery.app.set_current()
