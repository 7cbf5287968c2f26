"""Looks at the pages in Chromium: light and dark, wide and at 390 px, with JavaScript and without.

    python browsercheck.py --screenshots FOLDER

Fails on console errors, requests to anyone else, text that does not fit, and what axe finds.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from conftest import APPLICATION, connect_slack
from harness.deployment import INTEGRATIONS, Sandbox, Server
from harness.stripe_events import event, signed
from harness.waiting import eventually
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

WIDTHS = {"wide": 1280, "phone": 390}


def busy(server, sandbox):
    """Some calls, a failure, an event: what the cards show."""
    connect_slack(server, "user_1")
    key = server.create_key("browser", "proxy")
    for _ in range(5):
        server.get("/v1/proxy/stripe/v1/customers", key=key)
        server.post("/v1/proxy/slack:user_1/api/auth.test", key=key)
    sandbox.controls.fault("stripe", "server_error", status=500, times=10)
    server.get("/v1/proxy/stripe/v1/customers", key=key)
    sandbox.controls.clear_faults()
    body, headers = signed(event(), INTEGRATIONS["STRIPE_WEBHOOK_SECRET"])
    server.post("/webhooks/stripe", key=None, data=body, headers=headers)


#: Rules that an afternoon of clicking would not break, looked at every second.
ALERTS = {
    "interval": "1s", "resolve_after": "1s",
    "success_rate": {"min_calls": 8}, "server_errors": {"threshold": 4},
    "integrations": {"openai": {"success_rate": {"threshold": "50%"}, "server_errors": "off"}},
}


def alarmed(server, sandbox):
    """Two alerts that fire, and one that is resolved."""
    key = server.create_key("alarm", "proxy")

    def call(path, count):
        for _ in range(count):
            server.get(f"/v1/proxy/{path}", key=key)

    sandbox.controls.fault("openai", "server_error", status=500, times=100)
    call("openai/v1/models", 8)
    eventually(lambda: alerts(server, "firing") >= {("openai", "success_rate")})
    sandbox.controls.clear_faults()

    def recovered():
        call("openai/v1/models", 3)
        return alerts(server, "resolved") >= {("openai", "success_rate")}

    eventually(recovered, timeout=90)
    sandbox.controls.fault("stripe", "server_error", status=500, times=100)
    call("stripe/v1/customers", 5)
    sandbox.controls.clear_faults()
    eventually(lambda: alerts(server, "firing") >= {
        ("stripe", "success_rate"), ("stripe", "server_errors")})


def alerts(server, state):
    return {(one["integration"], one["rule"])
            for one in server.all_pages("/v1/alerts", state=state)}


class Look:
    """One browser context and what went wrong in it."""

    def __init__(self, browser, origin, name, *, width, scheme, script):
        self.name = name
        self.origin = origin
        self.script = script
        self.problems = []
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme,
            java_script_enabled=script, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong(f"script error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def wrong(self, problem):
        self.problems.append(f"{self.name}: {problem}")

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.wrong(f"console {message.type}: {message.text}")

    def _request(self, request):
        parts = urlsplit(request.url)
        # Links name the machine, the server its address: both are the same origin's.
        origin = f"{parts.scheme}://{parts.netloc}".replace("://localhost", "://127.0.0.1")
        if parts.scheme != "data" and origin != self.origin:
            self.wrong(f"a request to {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.wrong(f"{response.status} for {response.url}")

    def sign_in(self, key):
        self.page.goto(self.origin)
        self.page.fill("input[type=password]", key)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("input[type=password]", state="detached")

    def check(self, what, folder):
        """Fits its width, has a title, a language and one main heading; leaves a screenshot."""
        page = self.page
        page.screenshot(path=folder / f"{what}-{self.name}.png", full_page=True)
        facts = page.evaluate("""() => ({
            width: document.documentElement.scrollWidth, visible: document.documentElement.clientWidth,
            title: document.title, language: document.documentElement.lang,
            headings: document.querySelectorAll('h1').length})""")
        if facts["width"] > facts["visible"]:
            self.wrong(f"{what}: {facts['width']} px wide on {facts['visible']} px")
        if not facts["title"] or not facts["language"] or facts["headings"] != 1:
            self.wrong(f"{what}: title, language or heading: {facts}")

    def accessible(self, what):
        """What axe finds; it is a script itself, so not where scripts are off."""
        if not self.script:
            return
        for violation in Axe().run(self.page).response["violations"]:
            places = [node["html"][:120] for node in violation["nodes"][:3]]
            self.wrong(f"{what}: axe {violation['id']} ({violation['impact']}): {places}")


def overview(look, server, folder):
    look.page.goto(server.url)
    look.check("sign-in", folder)
    look.accessible("sign-in")
    look.sign_in(server.admin_key)
    look.page.wait_for_load_state("load")
    look.check("overview", folder)
    look.accessible("overview")
    text = look.page.inner_text("body").lower()
    for name in ("slack", "stripe", "openai"):
        if name not in text:
            look.wrong(f"overview: no card for {name}")
    if not any(word in text for word in ("healthy", "degraded", "down", "idle")):
        look.wrong("overview: no status in words")


def shown_alerts(look):
    """What fires and what was resolved, in words, each linked to a card that is there."""
    page = look.page
    if page.locator(".alert.firing").count() != 2 or page.locator(".resolved li").count() != 1:
        look.wrong("overview: two alerts should fire and one be resolved")
    for text in page.locator(".alert.firing").all_inner_texts():
        if not all(word in text for word in ("Firing", "Stripe", "since")):
            look.wrong(f"overview: an alert says {text!r}")
    if "Resolved" not in page.locator(".resolved").inner_text():
        look.wrong("overview: a resolved alert does not say so")
    for link in page.locator(".alerts a").all():
        if not page.locator(link.get_attribute("href")).count():
            look.wrong(f"overview: {link.get_attribute('href')} leads nowhere")


def live(look, server, sandbox):
    """An alert comes up on a page that is open, without a reload."""
    look.sign_in(server.admin_key)
    look.page.wait_for_function("document.getElementById('liveness').textContent === 'Updating live.'")
    alarmed(server, sandbox)
    try:
        look.page.wait_for_selector(".alert.firing >> nth=1", timeout=10_000)
        look.page.wait_for_function("document.getElementById('summary').textContent.includes('2 alerts')")
    except PlaywrightError as error:
        look.wrong(f"overview: no alert on the open page: {error}")
    look.accessible("live")


def keyboard(look, server):
    """Whatever can be clicked can be reached, and shows it."""
    look.sign_in(server.admin_key)
    page = look.page
    wanted = page.evaluate("""() => [...document.querySelectorAll('a[href], button, summary, input')]
        .filter(e => e.offsetParent !== null && e.type !== 'hidden' && e.tabIndex >= 0).length""")
    reached = set()
    for _ in range(wanted * 2 + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("""() => { const e = document.activeElement;
            if (e === document.body) return null;
            const s = getComputedStyle(e);
            return [[...document.querySelectorAll('*')].indexOf(e),
                    s.outlineStyle !== 'none' || s.boxShadow !== 'none'].join() }"""))
    reached.discard(None)
    if len({one.split(",")[0] for one in reached}) < wanted:
        look.wrong(f"the Tab key reaches {len(reached)} of {wanted} links and buttons")
    if any(one.endswith("false") for one in reached):
        look.wrong("something focused does not show its focus")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--screenshots", type=Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.screenshots, ignore_errors=True)
    options.screenshots.mkdir(parents=True)
    chromium = os.environ.get("FAIRLEAD_CHROMIUM") or shutil.which("chromium")
    problems, looks = [], 0
    with tempfile.TemporaryDirectory(prefix="fairlead-browser-") as name, sync_playwright() as play:
        directory = Path(name)
        sandbox = Sandbox(directory / "sandbox")
        server = Server(directory / "server", sandbox=sandbox.url, configuration={
            "connect": {"redirect_origins": [APPLICATION]}, "alerts": ALERTS})
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for state in ("empty", "busy", "alerts"):
                if state == "busy":
                    busy(server, sandbox)
                elif state == "alerts":
                    look = Look(browser, server.url, "live", width=1280, scheme="light", script=True)
                    live(look, server, sandbox)
                    problems += look.problems
                    look.context.close()
                for size, width in WIDTHS.items():
                    for scheme in ("light", "dark"):
                        for script in (True, False):
                            look = Look(
                                browser, server.url,
                                f"{state}-{size}-{scheme}{'' if script else '-noscript'}",
                                width=width, scheme=scheme, script=script)
                            overview(look, server, options.screenshots)
                            if state == "alerts":
                                shown_alerts(look)
                            problems += look.problems
                            looks += 1
                            look.context.close()
            link = server.post("/v1/connect/sessions", json={
                "owner": "user_2", "owner_label": "Dana Example"}).json()["url"]
            for size, width in WIDTHS.items():
                for scheme in ("light", "dark"):
                    look = Look(browser, server.url, f"{size}-{scheme}", width=width, scheme=scheme,
                                script=False)
                    look.page.goto(link)
                    look.check("connect", options.screenshots)
                    look.accessible("connect")
                    problems += look.problems
                    looks += 1
                    look.context.close()
            look = Look(browser, server.url, "keyboard", width=1280, scheme="light", script=True)
            keyboard(look, server)
            problems += look.problems
        finally:
            browser.close()
            server.stop()
            sandbox.stop()
    for problem in problems:
        print(f"  WRONG: {problem}")
    print(f"  {looks} looks, screenshots in {options.screenshots}: {len(problems) or 'no'} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
