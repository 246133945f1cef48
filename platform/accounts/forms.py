"""What people type to sign in and what administrators type to add a person."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from accounts.models import User

WRONG = "The name or the password is wrong. After five wrong passwords sign-in is locked for a while."


class SignInForm(AuthenticationForm):
    """Name and password; a wrong one says no more than that the pair is wrong."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own signature
        super().__init__(*args, **kwargs)
        for name, completion in (("username", "username"), ("password", "current-password")):
            self.fields[name].widget.attrs |= {"class": "input", "autocomplete": completion}
        self.fields["username"].label = "Name"


class NewPersonForm(forms.ModelForm[User]):
    """A new person: no password is typed, one is made and shown once."""

    class Meta:
        model = User
        fields = ["username", "is_admin"]
        labels = {"username": "Name to sign in with", "is_admin": "Administrator"}
        help_texts = {"username": "", "is_admin": "Imports images, clears quarantine, manages people."}
        widgets = {"username": forms.TextInput(attrs={"class": "input", "autocomplete": "off"})}
