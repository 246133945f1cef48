"""The ASGI entry point of the web process."""

import os

import django

from config.bodies import Application, Limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")


def assembled() -> Application:
    """Put Django and what stands in front of it together."""
    django.setup(set_prefix=False)
    from annotation.api.again import Again  # tables can be had only once Django is set up
    from config.changes import asked_of, watched
    from config.handler import Handler

    return Limited(Again(Handler(), asked_of(watched())))


application = assembled()
