"""The demo's accounts: passwords made at its first start, kept in the data directory and nowhere else."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction

from accounts.models import User
from accounts.services import one_time_password
from audit.services import record
from config.home import Home, write_private

ROLES: Final = {"rita": "reader", "ravi": "reader", "mila": "ML staff", "ada": "admin"}


@dataclass(frozen=True)
class Account:
    """One account of the demo."""

    username: str
    role: str
    password: str


def known_accounts(home: Home) -> list[Account]:
    """Read the accounts; none where no demo was made here."""
    if not home.accounts.exists():
        return []
    return [Account(**account) for account in json.loads(home.accounts.read_text())]


def make_accounts(home: Home) -> list[Account]:
    """Read the accounts, or make them with new passwords."""
    known = known_accounts(home)
    if known:
        return known
    made = [Account(username, role, one_time_password()) for username, role in ROLES.items()]
    write_private(home.accounts, json.dumps([asdict(account) for account in made], indent=1))
    return made


@transaction.atomic
def ensure_people(home: Home) -> dict[str, User]:
    """Make the users of the demo's accounts that are not there yet, by name."""
    return {account.username: ensure_person(account) for account in make_accounts(home)}


def ensure_person(account: Account) -> User:
    """Find a demo user, or make them with the password of the accounts' file."""
    known = User.objects.filter(username=account.username).first()
    if known is not None:
        return known
    user = User.objects.create_user(account.username, password=account.password)
    user.is_admin = account.role == "admin"
    user.save(update_fields=["is_admin"])
    record(actor="system", action="user.create", object_type="user", object_id=str(user.pk))
    return user
