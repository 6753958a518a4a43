"""The review of undecided costs as a person uses it: the module in a page, with a model that keeps what it gets."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from auditkit.papers.link_review import LinkReview
from tests.browser.papers import HOSTILE, provoke
from tests.papers.test_link_review import candidates

_SHOW = """async ([code, state]) => {
    const source = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const { default: module } = await import(source);
    const heard = [];
    window.state = state;
    window.saved = 0;
    const model = {
        get: (name) => window.state[name],
        set: (name, value) => { window.state[name] = value; },
        save_changes: () => { window.saved += 1; for (const each of heard) each(); },
        on: (_, callback) => heard.push(callback),
        off: () => {},
    };
    module.render({ model, el: document.body });
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    frame = candidates(("n1", "k1"), ("n1", "k2"), ("n2", "k1")).assign(line_text=list(HOSTILE[:3]), vendor=HOSTILE[3])
    made = LinkReview(frame)
    state = {"columns": made.columns, "costs": made.costs, "choices": {}, "summary": HOSTILE[0], "sql": HOSTILE[1]}
    opened = browser.new_page()
    opened.goto("about:blank")
    opened.evaluate(_SHOW, [str(LinkReview._esm), json.loads(json.dumps(state))])
    yield opened
    opened.close()


def chosen(page: Page) -> dict[str, str]:
    return dict(page.evaluate("window.state.choices"))


def test_a_line_none_of_these_or_nothing(page: Page) -> None:
    rows = page.locator("tbody tr")
    assert (
        rows.count() == 9 and page.locator("tbody").count() == 2
    )  # a heading, the lines, and two answers for each cost
    assert page.locator("input:checked").count() == 2  # not decided
    rows.nth(2).click()
    assert chosen(page) == {"n1": "k2"}
    page.get_by_role("radio", name="none of these").last.check()
    assert chosen(page) == {"n1": "k2", "n2": "none"}
    expect(rows.nth(2)).to_have_class("checked")
    page.get_by_role("radio", name="not decided").first.check()
    assert chosen(page) == {"n2": "none"} and page.locator("tr.checked").count() == 1


def test_hostile_text_is_text(page: Page) -> None:
    provoke(page)
    assert page.evaluate("window.__hit") is None
    assert page.locator("body :is(img, script, svg, iframe, a)").count() == 0
    expect(page.locator("pre")).to_have_text(HOSTILE[1])
