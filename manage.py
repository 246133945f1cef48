#!/usr/bin/env python
"""Fovea's command line: puts platform/ on the path and hands over to Django."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command named on the command line."""
    root = Path(__file__).resolve().parent
    sys.path[:0] = [str(root / "platform"), str(root)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
