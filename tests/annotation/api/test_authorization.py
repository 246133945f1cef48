"""Every route × every kind of person: the status is what the matrix says, and no route is missing from it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from annotation.api.http import api
from tests import factories
from tests.annotation.api.matrix import BODIES, COLUMNS, MATRIX, nothing
from tests.annotation.api.world import World, a_world

pytestmark = [pytest.mark.django_db, pytest.mark.authorization]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
REFUSALS = {302, 401, 403, 404, 405}


def routes(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Every address, with its parameters' names and without their types."""
    for pattern in patterns:
        route = prefix + re.sub(r"<\w+:(\w+)>", r"<\1>", str(pattern.pattern))
        yield from routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]


ROUTES = sorted(set(routes(get_resolver().url_patterns)))
UNLISTED = [(verb, route) for route in ROUTES for verb in VERBS if (verb, route) not in MATRIX]


@dataclass(frozen=True)
class Browsers:
    """The world, and a signed-in browser for everyone in it; guarded ones check tokens as real ones do."""

    world: World
    plain: dict[str, Client]
    guarded: dict[str, Client]


@pytest.fixture(scope="module")
def browsers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Browsers]:
    """Make the world once: every request rolls back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = a_world()
        plain = {kind: factories.a_client(person) for kind, person in world.people.items()}
        guarded = {kind: factories.a_client(csrf=True) for kind in COLUMNS}
        for kind, client in guarded.items():
            client.cookies.update(plain[kind].cookies)
        yield Browsers(world, plain, guarded)
        transaction.set_rollback(True)


def status_of(client: Client, world: World, verb: str, route: str) -> int:
    """Send a request that would be right from the right person, and leave no trace."""
    path = "/" + re.sub(r"<(\w+)>", lambda name: str(world.ids[name[1]]), route)
    body = BODIES.get((verb, route), nothing)(world)
    encode, content_type = (json.dumps, JSON) if route.startswith("api/") else (urlencode, FORM)
    cookies = client.cookies.output()
    with transaction.atomic():
        response = client.generic(verb, path, data=encode(body), content_type=content_type)
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies.replace("Set-Cookie: ", ""))
    return int(response.status_code)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_in_the_matrix(route: str) -> None:
    assert any((verb, route) in MATRIX for verb in VERBS), (
        f"{route} is open to nobody knows whom: add its row"
    )


def test_the_matrix_names_no_route_that_is_gone() -> None:
    assert {route for _, route in MATRIX} == set(ROUTES)


def test_every_operation_of_the_api_is_in_the_matrix() -> None:
    described = api.get_openapi_schema(path_prefix="api/v1/")["paths"]
    operations = {
        (verb.upper(), re.sub(r"{(\w+)}", r"<\1>", path.lstrip("/")))
        for path, verbs in described.items()
        for verb in verbs
    }
    assert operations <= set(MATRIX)


@pytest.mark.parametrize(("verb", "route"), sorted(MATRIX))
def test_everyone_gets_the_status_that_the_matrix_says(verb: str, route: str, browsers: Browsers) -> None:
    expected = dict(zip(COLUMNS, map(int, MATRIX[verb, route].split()), strict=True))
    got = {kind: status_of(browsers.plain[kind], browsers.world, verb, route) for kind in COLUMNS}
    assert got == expected


@pytest.mark.parametrize("route", ROUTES)
def test_verbs_that_the_matrix_does_not_name_are_refused_to_all(route: str, browsers: Browsers) -> None:
    unnamed = [verb for verb in VERBS if (verb, route) not in MATRIX]
    statuses = {
        status_of(browsers.plain[kind], browsers.world, verb, route)
        for verb in unnamed
        for kind in ("anonymous", "reader", "admin")
    }
    assert statuses <= REFUSALS


@pytest.mark.parametrize(("verb", "route"), [row for row in sorted(MATRIX) if row[0] != "GET"])
def test_no_unsafe_verb_works_without_the_session_s_token(verb: str, route: str, browsers: Browsers) -> None:
    statuses = {
        kind: status_of(browsers.guarded[kind], browsers.world, verb, route)
        for kind in ("anonymous", "reader", "staff", "admin")
    }
    assert statuses == dict.fromkeys(statuses, 403)
