"""What administrators ask of the audit log, as ids that the log holds."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from accounts.models import User
from accounts.selectors import is_id
from annotation.projects.models import Project
from audit.selectors import Wanted

OUTCOMES: Final = [("", "Every outcome"), ("ok", "ok"), ("denied", "denied"), ("unchanged", "unchanged")]
SYSTEM: Final = ("system", "anonymous")


class AuditForm(forms.Form):
    """Who did what to what, when. A field that cannot be read asks for nothing."""

    who = forms.CharField(required=False, max_length=150)
    action = forms.CharField(required=False, max_length=64)
    object = forms.CharField(required=False, max_length=150)
    outcome = forms.ChoiceField(required=False, choices=OUTCOMES)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def recorded(self, wanted: Wanted) -> dict[str, str | int]:
        """Say what was asked for without words that may name somebody: ids, known actions, numbers."""
        who, words, what = (self.told().get(name, "").strip() for name in ("who", "action", "object"))
        kept: dict[str, str | int] = {
            name: value for name, value in self.told().items() if name in ("outcome", "since", "until")
        }
        if words:
            kept |= {"action": words.lower()} if wanted.actions else {"actions": 0}
        for name, typed, ids in (("actor", who, wanted.actors), ("object", what, wanted.objects)):
            if typed:
                kept |= {name: str(UUID(typed))} if is_id(typed) else {f"{name}_ids": len(ids or ())}
        return kept

    def told(self) -> dict[str, str]:
        """Say what was asked for."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.told())

    def wanted(self, known: Iterable[str]) -> Wanted:
        """Turn names into ids. known: the actions that there are."""
        self.is_valid()
        given = self.cleaned_data
        who, words, what = (str(given.get(name, "")).strip() for name in ("who", "action", "object"))
        return Wanted(
            actors=ids_of_people(who) if who else None,
            actions=frozenset(one for one in known if words.lower() in one) if words else None,
            objects=ids_of_objects(what) if what else None,
            outcome=str(given.get("outcome", "")),
            first_day=given.get("since"),
            last_day=given.get("until"),
        )


def ids_of_people(words: str) -> frozenset[str]:
    """Ids of people whose name has the words, and the system's own names."""
    if is_id(words):
        return frozenset({words.lower()})
    own = {name for name in SYSTEM if words.lower() in name}
    return frozenset(own | ids_in(User.objects.filter(username__icontains=words)))


def ids_of_objects(words: str) -> frozenset[str]:
    """Take an id or UID itself, and the ids of people and projects whose name has the words."""
    people = ids_in(User.objects.filter(username__icontains=words))
    projects = ids_in(Project.objects.filter(name__icontains=words))
    return frozenset({words.lower()} | people | projects)


def ids_in(rows: QuerySet[User] | QuerySet[Project]) -> set[str]:
    """Ids as the log writes them."""
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
