"""The pages as they are used: a real server, a real browser, keys and a keyboard."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from features.settings import Settings
from tests.browser import Browser, browsing
from tests.processes import environment
from tests.servers import running

pytestmark = pytest.mark.slow
KEY = "score-key-of-the-browser"
WIDER = """[...document.querySelectorAll("body *")].filter((e) => !e.closest("svg")
  && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"""
FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"
FAINT = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest("svg")) continue;
    const both = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
    const ratio = (both[0] + 0.05) / (both[1] + 0.05);
    if (ratio < 4.5) faint.push([ratio, e.outerHTML.slice(0, 80)]);
  }
  return faint;
})()"""


@pytest.fixture(scope="module")
def site(shop: Settings) -> Iterator[str]:
    command = [sys.executable, "-m", "serving", "import", "--settings", str(shop.path)]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    with running(shop.path, RAPPORT_KEYS_SCORE=KEY) as server:
        yield f"http://127.0.0.1:{server.port}"
        told = server.stop()
    assert "Traceback" not in told
    assert KEY not in told
    routes = {json.loads(line).get("route") for line in told.splitlines() if line[:1] == "{"}
    assert {"/", "/customer", "/login", "/page.css", "/icon.svg"} <= routes


@pytest.fixture(scope="module")
def browser(site: str) -> Iterator[Browser]:
    with browsing() as opened:
        opened.size(1200)
        opened.open(f"{site}/")
        assert opened.run("location.pathname") == "/login"
        assert opened.run(FOCUSED) == "key"
        opened.type(KEY)
        opened.press("Enter")
        opened.wait("Page.loadEventFired")
        assert opened.run("location.pathname") == "/"
        yield opened


def test_a_customer_is_found_by_keyboard_alone(browser: Browser, site: str) -> None:
    browser.open(f"{site}/customer?id=0002")
    reached: list[str] = []
    while "id" not in reached[-1:]:
        browser.press("Tab")
        reached.append(browser.run(FOCUSED))
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert len(reached) < 5, reached
    assert reached[0] == "Skip to the content"
    browser.type("0001")
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    assert browser.run("document.querySelector('h1').textContent") == "0001"
    assert browser.complaints() == []


def test_the_skip_link_leads_past_the_search(browser: Browser, site: str) -> None:
    browser.open(f"{site}/customer?id=0001")
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("document.activeElement.id") == "main"


@pytest.mark.parametrize("path", ["/", "/customer?id=0001", "/customer?id=nobody", "/login"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_is_legible_and_has_nothing_to_complain_of(
    browser: Browser, site: str, path: str, width: int, dark: bool
) -> None:
    browser.size(width, dark=dark)
    browser.open(f"{site}{path}")
    expected = ["Failed to load resource: the server responded with a status of 404 (Not Found)"]
    assert browser.complaints() == (expected if "nobody" in path else [])
    assert browser.run("matchMedia('(prefers-color-scheme: dark)').matches") == dark
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(WIDER) == []
    assert browser.run("document.querySelectorAll('details').forEach((e) => e.open = true)") is None
    assert browser.run(FAINT) == []
    assert browser.run("document.querySelectorAll('main, header, footer').length") >= 3
    fields = "[...document.querySelectorAll('input:not([type=hidden], [hidden])')]"
    assert all(browser.run(f"{fields}.map((e) => e.labels.length)"))


def test_the_api_is_described_without_asking_anybody_else(browser: Browser, site: str) -> None:
    browser.open(f"{site}/v1/docs")
    deadline = time.monotonic() + 30
    while not browser.run("document.querySelectorAll('.opblock').length"):
        assert time.monotonic() < deadline, browser.complaints()
    assert "/churn" in browser.run("document.body.innerText")
    assert browser.complaints() == []
    loaded = browser.run("performance.getEntriesByType('resource').map((e) => e.name)")
    assert {f"{site}/v1/openapi.json", f"{site}/static_content/swagger-ui.css"} <= set(loaded)
    assert [each for each in loaded if not each.startswith((f"{site}/", "data:"))] == []


def test_signing_out_closes_the_pages(browser: Browser, site: str) -> None:
    browser.open(f"{site}/")
    browser.run("document.querySelector('.leave button').focus()")
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    browser.open(f"{site}/customer?id=0001")
    assert browser.run("location.pathname + location.search") == "/login?to=%2Fcustomer%3Fid%3D0001"
