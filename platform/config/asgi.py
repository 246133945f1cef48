"""The ASGI entry point of the web process."""

import os
from pathlib import Path

import django

from config.bodies import Application, Limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")


def assembled() -> Application:
    """Put Django and what stands in front of it together."""
    django.setup(set_prefix=False)
    from django.db import connection  # tables can be had only once Django is set up

    from annotation.api.again import Again
    from config.handler import Handler
    from config.sqlite.changes import Changes

    handler = Handler()
    if connection.vendor != "sqlite":
        return Limited(handler)
    return Limited(Again(handler, Changes(Path(str(connection.settings_dict["NAME"])))))


application = assembled()
