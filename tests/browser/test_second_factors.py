"""Security keys in a real browser, with a virtual authenticator; every page of an account in both themes."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import watched_page
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
PERSON = "from accounts.models import User; User.objects.create_user({name!r}, password={password!r})"
COUNTER_BACK = "from accounts.models import SecurityKey; SecurityKey.objects.update(counter=10**6)"


@pytest.fixture
def context(chromium: Browser, fovea: Fovea) -> Iterator[BrowserContext]:
    """A profile at the name that keys can be bound to: addresses of numbers have no keys."""
    named = fovea.url.replace("127.0.0.1", "localhost")
    with chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=named) as profile:
        yield profile


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with watched_page(context) as opened:
        yield opened


def plugged_in(page: Page) -> tuple[CDPSession, str]:
    """Plug a key in that is touched at once."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": False,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devices, str(added["authenticatorId"])


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def add_key(page: Page) -> None:
    page.goto("/account/key")
    page.get_by_label("Name").fill("blue key")
    page.get_by_role("button", name="Go on").click()


def test_a_key_is_registered_and_lets_in_and_a_copy_of_it_does_not(fovea: Fovea, page: Page) -> None:
    fovea.run(PERSON.format(name="k.holder", password=PASSWORD))
    devices, key = plugged_in(page)
    sign_in(page, "k.holder")
    add_key(page)
    expect(page.locator(".codes li")).to_have_count(10)
    code = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("blue key")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, "k.holder")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="not a member of a project yet")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    fovea.run(COUNTER_BACK)
    sign_in(page, "k.holder")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("alert")).to_contain_text("not accepted")

    devices.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
    other = plugged_in(page)
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_text("could not use a security key")).to_be_visible()
    other[0].send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": other[1]})
    page.get_by_label("recovery code").fill(code)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="not a member of a project yet")).to_be_visible()


def test_an_app_is_set_up_by_typing_its_key_and_every_page_can_be_used_by_everybody(
    fovea: Fovea, page: Page
) -> None:
    fovea.run(PERSON.format(name="a.pp", password=PASSWORD))
    sign_in(page, "a.pp")
    found: dict[str, list[str]] = {}
    for state in ("/account", "/account/password", "/account/key", "/account/app"):
        page.goto(state)
        found |= {f"{state}, {theme}": bad for theme, bad in violations_in_both_themes(page).items()}
    page.get_by_text("The picture cannot be scanned").click()
    app = pyotp.TOTP(page.locator("p.mono").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill(app.now())
    page.get_by_role("button", name="Set it up").click()
    page.locator(".codes").wait_for()
    found |= {f"codes, {theme}": bad for theme, bad in violations_in_both_themes(page).items()}
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "a.pp")
    page.get_by_label("Code of your authenticator app").wait_for()
    found |= {f"second, {theme}": bad for theme, bad in violations_in_both_themes(page).items()}
    assert found == {}
