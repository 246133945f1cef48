"""What ML staff set of a training: how deep, how long, on whose images."""

from typing import Any

from django import forms

from annotation.learning import training
from annotation.learning.training import LIMITS, METHODS, MODES, TrainingSettings
from annotation.projects.models import Project

SHORT = {"class": "input short"}


def number(name: str, *, whole: bool = True) -> forms.IntegerField | forms.FloatField:
    """Make a field with the limits of a setting."""
    low, high = LIMITS[name]
    if whole:
        widget = forms.NumberInput(attrs=SHORT)
        return forms.IntegerField(min_value=int(low), max_value=int(high), widget=widget)
    widget = forms.NumberInput(attrs=SHORT | {"step": "any"})
    return forms.FloatField(min_value=low, max_value=high, widget=widget)


class TrainForm(forms.Form):
    """How deep, how long and how fast."""

    mode = forms.ChoiceField(choices=list(MODES.items()))
    epochs = number("epochs")
    minutes = number("minutes", whole=False)
    rate = number("rate", whole=False)
    batch = number("batch")
    accumulate = number("accumulate")
    rank = number("rank")
    processes = number("processes")
    flip = forms.BooleanField(required=False)

    def settings(self) -> TrainingSettings:
        """Give what the service takes."""
        return TrainingSettings(**self.cleaned_data)


class PretrainForm(forms.Form):
    """By which method, how long, and on whose images beside the project's own."""

    method = forms.ChoiceField(choices=list(METHODS.items()))
    pretrain_minutes = number("minutes", whole=False)
    others = forms.ModelMultipleChoiceField(
        queryset=Project.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, project: Project, *args: Any, **named: Any) -> None:  # noqa: ANN401  as forms.Form
        super().__init__(*args, **named)
        sharing = training.sharing_projects().exclude(pk=project.pk)
        self.fields["others"].queryset = sharing  # type: ignore[attr-defined]
