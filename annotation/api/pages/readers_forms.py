"""What an administrator types of a reader's workload."""

from typing import Any

from django import forms

from annotation.projects.workload import Plan, WorkloadError, checked_skills


def number(label: str, unit: str) -> dict[str, Any]:
    """Describe a short field for a number that may be left empty."""
    wrong = f"{label}: give a number of {unit}, or leave it empty."
    return {
        "required": False,
        "label": label,
        "min_value": 0,
        "error_messages": dict.fromkeys(("invalid", "min_value"), wrong),
        "widget": forms.NumberInput(attrs={"class": "input short"}),
    }


def day(label: str) -> dict[str, Any]:
    """Describe a field for a day that may be left empty."""
    return {
        "required": False,
        "label": label,
        "error_messages": {"invalid": f"{label}: give a day as 2026-12-31, or leave it empty."},
        "widget": forms.DateInput(format="%Y-%m-%d", attrs={"class": "input date", "type": "date"}),
    }


class WorkloadForm(forms.Form):
    """Limits, due day, pause, leave and tags."""

    target_cases = forms.IntegerField(**number("Cases to read in all", "cases"))
    due_on = forms.DateField(**day("Due on"))
    open_cases = forms.IntegerField(**number("Cases held at once, at most", "cases"))
    weekly_cases = forms.IntegerField(**number("Cases a week, at most", "cases"))
    weekly_hours = forms.FloatField(**number("Hours a week, at most", "hours"))
    paused = forms.BooleanField(required=False, label="Paused")
    away_from = forms.DateField(**day("On leave from"))
    away_until = forms.DateField(**day("until, the last day"))
    skills = forms.CharField(
        required=False,
        max_length=400,
        label="Subspecialties and other tags",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )

    @classmethod
    def of(cls, plan: Plan, data: Any) -> "WorkloadForm":  # noqa: ANN401  as Django gives it
        """Show a plan."""
        told = vars(plan) | {"paused": plan.paused_at is not None, "skills": ", ".join(plan.skills)}
        return cls(data, initial=told)

    def clean_skills(self) -> tuple[str, ...]:
        """Read tags after commas."""
        try:
            return checked_skills(self.cleaned_data["skills"])
        except WorkloadError as error:
            raise forms.ValidationError(f"{error}.") from None

    def plan(self) -> Plan:
        """Give what was typed."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "paused"}
        return Plan(**told)
