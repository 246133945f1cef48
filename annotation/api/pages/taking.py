"""What a form asks for: done, or the form says what is wrong."""

from collections.abc import Callable
from typing import TypeVar

from django import forms

from annotation.projects.rules import RefusedError

Made = TypeVar("Made")


def made_by(form: forms.Form, act: Callable[[], Made]) -> Made | None:
    """Do what a form that is right asks for; None: what is wrong, or why it is refused, is in the form."""
    if form.is_valid():
        try:
            return act()
        except RefusedError as error:
            form.add_error(None, str(error))
    return None
