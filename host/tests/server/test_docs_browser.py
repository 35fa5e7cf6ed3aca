"""The page in a browser: what a person sees of it, on a real server, without a network."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no chromium; on Debian: apt-get install chromium"
    ),
]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

TOKENS = """
import time
from cog import BaseRunner, ConcatenateIterator
class Runner(BaseRunner):
    def run(self, prompt: str = "hello", wait: bool = False) -> ConcatenateIterator[str]:
        print("thinking")
        for word in prompt.split():
            yield word + " "
        if wait:
            time.sleep(600)
"""

FILES = """
import shutil, tempfile
from typing import List
from cog import BaseRunner, Path
class Runner(BaseRunner):
    def run(self, image: Path, more: List[Path] = []) -> List[Path]:
        folder = tempfile.mkdtemp()
        return [Path(shutil.copy(file, f"{folder}/{n}.png")) for n, file in enumerate([image, *more])]
"""

FAILS = """
from cog import BaseRunner, Input
class Runner(BaseRunner):
    def run(self, number: int = Input(default=1, le=3), text: str = "x") -> str:
        print("about to fail")
        raise ValueError("it <b>cannot</b> be done")
"""


class Browser:
    """A page, all that it asked for, and all that it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str | None] = set()
        self.complaints: list[str] = []
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        page.on("console", lambda line: self.complaints.append(line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, server: Any) -> Page:
        self.page.goto(f"{server.url}/docs")
        return self.page

    def run(self) -> None:
        self.page.get_by_role("button", name="Run").click()

    @property
    def state(self) -> Locator:
        return self.page.locator("#state")

    @property
    def result(self) -> Locator:
        return self.page.locator("#result")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        browser = Browser(context.new_page())
        yield browser
        context.close()
    assert browser.hosts <= {"127.0.0.1", "localhost", None, ""}


@pytest.fixture
def serve(launch_server: Any, tmp_path: Path) -> Callable[..., Any]:
    """Serve a model that is given by its text."""

    def start(source: str, **environment: str) -> Any:
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "run.py").write_text(source)
        server = launch_server(str(folder), wait=False, **environment)
        server.wait_for("READY")
        return server

    return start


def test_every_input_has_a_field_and_what_is_filled_in_is_sent(
    launch_server: Any, browser: Browser, tmp_path: Path
) -> None:
    page = browser.open(launch_server("takes_everything"))
    labels = [text.split()[0] for text in page.locator("label").all_inner_texts()]
    names = "text count scale flag size seed note tags steps image images options token"
    assert labels == names.split()
    file = tmp_path / "photo.txt"
    file.write_text("a photo")
    page.get_by_label("text required").fill("hello")
    page.get_by_label("size").select_option("large")
    page.get_by_label("tags").fill('["a", "b"]')
    page.get_by_label("image required").set_input_files(file)
    browser.run()
    expect(browser.state).to_contain_text("succeeded after")
    expect(browser.result.locator("pre").first).to_contain_text("hellolargeab")
    assert browser.complaints == []


def test_tokens_and_logs_are_shown_while_they_come_and_cancel_ends_the_prediction(
    serve: Any, browser: Browser
) -> None:
    server = serve(TOKENS)
    page = browser.open(server)
    page.get_by_label("prompt").fill("one two three")
    page.get_by_label("wait").select_option("true")
    browser.run()
    expect(page.locator("#live")).to_have_text("one two three ")
    expect(browser.result).to_contain_text("thinking")
    expect(browser.state).to_have_text("running…")
    page.get_by_role("button", name="Cancel").click()
    expect(browser.state).to_contain_text("canceled after")
    expect(browser.result).to_contain_text("one two three ")
    server.wait_for("READY")
    assert browser.complaints == []


def test_a_closed_page_ends_its_prediction(serve: Any, browser: Browser) -> None:
    server = serve(TOKENS)
    page = browser.open(server)
    page.get_by_label("wait").select_option("true")
    browser.run()
    expect(page.locator("#live")).to_have_text("hello ")
    page.goto("about:blank")
    server.wait_for("READY")
    (shown,) = server.client.get("/predictions").json()["results"]
    assert shown["status"] == "canceled"
    assert shown["output"] == ["hello "]


def test_files_are_sent_and_images_are_shown(serve: Any, browser: Browser, tmp_path: Path) -> None:
    page = browser.open(serve(FILES))
    image = tmp_path / "pixel.png"
    image.write_bytes(base64.b64decode(PIXEL))
    page.get_by_label("image required").set_input_files(image)
    page.get_by_label("more").set_input_files([image, image])
    browser.run()
    expect(browser.state).to_contain_text("succeeded")
    shown = browser.result.locator("img")
    expect(shown).to_have_count(3)
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth === 1)")
    assert browser.complaints == []


def test_what_is_wrong_is_said_at_its_field_and_what_failed_in_its_own_words(
    serve: Any, browser: Browser
) -> None:
    page = browser.open(serve(FAILS))
    page.evaluate("document.querySelector('form').noValidate = true")
    page.get_by_label("number").fill("9")
    browser.run()
    expect(page.locator(".problem")).to_have_text("must be <= 3, got 9")
    expect(browser.state).to_contain_text("failed")
    page.get_by_label("number").fill("2")
    browser.run()
    expect(page.locator(".problem")).to_have_count(0)
    expect(page.locator(".error")).to_have_text("it <b>cannot</b> be done")
    expect(browser.result).to_contain_text("about to fail")


def test_with_a_token_the_page_asks_for_it(serve: Any, browser: Browser) -> None:
    page = browser.open(serve(TOKENS, COG_API_TOKEN="geheim"))
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(browser.state).to_have_text("The token is not valid")
    page.get_by_label("API token").fill("geheim")
    page.get_by_role("button", name="Open").click()
    browser.run()
    expect(browser.result.locator("pre").first).to_have_text("hello ")
    expect(browser.state).to_contain_text("succeeded")
    page.get_by_label("API token").fill("wrong")
    browser.run()
    expect(browser.result).to_contain_text("The token is not valid")
    refused = "the server responded with a status of 401"
    assert [text for text in browser.complaints if refused not in text] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_any_screen_and_can_be_read_by_day_and_night(
    launch_server: Any, browser: Browser, width: int, scheme: Any
) -> None:
    browser.page.emulate_media(color_scheme=scheme)
    browser.page.set_viewport_size({"width": width, "height": 800})
    page = browser.open(launch_server("takes_everything"))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    style = "getComputedStyle(document.querySelector('.card'))"
    colours = [page.evaluate(f"{style}.{name}") for name in ("color", "backgroundColor")]
    dark, light = (brightness(colour) for colour in sorted(colours, key=brightness))
    assert (light + 0.05) / (dark + 0.05) > 7, "WCAG 2.2, level AAA"
    assert (brightness(colours[1]) < 0.5) == (scheme == "dark")
    assert browser.complaints == []


def brightness(colour: str) -> float:
    """Return the relative luminance of ``rgb(…)``. Source: WCAG 2.2."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
