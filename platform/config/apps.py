"""The system itself: commands that start, seed and check it."""

from django.apps import AppConfig

from config.descriptors import raise_open_files


class SystemConfig(AppConfig):
    """Management commands that belong to no single room; makes the Celery application the current one."""

    name = "config"

    def ready(self) -> None:
        """Let each process open enough files; load the Celery application, so that a job finds the broker."""
        raise_open_files()
        from config import celery

        celery.app.set_current()
