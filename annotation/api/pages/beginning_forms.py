"""What an administrator says of a new project: what is asked, and who reads how many times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from annotation.api.pages.forms import NewProjectForm
from annotation.projects.models import Membership, Project
from annotation.projects.questions import Document, Settings
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import save_protocol, set_membership
from annotation.projects.templates import Template, templates

PEOPLE_SHOWN = 200
NO_MEMBER = ("", "Not a member")


@dataclass(frozen=True)
class Design:
    """A reading design as it is offered: how many read each case, and how many one more."""

    value: str
    title: str
    told: str
    readers: int
    second_share: float


DESIGNS = (
    Design("single", "One reader a case", "The quickest way to many labels.", 1, 0.0),
    Design(
        "share",
        "One reader, every fifth case two",
        "Measures how well readers agree for a fifth more time.",
        1,
        0.2,
    ),
    Design(
        "double",
        "Two readers a case",
        "Neither sees the other's answer; where they differ, a third decides.",
        2,
        0.0,
    ),
    Design("triple", "Three readers a case", "For a reference standard by majority.", 3, 0.0),
)


class AskedForm(NewProjectForm):
    """Step 1; is_open: whether what is asked can be changed here (else only in the protocol editor)."""

    def __init__(self, *args: Any, project: Project | None = None, is_open: bool = True, **more: Any) -> None:  # noqa: ANN401  passed on as they are
        super().__init__(*args, **more)
        self.project, self.is_open = project, is_open
        if not is_open:
            for name in ("template", "prompt", "choices"):
                del self.fields[name]

    def clean_name(self) -> str:
        """Refuse a name that another project has."""
        name = str(self.cleaned_data["name"])
        return name if self.project and name == self.project.name else super().clean_name()

    def offered(self) -> Iterator[tuple[Template, bool]]:
        """List the ready-made protocols, and which one is chosen."""
        chosen = self["template"].value() if self.is_open else ""
        return ((one, one.name == chosen) for one in templates())


class PeopleForm(forms.Form):
    """Step 3: a role for each person, whether I read too, and the reading design."""

    reads = forms.BooleanField(required=False)
    design = forms.ChoiceField(
        choices=[(one.value, one.title) for one in DESIGNS] + [("kept", "As it is")],
        error_messages={"required": "Choose how many readers read a case."},
    )

    def __init__(self, data: Any, *, project: Project, me: User) -> None:  # noqa: ANN401  as Django gives it
        self.project, self.me = project, me
        self.settings = document_in(protocol_in_force(project.pk)).settings
        roles = dict(Membership.objects.filter(project=project).values_list("user_id", "role"))
        self.roles = roles
        mine = roles.get(me.pk)
        is_new = not roles and not project.protocols.filter(version__gt=1).exists()
        super().__init__(
            data, initial={"reads": mine == Role.READER or is_new, "design": design_of(self.settings)}
        )
        others = User.objects.filter(is_active=True).exclude(pk=me.pk).order_by("username")
        self.people = list(others[:PEOPLE_SHOWN])
        for one in self.people:
            self.fields[f"role-{one.pk}"] = forms.ChoiceField(
                required=False,
                label=one.username,
                choices=[NO_MEMBER, *Role.choices],
                initial=roles.get(one.pk, ""),
                widget=forms.Select(attrs={"class": "input"}),
            )

    def rows(self) -> Iterator[tuple[User, forms.BoundField]]:
        """Give each person with the field of their role."""
        return ((one, self[f"role-{one.pk}"]) for one in self.people)

    def designs(self) -> Iterator[tuple[Design, bool]]:
        """Give each design, and whether it is chosen."""
        chosen = self["design"].value()
        return ((one, one.value == chosen) for one in DESIGNS)

    @property
    def is_own(self) -> bool:
        """Whether the design in force is none of those offered."""
        return design_of(self.settings) == "kept"

    def before(self) -> Iterator[tuple[str, str]]:
        """Name each person's role as this page shows it: sent along, to see what changed meanwhile."""
        for one in (*self.people, self.me):
            yield f"was-{one.pk}", str(self.roles.get(one.pk, ""))

    @transaction.atomic
    def save(self, *, address: str) -> list[str]:
        """Give the roles and put the design in force; each change is audited. address: from where.

        Who was not on the page, or got another role since it was shown, is left as they are.
        returns: the names of those whose role changed meanwhile.
        """
        Project.objects.select_for_update().get(pk=self.project.pk)
        now = dict(Membership.objects.filter(project=self.project).values_list("user_id", "role"))
        changed = []
        for one, role in self.wanted(now).items():
            current = str(now.get(one.pk, ""))
            if current == role:
                continue
            if self.data.get(f"was-{one.pk}", current) != current:
                changed.append(one.username)
                continue
            set_membership(project=self.project, user=one, role=role or None, by=self.me, address=address)
        self.put_in_force()
        return changed

    def wanted(self, roles: Mapping[UUID, str]) -> dict[User, str]:
        """Read the role of each person who is on the page as it was sent. roles: those they have."""
        asked = (one for one in self.people if f"role-{one.pk}" in self.data)
        wanted = {one: str(self.cleaned_data[f"role-{one.pk}"]) for one in asked}
        if self.cleaned_data["reads"]:
            wanted[self.me] = Role.READER.value
        elif roles.get(self.me.pk) == Role.READER:
            wanted[self.me] = ""
        return wanted

    def put_in_force(self) -> None:
        """Save the design where another one was chosen."""
        design = next((one for one in DESIGNS if one.value == self.cleaned_data["design"]), None)
        if design is None:
            return
        protocol = protocol_in_force(self.project.pk)
        changed = self.settings.model_copy(
            update={"readers": design.readers, "second_share": design.second_share}
        )
        save_protocol(
            project=self.project,
            document=Document(questions=document_in(protocol).questions, settings=changed),
            base_version=protocol.version,
            now=timezone.now(),
            by=self.me,
        )


def design_of(settings: Settings) -> str:
    """Name the design that settings are; "kept" where it is none of those offered."""
    told = (settings.readers, settings.second_share)
    return next((one.value for one in DESIGNS if (one.readers, one.second_share) == told), "kept")
