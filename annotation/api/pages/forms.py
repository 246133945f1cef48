"""What administrators and ML staff type."""

from typing import Any, cast

from django import forms

from annotation.learning.models import Policy
from annotation.learning.rules import POLICY_LIMITS, PolicySettings
from annotation.projects.beginning import LONGEST_PROMPT, NAME_TAKEN
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.questions import Document
from annotation.projects.rules import own_choices, single_choice
from annotation.projects.templates import template_called, templates

TEXT = {"class": "input"}


def limited(name: str, label: str, *, step: float = 1, scale: float = 1) -> dict[str, Any]:
    """Bound a number as the policy's rules do: a short field, and errors that name it and what it may be."""
    least, most, unit = POLICY_LIMITS[name]
    rule = f"give {scale * least:g} to {scale * most:g} {'per cent' if scale == 100 else unit}."
    return {
        "label": label,
        "min_value": scale * least,
        "max_value": scale * most,
        "error_messages": dict.fromkeys(("required", "invalid"), f"{label} must be a number: {rule}")
        | dict.fromkeys(("min_value", "max_value"), f"{label} is %(show_value)s: {rule}"),
        "widget": forms.NumberInput(attrs={"class": "input short", "step": f"{step:g}"}),
    }


class NewProjectForm(forms.Form):
    """A project's name, and a ready-made protocol or one question with its answers, one a line."""

    name = forms.CharField(max_length=128, widget=forms.TextInput(attrs=TEXT | {"autocomplete": "off"}))
    template = forms.ChoiceField(required=False, choices=lambda: [("", "One question of my own"), *offered()])
    prompt = forms.CharField(required=False, max_length=LONGEST_PROMPT, widget=forms.TextInput(attrs=TEXT))
    choices = forms.CharField(required=False, widget=forms.Textarea(attrs=TEXT | {"rows": 4}))

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name = str(self.cleaned_data["name"])
        if Project.objects.filter(name=name).exists():
            raise forms.ValidationError(NAME_TAKEN)
        return name

    def clean_prompt(self) -> str:
        """Ask for the question, where no ready-made protocol asks."""
        prompt = str(self.cleaned_data["prompt"])
        if not prompt and not self.cleaned_data.get("template"):
            raise forms.ValidationError("Write the question.")
        return prompt

    def clean_choices(self) -> list[tuple[str, str]]:
        """Read two to nine different answers: digits choose them."""
        if self.cleaned_data.get("template"):
            return []
        pairs = own_choices(self.cleaned_data["choices"])
        if not 2 <= len(pairs) <= 9:
            raise forms.ValidationError("Give two to nine answers, each on a line of its own.")
        if not all(value for value, _ in pairs):
            raise forms.ValidationError("An answer has no letters or digits. Give it a word.")
        if len(dict(pairs)) < len(pairs):
            raise forms.ValidationError("Two answers are the same. Name each of them differently.")
        return pairs

    def document(self) -> Document:
        """Give the protocol that was chosen or written."""
        named = self.cleaned_data["template"]
        if named:
            return document_of(template_called(named).document)
        question = single_choice(self.cleaned_data["prompt"], self.cleaned_data["choices"])
        return document_of({"questions": [question]})


def offered() -> list[tuple[str, str]]:
    """List the ready-made protocols."""
    return [(one.name, one.title) for one in templates()]


class PolicyForm(forms.Form):
    """How a project's queue and models are driven; errors name the field and what it may be."""

    strategy = forms.ChoiceField(choices=Policy.Strategy.choices)
    refit_every = forms.IntegerField(**limited("refit_every", "Fit a new model after"))
    batch_size = forms.IntegerField(**limited("batch_size", "Batch size"))
    audit_percent = forms.FloatField(**limited("audit_share", "Audit share", step=0.5, scale=100))
    class_quota = forms.BooleanField(required=False)
    site_quota = forms.BooleanField(required=False)
    cost_power = forms.FloatField(required=False, **limited("cost_power", "Weight α", step=0.1))
    logit_adjustment = forms.BooleanField(required=False)
    train_labels = forms.IntegerField(required=False, **limited("train_labels", "New labels"))
    train_days = forms.IntegerField(required=False, **limited("train_days", "Days"))
    drift_limit = forms.FloatField(required=False, **limited("drift_limit", "Drift", step=0.01))
    budget_hours = forms.FloatField(required=False, **limited("budget_hours", "Budget", step=0.5))

    @classmethod
    def of(cls, policy: Policy) -> "PolicyForm":
        """Show a policy."""
        names = [name for name in cls.base_fields if name != "audit_percent"]
        initial = {name: getattr(policy, name) for name in names}
        return cls(initial=initial | {"audit_percent": round(100 * policy.audit_share, 2)})

    def asked(self) -> PolicySettings:
        """Give the service's arguments; the share is a fraction there."""
        values = dict(self.cleaned_data)
        share = values.pop("audit_percent") / 100
        return cast("PolicySettings", values | {"audit_share": share})
