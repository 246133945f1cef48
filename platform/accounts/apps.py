"""The accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, roles, sign-in."""

    name = "accounts"
