"""What a form asks for: done, or the form, or a problem to a program, says what is wrong."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from annotation.projects.rules import RefusedError

Made = TypeVar("Made")
Filled = TypeVar("Filled", bound=forms.Form)


def checked(form: Filled) -> Filled:
    """Take what a program sent where a form takes it from people.

    raises: RefusedError naming the first field that is wrong.
    """
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        raise RefusedError(problems[0] if field == "__all__" else f"{field}: {problems[0]}")
    return form


def files_of(**named: "UploadedFile[Any] | None") -> "MultiValueDict[str, UploadedFile[Any]]":
    """Give files that a program sent as a form takes them."""
    return MultiValueDict({name: [one] for name, one in named.items() if one is not None})


def made_by(form: forms.Form, act: Callable[[], Made]) -> Made | None:
    """Do what a form that is right asks for; None: what is wrong, or why it is refused, is in the form."""
    if form.is_valid():
        try:
            return act()
        except RefusedError as error:
            form.add_error(None, str(error))
    return None
