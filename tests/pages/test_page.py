"""The runbook's page as a browser shows it: to a phone, to a desk, by day, by night, on paper, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

SITES = ("aww", "lotteimall", "long")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
CONTRAST = """() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 && n[3] === 0 ? null : n; };
  const light = ([r, g, b]) => {
    const part = [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("svg, script, style") || !element.checkVisibility()) continue;
    found.push([element.tagName, walker.currentNode.data.trim().slice(0, 40), ratio(parse(getComputedStyle(element).color), behind(element))]);
  }
  const rects = [...document.querySelectorAll("svg.diagram > rect")].map((r) => [r, r.getBBox()]);
  for (const text of document.querySelectorAll("svg.diagram text")) {
    const b = text.getBBox(), x = b.x + 1, y = b.y + b.height / 2;
    const under = rects.filter(([, r]) => x >= r.x && x <= r.x + r.width && y >= r.y && y <= r.y + r.height).at(-1)[0];
    found.push(["text", text.textContent, ratio(parse(getComputedStyle(text).fill), parse(getComputedStyle(under).fill))]);
  }
  return found;
}"""
BOXES = """() => {
  const box = (e) => { const b = e.getBBox(); return [e.getAttribute("class"), e.textContent, b.x, b.y, b.width, b.height]; };
  const view = document.querySelector("svg.diagram").viewBox.baseVal;
  return {
    texts: [...document.querySelectorAll("svg.diagram text")].map(box),
    rects: [...document.querySelectorAll("svg.diagram > rect:not(.background)")].map(box),
    view: [view.width, view.height],
  };
}"""
Open = Callable[..., Any]
# The page's policy forbids eval, with which `wait_for_function` asks again: what comes later is waited for by `expect`.
expect.set_options(timeout=30_000)


@pytest.fixture
def opened(browser: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """`opened("aww", viewport=...)` is a page that has loaded; what it asked for and complained of is at its `.seen`."""
    contexts = []

    def open_(name: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.seen = {"requests": [], "complaints": []}
        page.on("request", lambda one: page.seen["requests"].append(one.url))
        page.on("console", lambda one: page.seen["complaints"].append(one.text))
        page.on("pageerror", lambda one: page.seen["complaints"].append(str(one)))
        page.goto((folder / (name if "." in name else f"{name}.html")).as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


@contextmanager
def clipboard(page: Any) -> Iterator[Callable[[], str]]:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield lambda: page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("name", [*SITES, "checked"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(name: str, opened: Open) -> None:
    page = opened(name)
    page.wait_for_timeout(200)
    assert [url for url in page.seen["requests"] if not url.startswith("data:")] == [page.url]
    assert page.seen["complaints"] == []


def test_the_page_would_be_stopped_from_asking(opened: Open) -> None:
    page = opened("aww")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert any("Content Security Policy" in line for line in page.seen["complaints"])


@pytest.mark.parametrize("name", SITES)
def test_every_link_leads_to_a_place_on_the_page(name: str, opened: Open) -> None:
    page = opened(name)
    links = page.eval_on_selector_all("a[href]", "all => all.map((a) => a.getAttribute('href'))")
    assert len(links) > 30
    ids = page.eval_on_selector_all("[id]", "all => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert [
        one for one in links if not one.startswith("mailto:") and one not in {f"#{name}" for name in ids}
    ] == []
    page.click("nav a[href='#scale']")
    expect(page.locator("#scale")).to_be_in_viewport()


@pytest.mark.parametrize("name", ["aww", "lotteimall"])
def test_every_copy_button_copies_its_command(name: str, opened: Open) -> None:
    page = opened(name)
    buttons, commands = page.locator(".command > button"), page.locator(".command code").all_text_contents()
    assert buttons.count() == len(commands) > 40
    page.clock.install()
    page.clock.pause_at(datetime.now(tz=UTC) + timedelta(hours=1))
    with clipboard(page) as held:
        for number, command in enumerate(commands):
            buttons.nth(number).click()
            expect(buttons.nth(number)).to_have_text("Copied")
            expect(page.locator("#said")).to_have_text("Copied")
            assert held() == command
    page.clock.run_for(2000)
    expect(page.locator("#said")).to_be_empty()
    assert set(buttons.all_text_contents()) == {"Copy"}
    assert page.seen["complaints"] == []


def test_a_second_copy_is_said_as_long_as_the_first(opened: Open) -> None:
    page = opened("aww")
    button, said = page.locator(".command > button").first, page.locator("#said")
    page.clock.install()
    page.clock.pause_at(datetime.now(tz=UTC) + timedelta(hours=1))
    with clipboard(page):
        button.click()
        expect(said).to_have_text("Copied")
        page.clock.run_for(1500)
        page.locator(".command > button").nth(1).click()
        expect(page.locator(".command > button").nth(1)).to_have_text("Copied")
        page.clock.run_for(1500)
        expect(said).to_have_text("Copied")
        page.clock.run_for(500)
        expect(said).to_be_empty()


def test_copying_works_where_the_browser_keeps_the_clipboard_from_pages(opened: Open) -> None:
    page = opened("aww")
    with clipboard(page) as held:
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
        page.locator(".command button").nth(1).click()
        expect(page.locator("#said")).to_have_text("Copied")
        assert held() == page.locator(".command code").nth(1).text_content()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", [*SITES, "checked"])
def test_the_page_fits_and_only_boxes_scroll(name: str, size: dict[str, int], opened: Open) -> None:
    page = opened(name, viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    wide = page.eval_on_selector_all(
        "body *:not(svg *, .skip)",
        "(all, width) => all.filter((e) => e.checkVisibility() && !e.closest('pre > code, svg')"
        " && e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 80))",
        size["width"],
    )
    assert wide == []
    scrolls = page.eval_on_selector_all(
        "pre",
        "all => all.filter((e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX !== 'auto').length",
    )
    assert scrolls == 0
    small = page.eval_on_selector_all(
        "button", "all => all.filter((e) => e.getBoundingClientRect().height < 30).length"
    )
    assert small == 0
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


@pytest.mark.parametrize("width", [320, 375])
@pytest.mark.parametrize("name", SITES)
def test_on_a_phone_a_command_is_whole_and_its_button_below_it(name: str, width: int, opened: Open) -> None:
    page = opened(name, viewport={"width": width, "height": 812})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    seen = page.eval_on_selector_all(
        ".command",
        "all => all.map((e) => { const [pre, button] = [e.querySelector('pre'), e.querySelector('button')];"
        " const [above, below] = [pre.getBoundingClientRect(), button.getBoundingClientRect()];"
        " return [pre.scrollWidth - pre.clientWidth, above.width / innerWidth, below.top - above.bottom, below.height]; })",
    )
    assert len(seen) > 40
    assert [cut for cut, _, _, _ in seen if cut > 0] == []
    assert min(wide for _, wide, _, _ in seen) > 0.8
    assert min(gap for _, _, gap, _ in seen) >= 0
    assert min(high for _, _, _, high in seen) >= 44
    page.click("article >> nth=3 >> .command >> nth=0 >> button")
    expect(page.locator("#said")).to_be_in_viewport()
    back = page.locator(".back a").first
    back.click()
    expect(page.locator("#find-it")).to_be_in_viewport()


def test_without_javascript_everything_is_there_but_the_buttons(opened: Open) -> None:
    with_it, page = opened("aww"), opened("aww", java_script_enabled=False)
    for selector in ("article", "pre", "nav a", "svg text"):
        assert page.locator(selector).count() == with_it.locator(selector).count() > 0
    assert page.locator("article >> nth=5").is_visible()
    assert page.locator("button:visible").count() == 0


def test_the_keyboard_reaches_everything(opened: Open) -> None:
    page = opened("aww")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
    assert reached == ["A", "PRE", "BUTTON"]
    with clipboard(page) as held:
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_have_text("Copied")
        assert held() == page.locator(".command code").first.text_content()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["aww", "lotteimall", "checked"])
def test_every_text_stands_out_from_what_is_behind_it(name: str, scheme: str, opened: Open) -> None:
    page = opened(name, color_scheme=scheme)
    found = page.evaluate(CONTRAST)
    assert len(found) > 200
    assert [one for one in found if one[2] < 4.5] == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_it_is_black_on_white_and_nothing_is_cut_off(scheme: str, opened: Open) -> None:
    page = opened("aww", color_scheme=scheme, viewport={"width": 720, "height": 900})
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.locator("button:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    cut = page.eval_on_selector_all(
        "pre", "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0
    assert [one for one in page.evaluate(CONTRAST) if one[2] < 4.5] == []
    assert page.pdf(format="A4")[:5] == b"%PDF-"


def inside(inner: list[Any], outer: list[Any]) -> bool:
    _, _, x, y, width, height = inner
    _, _, left, top, across, down = outer
    return left <= x and x + width <= left + across and top <= y and y + height <= top + down


def overlap(one: list[Any], other: list[Any]) -> bool:
    _, _, x, y, width, height = one
    _, _, left, top, across, down = other
    return x < left + across and left < x + width and y < top + down and top < y + height


@pytest.mark.parametrize("name", SITES)
def test_no_name_of_the_drawing_runs_into_another_or_out_of_its_box(name: str, opened: Open) -> None:
    drawn = opened(name).evaluate(BOXES)
    texts, rects, (width, height) = drawn["texts"], drawn["rects"], drawn["view"]
    assert len(texts) > 20
    for number, text in enumerate(texts):
        # A line's box is higher than its letters.
        lower = [*text[:3], text[3] + 2, text[4], text[5] - 4]
        assert inside(lower, ["", "", 0, 0, width, height]), text
        assert not [
            other[1]
            for other in texts[number + 1 :]
            if overlap(lower, [*other[:3], other[3] + 2, other[4], other[5] - 4])
        ]
        around = [rect for rect in rects if overlap(["", "", text[2], text[3] + 4, 1, 4], rect)]
        assert all(inside(lower, rect) for rect in around), text
    for number, one in enumerate(rects):
        for other in rects[number + 1 :]:
            assert not overlap(one, other) or inside(other, one) or inside(one, other), (one, other)


def test_the_drawing_says_what_it_shows(opened: Open) -> None:
    page = opened("aww")
    drawing = page.locator("svg.diagram")
    assert drawing.get_attribute("role") == "img"
    title, description = (
        page.locator(f"#diagram-{part}").text_content() for part in ("title", "description")
    )
    assert title == "Architecture of aww"
    for name in ("xgen-aww", "nexus.aww.example:5000", "10.20.1.10:5432", "xgen-mcp-station", "10.40.0.0/16"):
        joined = "".join(page.locator("svg.diagram text").all_text_contents())
        assert name in joined
    assert "xgen-mcp-station" in description


@pytest.mark.parametrize("name", SITES)
def test_the_drawing_beside_the_markdown_is_a_picture_of_its_own(name: str, opened: Open) -> None:
    page = opened(f"{name}.svg")
    assert page.seen["complaints"] == []
    assert page.evaluate("document.documentElement.querySelectorAll('text').length") > 20
