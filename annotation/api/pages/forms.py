"""What administrators and ML staff type."""

import re
from typing import Any

from django import forms

from annotation.learning.models import Policy
from annotation.projects.models import Project

TEXT = {"class": "input"}


class NewProjectForm(forms.Form):
    """A project's name, its question and the answers to choose from, one a line."""

    name = forms.CharField(max_length=128, widget=forms.TextInput(attrs=TEXT | {"autocomplete": "off"}))
    prompt = forms.CharField(max_length=200, widget=forms.TextInput(attrs=TEXT))
    choices = forms.CharField(widget=forms.Textarea(attrs=TEXT | {"rows": 4}))

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name = str(self.cleaned_data["name"])
        if Project.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a project of this name already.")
        return name

    def clean_choices(self) -> list[tuple[str, str]]:
        """Read two to nine different answers: digits choose them."""
        labels = [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]
        pairs = [(value_of(label), label) for label in labels]
        if not 2 <= len(pairs) <= 9:
            raise forms.ValidationError("Give two to nine answers, each on a line of its own.")
        if not all(value for value, _ in pairs):
            raise forms.ValidationError("An answer has no letters or digits. Give it a word.")
        if len(dict(pairs)) < len(pairs):
            raise forms.ValidationError("Two answers are the same. Name each of them differently.")
        return pairs

    def asked(self) -> dict[str, Any]:
        """Give the service's arguments."""
        return {key: self.cleaned_data[key] for key in ("name", "prompt", "choices")}


class PolicyForm(forms.Form):
    """How a project's queue and models are driven."""

    strategy = forms.ChoiceField(choices=Policy.Strategy.choices)
    refit_every = forms.IntegerField(
        min_value=1, max_value=1000, widget=forms.NumberInput(attrs={"class": "input short"})
    )
    audit_percent = forms.FloatField(
        min_value=0, max_value=50, widget=forms.NumberInput(attrs={"class": "input short", "step": "0.5"})
    )

    def asked(self) -> dict[str, Any]:
        """Give the service's arguments; the share is a fraction there."""
        values = self.cleaned_data
        share = values["audit_percent"] / 100
        return {"strategy": values["strategy"], "refit_every": values["refit_every"], "audit_share": share}


def value_of(label: str) -> str:
    """Make the value that is stored for an answer: lower case letters of any script, digits, underscores."""
    return re.sub(r"\W+", "_", label.lower()).strip("_")
