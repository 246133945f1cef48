"""What people type to sign in and what administrators type to add a person."""

from typing import Any, TypeVar

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User

Form = TypeVar("Form", bound=forms.BaseForm)
WRONG = _("The name or the password is wrong. After five wrong passwords sign-in is locked for a while.")


class SignInForm(AuthenticationForm):
    """Name and password; a wrong one says no more than that the pair is wrong."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own signature
        super().__init__(*args, **kwargs)
        for name, completion in (("username", "username"), ("password", "current-password")):
            self.fields[name].widget.attrs |= {"class": "input", "autocomplete": completion}
        self.fields["username"].label = pgettext_lazy("of a person", "Name")


class NewPersonForm(forms.Form):
    """A new person: no password is typed, they choose their own by a link."""

    username = forms.CharField(
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        required=False, widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "off"})
    )
    is_admin = forms.BooleanField(required=False)

    def clean_username(self) -> str:
        """Refuse a name that somebody has, in whatever case."""
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError("Somebody has this name already.")
        return username


def styled(form: Form) -> Form:
    """Give the fields of one of Django's own forms the look of ours."""
    for field in form.fields.values():
        field.widget.attrs |= {"class": "input"}
    return form
