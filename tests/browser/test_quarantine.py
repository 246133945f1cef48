"""Burned-in names masked by keyboard in a real browser; a discard taken back."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, expect

from tests import phantoms
from tests.browser.consoles import own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
SET_UP = """
from django.core.management import call_command
from accounts.models import User
User.objects.create_user("keeper", password={password!r}, is_admin=True)
call_command("import", {source!r}, project="Burned in", modality="OT")
"""
PROJECT = "from annotation.projects.models import Project; print(Project.objects.get(name='Burned in').pk)"
MASKS = (
    "from annotation.studies.models import QuarantinedFile;"
    "print(QuarantinedFile.objects.get(dataset__projects__name='Burned in', state='cleared').masks)"
)
STORED = """
from django.core.files.storage import default_storage
from pydicom import dcmread
from annotation.studies.files import instance_name
from annotation.studies.models import Instance
instance = Instance.objects.get(dataset__projects__name="Burned in")
with default_storage.open(instance_name(instance.digest)) as stored:
    kept = dcmread(stored)
pixels = kept.pixel_array
code = kept.DeidentificationMethodCodeSequence[1].CodeValue
print(int(pixels[:40, :].max()), int(pixels[100:, :].max()), code)
"""


@pytest.fixture(scope="module")
def address(fovea: Fovea, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Deliver two ultrasound images with a name at the top; returns the quarantine's address."""
    folder = tmp_path_factory.mktemp("burned")
    for number in (1, 2):
        picture = Image.fromarray(phantoms.chest(number, rows=480, columns=640) // 3)
        ImageDraw.Draw(picture).rectangle((0, 0, 640, 40), fill=0)
        ImageDraw.Draw(picture).text((14, 10), "DOE^JANE 1961", fill=235, font=ImageFont.load_default(18))
        made = phantoms.a_slice(number, modality="US")
        phantoms.fill(made, np.asarray(picture))
        (folder / f"{number}.dcm").write_bytes(phantoms.dicom(made))
    fovea.run(SET_UP.format(password=PASSWORD, source=str(folder)))
    return f"/projects/{fovea.run(PROJECT)}/quarantine"


@pytest.fixture
def page(chromium: Browser, fovea: Fovea, address: str) -> Iterator[Page]:
    """Stand before the first held image, signed in."""
    with own_page(chromium, fovea) as opened:
        sign_in(opened, "keeper")
        opened.goto(address)
        yield opened


def test_a_name_is_masked_and_a_discard_taken_back_by_keyboard(
    page: Page, fovea: Fovea, address: str
) -> None:
    boxes = page.locator(".boxed .box")
    expect(page.get_by_text("Text was found in 1 place")).to_be_visible()
    expect(boxes).to_have_count(1)
    for key, count in (("n", 2), ("ArrowDown", 2), ("Shift+ArrowRight", 2), ("Delete", 1), ("z", 2)):
        page.keyboard.press(key)
        expect(boxes).to_have_count(count)
    page.keyboard.press("p")
    expect(boxes).to_have_count(1)
    page.keyboard.press("m")
    expect(page.get_by_role("dialog")).to_contain_text("in every frame")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 box masked; the image is a case now.")).to_be_visible()
    top, rest, code = fovea.run(STORED).split()
    assert (int(top) < 20, int(rest) > 40, code) == (True, True, "113101")
    assert fovea.run(MASKS).startswith("[[")

    page.keyboard.press("d")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It can be brought back for 7 days")).to_be_visible()
    page.goto(f"{address}?show=discarded")
    expect(page.get_by_alt_text("Preview of the held image")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_text("The file is back in quarantine.")).to_be_visible()


def test_a_box_is_drawn_by_mouse_over_the_image(page: Page) -> None:
    ground = page.locator(".boxed").bounding_box()
    assert ground is not None
    before = page.locator(".boxed .box").count()
    page.mouse.move(ground["x"] + 200, ground["y"] + 150)
    page.mouse.down()
    page.mouse.move(ground["x"] + 260, ground["y"] + 190, steps=4)
    page.mouse.up()
    expect(page.locator(".boxed .box")).to_have_count(before + 1)
    expect(page.get_by_role("button", name="Mask 2 boxes")).to_be_visible()
