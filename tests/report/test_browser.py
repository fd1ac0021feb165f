"""The page in a real browser: what a reader can do with it, and that nothing of it reaches for the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MUST = os.environ.get("BENCH_BROWSER") == "1"
ARGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
SIZE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; without one the tests skip, or fail where BENCH_BROWSER=1 says that there must be one."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None and not MUST:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    assert path, "BENCH_BROWSER=1, and no chromium on this machine"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        held = play.chromium.launch(executable_path=path, args=ARGS)
        yield held
        held.close()


@contextmanager
def opened(browser: Any, path: Path) -> Iterator[Any]:
    """A page, opened from its file; in the end it must not have complained, nor asked for anything but itself."""
    context = browser.new_context(viewport=SIZE, color_scheme="light")
    held, wrong, asked = context.new_page(), [], []
    held.set_default_timeout(120_000)
    held.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    held.on("pageerror", lambda error: wrong.append(str(error)))
    held.on("request", lambda request: asked.append(request.url))
    held.goto(path.as_uri())
    yield held
    assert wrong == []
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    context.close()


@pytest.fixture(scope="module")
def held(browser, reported) -> Iterator[Any]:
    with opened(browser, reported) as held:
        yield held


@pytest.fixture
def page(held) -> Any:
    """The page as a reader finds it who comes for the first time."""
    held.evaluate("localStorage.clear()")
    held.emulate_media(color_scheme="light")
    held.set_viewport_size(SIZE)
    held.reload()
    return held


@pytest.fixture(scope="module")
def whole(browser, printed) -> Iterator[Any]:
    with opened(browser, printed) as held:
        yield held


def column(page: Any, number: int, table: str = "#board") -> list[str]:
    """Text of a column of the rows that are to be seen; 1 is the first."""
    return [cell.strip() for cell in page.locator(f"{table} tbody tr:visible > :nth-child({number})").all_inner_texts()]


def means(cells: list[str]) -> list[float]:
    return [float(cell.split()[0]) for cell in cells if cell != "–"]


def heading(page: Any, name: str) -> Any:
    return page.locator("#board thead th").filter(has_text=name)


# Sorting


def test_sorting_sorts_and_a_third_time_gives_the_order_back(page) -> None:
    before, mig = column(page, 1), heading(page, "mig")
    mig.get_by_role("button").click()
    assert mig.get_attribute("aria-sort") == "descending"
    down = means(column(page, 4))
    assert down == sorted(down, reverse=True) and len(set(down)) > 4
    mig.get_by_role("button").click()
    assert mig.get_attribute("aria-sort") == "ascending" and means(column(page, 4)) == down[::-1]
    assert "sorted by mig" in page.locator("#said").inner_text()
    mig.get_by_role("button").click()
    assert mig.get_attribute("aria-sort") == "none" and column(page, 1) == before


def test_words_sort_as_words_with_numbers_in_them(page) -> None:
    heading(page, "model").get_by_role("button").click()
    names = column(page, 1)
    assert names == sorted(names) and names[0] == "betavae (beta=1)" and names[-1] == "untrained"


def test_what_is_missing_is_last_whichever_way_one_sorts(page) -> None:
    for _ in range(2):
        heading(page, "reconstruction").get_by_role("button").click()
        cells = column(page, 8)
        assert "–" in cells and set(cells[cells.index("–") :]) == {"–"}


def test_one_column_sorts_at_a_time(page) -> None:
    for name in ("mig", "seeds"):
        heading(page, name).get_by_role("button").click()
    sorts = page.locator("#board thead th").evaluate_all("heads => heads.map((head) => head.ariaSort)")
    assert sorts[2] == "descending" and set(sorts[:2] + sorts[3:]) == {"none"}


# Filters


def told(page: Any) -> str:
    return page.locator("#filters output").inner_text()


def test_filters_filter_rows_and_columns(page) -> None:
    assert told(page) == "14 of 14 rows, 5 of 5 metrics shown"
    page.get_by_label("Data set", exact=True).select_option("digits (rendered)")
    assert set(column(page, 2)) == {"digits (rendered)"} and told(page).startswith("7 of 14 rows")
    page.get_by_label("Model", exact=True).select_option("betavae")
    assert column(page, 1) == ["betavae (beta=1)", "betavae (beta=8)"]
    page.get_by_label("Text", exact=True).fill("beta=8 DIGITS")
    assert column(page, 1) == ["betavae (beta=8)"]
    page.get_by_label("Text", exact=True).fill("no such thing")
    assert column(page, 1) == [] and told(page).startswith("0 of 14")
    page.get_by_role("button", name="Reset").click()
    assert len(column(page, 1)) == 14


def test_metrics_can_be_hidden_and_shown(page) -> None:
    page.get_by_role("checkbox", name="mig").uncheck()
    assert heading(page, "mig").is_hidden() and heading(page, "dci.completeness").is_visible()
    page.get_by_role("button", name="none").click()
    assert not page.locator("#board td:nth-child(4), #board td:nth-child(8)").first.is_visible()
    assert (
        told(page) == "14 of 14 rows, 0 of 5 metrics shown"
        and page.locator("#board td:nth-child(3)").first.is_visible()
    )
    page.get_by_role("button", name="all", exact=True).click()
    assert heading(page, "mig").is_visible()


# Without a mouse, and for other eyes


def test_the_keyboard_alone_is_enough(page) -> None:
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("link => link === document.activeElement") and skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    button = heading(page, "mig").get_by_role("button")
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert float(button.evaluate("button => parseFloat(getComputedStyle(button).outlineWidth)")) >= 2
    page.keyboard.press("Enter")
    assert heading(page, "mig").get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert heading(page, "mig").get_attribute("aria-sort") == "ascending"


def test_everything_has_a_name_for_those_who_listen(page) -> None:
    assert page.locator("img:not([alt])").count() == page.locator('img[alt=""]').count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    unnamed = "fields => fields.filter((field) => !field.labels.length).length"
    assert page.locator("#filters select, #filters input").evaluate_all(unnamed) == 0
    ids = page.locator("[id]").evaluate_all("all => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))


def brightness(page: Any, query: str, what: str) -> float:
    return page.locator(query).first.evaluate(
        f"one => getComputedStyle(one).{what}.match(/[\\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765"
    )


def test_light_and_dark_by_the_readers_system_and_by_the_switch(page) -> None:
    assert brightness(page, "body", "backgroundColor") > 0.9 and brightness(page, "body", "color") < 0.2
    page.emulate_media(color_scheme="dark")
    assert brightness(page, "body", "backgroundColor") < 0.2 and brightness(page, "body", "color") > 0.8
    switch = page.locator("#theme")
    assert switch.inner_text() == "Colours: automatic"
    switch.click()
    assert switch.inner_text() == "Colours: light" and brightness(page, "body", "backgroundColor") > 0.9
    page.emulate_media(color_scheme="light")
    switch.click()
    assert switch.inner_text() == "Colours: dark" and brightness(page, "body", "backgroundColor") < 0.2


# The whole


def test_every_picture_is_there(whole) -> None:
    whole.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    whole.evaluate(
        "document.querySelectorAll('section').forEach((one) => { one.style.contentVisibility = 'visible'; })"
    )
    broken = "all => Promise.all(all.map((one) => one.decode().then(() => '', () => one.alt))).then((x) => x.join(''))"
    assert whole.locator("img").count() > 10 and whole.locator("img").evaluate_all(broken) == ""


def test_links_lead_somewhere_and_tables_can_be_kept(page, reported) -> None:
    lost = "all => all.map((a) => a.hash.slice(1)).filter((id) => !document.getElementById(id))"
    assert page.locator("a[href^='#']").evaluate_all(lost) == []
    with page.expect_download() as kept:
        page.get_by_role("link", name="leaderboard.csv").click()
    assert Path(kept.value.path()).read_bytes() == (reported.parent / "leaderboard.csv").read_bytes()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["page", "whole"])
def test_the_page_itself_never_scrolls_sideways(request, name: str, width: int, tmp_path: Path) -> None:
    seen = request.getfixturevalue(name)
    seen.set_viewport_size({"width": width, "height": 900})
    seen.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    seen.screenshot(path=tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_without_scripts_all_is_there_but_the_filters(browser, reported) -> None:
    context = browser.new_context(java_script_enabled=False)
    held = context.new_page()
    held.set_default_timeout(120_000)
    held.goto(reported.as_uri())
    assert held.locator("#filters").is_hidden() and held.locator("#theme").is_hidden()
    assert held.locator("#board tbody tr").count() == 14
    context.close()
