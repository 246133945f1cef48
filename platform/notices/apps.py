"""The notices application."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What people are told of: in the application, and by mail where they want it."""

    name = "notices"
