#!/usr/bin/env python3
"""The desk's pages in a real browser, with passkeys made on a virtual authenticator.

    run.py --tacitd PROGRAM --tacit PROGRAM --certificates PROGRAM [--pictures DIRECTORY] [--axe SCRIPT]

Starts a demonstration of its own. Ends with "desk: N passed, N failed".
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from selenium.webdriver.common.by import By

from browser import Browser


class Server:
    """A demonstration on a port of its own."""

    def __init__(self, program, data):
        self.program, self.data = program, data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://desk.localhost:{self.port}"
        self.process = self.log = None

    def command(self):
        return [self.program, "serve", "--demo", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]

    def start(self):
        with contextlib.nullcontext() if self.log is None else self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            if "Press Ctrl-C" in line:
                break
        link = re.search(r"http://\S+/invitation#\S+", said)
        return link and link.group(0)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None

    def advance(self, days):
        """Sends the demonstration's clock ahead."""
        body = json.dumps({"advance_days": days}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/demo/clock", data=body).read()

    def staff(self, *arguments):
        command = [self.program, "staff", arguments[0], self.data, *arguments[1:]]
        return subprocess.run(command, capture_output=True, text=True)


class Suite:
    def __init__(self, server, link, pictures, axe=None, certificates=None, tacit=None):
        self.server, self.link, self.pictures = server, link, pictures
        self.axe = pathlib.Path(axe).read_text() if axe else None
        self.certificates, self.tacit = certificates, tacit
        self.passed = self.failed = 0

    def browser(self):
        return Browser(self.server.base, self.pictures, self.axe)

    def check(self, story):
        started = time.monotonic()
        try:
            story(self)
            self.passed += 1
            print(f"ok      {story.__doc__.strip()} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception as error:
            self.failed += 1
            print(f"FAILED  {story.__doc__.strip()}\n        {type(error).__name__}: {str(error)[:1200]}", flush=True)


def sign_up(browser, name):
    browser.go("/portal/sign-up")
    browser.type("#name", name)
    browser.press("main button")
    browser.until_at("/portal")


def sign_in(browser, console="/portal"):
    browser.go(f"{console}/sign-in")
    browser.press("main button")
    browser.until_at(console)


def accept(browser, link, label):
    browser.go(link)
    browser.until("the code", lambda b: len(b.find("#code").get_attribute("value")) == 19)
    browser.type("#label", label)
    browser.press("main button")


@contextlib.contextmanager
def attacker(action):
    """A site of somebody else's, whose page sends a form to `action` at once."""
    page = f"<form method=post action='{action}'><input name=form_token value={'0' * 64}></form><script>document.forms[0].submit()</script>"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        site.daemon_threads = True
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://evil.localhost:{site.server_port}/"
        site.shutdown()
        site.block_on_close = False  # Browsers keep spare connections open.


def a_newcomer(suite):
    """the front door leads to an account, out of it and in again, with nothing to type"""
    browser = suite.browser()
    try:
        browser.go("/")
        browser.picture("front")
        browser.press("a[href='/portal/sign-up']")
        browser.until_at("/portal/sign-up")
        browser.picture("sign-up")
        sign_up(browser, "Ada Lovelace")
        assert "Ada Lovelace" in browser.text()
        browser.picture("portal")
        cookie = browser.cookie("person")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/", cookie
        assert not browser.driver.execute_script("return document.cookie"), "no script sees it"
        browser.press("form.me button")
        browser.until_at("/")
        assert browser.cookie("person") is None
        browser.go("/portal")
        browser.until_at("/portal/sign-in")
        browser.picture("sign-in")
        sign_in(browser)
        assert "Ada Lovelace" in browser.text()
        assert not browser.complaints(), browser.complaints()
    finally:
        browser.close()


def a_locked_device(suite):
    """a device that cannot be unlocked signs nobody in and nobody up"""
    browser = suite.browser()
    try:
        sign_up(browser, "Grace Hopper")
        browser.press("form.me button")
        browser.until_at("/")
        browser.lock_device()
        browser.go("/portal/sign-in")
        browser.press("main button")
        browser.until("a reason", lambda b: b.find(".wrong").text)
        assert browser.path() == "/portal/sign-in"
        browser.picture("sign-in-refused")
        assert browser.cookie("person") is None
    finally:
        browser.close()


def passkeys(suite):
    """a second passkey is added and removed, signs in, and the last one stays"""
    browser = suite.browser()
    try:
        sign_up(browser, "Alan Turing")
        assert not browser.all("form[action='/portal/passkeys/remove']"), "the only one cannot be removed"
        browser.type("#label", "first device again")
        browser.press("#passkeys form[data-passkey] button")
        browser.until_text("has a passkey for this account already")
        browser.change_device()
        browser.type("#label", "key on the ring")
        browser.press("#passkeys form[data-passkey] button")
        browser.until_text("The passkey is added.")
        assert "key on the ring" in browser.text()
        browser.picture("portal-two-passkeys")
        browser.press("form.me button")
        browser.until_at("/")
        sign_in(browser)  # With the second: the first is gone.
        rows = browser.all("#passkeys .list li")
        assert len(rows) == 2
        first = next(row for row in rows if "First passkey" in row.text)
        first.find_element(By.CSS_SELECTOR, "button").click()
        browser.until_text("The passkey is removed")
        assert len(browser.all("#passkeys .list li")) == 1
        token = browser.find("input[name=form_token]").get_attribute("value")
        name = browser.credentials()[0].id  # base64url, which the desk does not take here
        status, _ = browser.send("/portal/passkeys/remove", {"form_token": token, "credential": name})
        assert status == 404, status
    finally:
        browser.close()


def details(suite):
    """contact and IBAN are kept as they are written, and a wrong digit is named"""
    browser = suite.browser()
    try:
        sign_up(browser, "<b>Zoë</b> & Söhne 🙂")
        assert "<b>Zoë</b> & Söhne 🙂" in browser.text(), "shown as it was written"
        browser.type("#contact", "zoe@example.org")
        browser.type("#iban", "de89370400440532013000")
        browser.press("#details button")
        browser.until_text("Saved.")
        assert browser.find("#iban").get_attribute("value") == "DE89 3704 0044 0532 0130 00"
        browser.type("#iban", "DE89370400440532013001")
        browser.press("#details button")
        browser.until_text("check digits do not fit")
        browser.picture("refusal-field")
        browser.go("/portal")
        assert browser.find("#iban").get_attribute("value") == "DE89 3704 0044 0532 0130 00"
    finally:
        browser.close()


def forged(suite):
    """what another site sends, or lacks the form's token, does nothing"""
    browser = suite.browser()
    try:
        sign_up(browser, "Emmy Noether")
        status, text = browser.send("/portal/sign-out", {"form_token": "00" * 32})
        assert status == 403 and "did not come from our page" in text, (status, text[:200])
        status, text = browser.send("/portal/sign-out", {})
        assert status == 403, status
        mint = f"http://mint.localhost:{suite.server.port}/"
        for action in ("/portal/sign-out", "/portal/sign-out-everywhere", "/portal/details"):
            with attacker(suite.server.base + action) as page:
                browser.go(page)
                browser.until_text("did not come from our page")
        browser.picture("refusal-forged")
        browser.go(mint)
        status, _ = browser.send(suite.server.base + "/portal/sign-out", {})
        assert status == 0, "the mint's pages may not even send"
        browser.go("/portal")
        assert browser.path() == "/portal", "still signed in"
    finally:
        browser.close()


def expiry(suite):
    """a session ends by itself, and signing out everywhere ends all of them"""
    one, other = suite.browser(), suite.browser()
    try:
        sign_up(one, "Kurt Gödel")
        cookie = one.cookie("person")
        other.go("/")
        other.driver.add_cookie({"name": "person", "value": cookie["value"], "path": "/"})
        other.go("/portal")
        assert "Kurt Gödel" in other.text(), "the same session elsewhere"
        one.press("form[action='/portal/sign-out-everywhere'] button")
        one.until_at("/")
        other.go("/portal")
        assert other.path() == "/portal/sign-in"
        sign_in(one)
        suite.server.advance(1)
        token = one.find("input[name=form_token]").get_attribute("value")
        status, text = one.send("/portal/details", {"form_token": token, "contact": "", "iban": ""})
        assert status == 401 and "You are signed out" in text, (status, text[:200])
        one.press("#details button")
        one.until_text("You are signed out")
        one.picture("refusal-expired")
        one.go("/portal")
        one.until_at("/portal/sign-in")
    finally:
        one.close()
        other.close()


def staff(suite):
    """the demonstration's invitation makes an admin, who takes a teller in, each with their own menu"""
    admin, teller = suite.browser(), suite.browser()
    try:
        admin.go(suite.link)
        admin.picture("invitation")
        accept(admin, suite.link, "console")
        admin.until_at("/operator")
        admin.picture("operator")
        menu = [item.text for item in admin.all(".menu a")]
        assert menu == ["Overview", "Staff", "Trail", "Passkeys"], menu
        cookie = admin.cookie("staff")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie
        accept(teller, suite.link, "stolen")
        teller.until_text("used before, has expired")
        admin.go("/operator/staff")
        admin.type("#name", "Tessa Teller")
        admin.press("main section form button")
        admin.until_text("Hand this over")
        admin.picture("staff")
        link = re.search(r"http://\S+/invitation#\S+", admin.text()).group(0)
        accept(teller, link, "till")
        teller.until_at("/operator")
        menu = [item.text for item in teller.all(".menu a")]
        assert menu == ["Overview", "People", "Identification", "Complaints", "Agents", "Verifiers", "Billers", "Passkeys"], menu
        for path in ("/operator/staff", "/operator/trail"):
            teller.go(path)
            assert "Your role does not allow this" in teller.text(), path
        teller.picture("refusal-forbidden")
        teller.go("/portal")
        teller.until_at("/portal/sign-in")  # One kind of login opens nothing of another.
        token = "".join(re.findall(r"[0-9a-f]", teller.cookie("staff")["value"]))
        teller.driver.add_cookie({"name": "person", "value": token, "path": "/"})
        teller.go("/portal")
        teller.until_at("/portal/sign-in")
        teller.go("/operator/passkeys")
        teller.picture("operator-passkeys")
        admin.go("/operator/staff")
        dismiss_row = next(row for row in admin.all("tbody tr") if "Tessa" in row.text)
        dismiss_row.find_element(By.CSS_SELECTOR, "button[value=dismiss]").click()
        admin.until_text("gone")
        teller.go("/operator")
        teller.until_at("/operator/sign-in")
        teller.press("main button")
        teller.until_text("It is not known here")
        own_row = next(row for row in admin.all("tbody tr") if "Demo admin" in row.text)
        own_row.find_element(By.CSS_SELECTOR, "button[value=dismiss]").click()
        admin.until_text("Nobody would be left")
        admin.go("/operator/trail")
        trail = admin.text()
        for action in ("staff-added", "invitation-accepted", "staff-dismissed"):
            assert action in trail, action
        assert "unbroken" in trail
        admin.picture("trail")
    finally:
        admin.close()
        teller.close()


def command_line(suite):
    """tacitd staff lets in whoever has no passkey, and a restart keeps who is signed in"""
    added = suite.server.staff("add", "--name", "Olga Operator", "--role", "auditor")
    assert added.returncode == 0, added
    again = suite.server.staff("add", "--name", "Olga Operator", "--role", "auditor")
    assert again.returncode == 1 and "called so" in again.stderr, again
    assert suite.server.staff("invite", "--name", "Nobody").returncode == 1
    browser = suite.browser()
    try:
        accept(browser, added.stdout.strip(), "laptop")
        browser.until_at("/operator")
        suite.server.stop()
        link = suite.server.start()
        assert link is None, "the demonstration's admin is in already"
        browser.go("/operator/trail")
        assert "unbroken" in browser.text() and "at the machine" in browser.text()
        second = suite.server.staff("invite", "--name", "Olga Operator").stdout.strip()
        browser.change_device()
        accept(browser, second, "new laptop")
        browser.until_at("/operator")
        browser.go("/operator/passkeys")
        assert len(browser.all(".list li")) == 1, "the passkey that was lost is void"
    finally:
        browser.close()


def without_script(suite):
    """pages read without script, and what there is not has a page of its own"""
    browser = suite.browser()
    try:
        browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
        browser.go("/portal/sign-in")
        assert "Passkeys need JavaScript" in browser.find("noscript").get_attribute("innerHTML")
        browser.command("Emulation.setScriptExecutionDisabled", {"value": False})
        browser.go("/nothing/at/all")
        assert "There is nothing here" in browser.text()
        browser.picture("refusal-not-found")
        browser.go("/problems")
        browser.picture("problems")
        if suite.axe:  # It would tell of a problem that there is.
            browser.driver.execute_script("document.querySelector('main').append(document.createElement('input'))")
            try:
                browser.check_access("a field without a name")
            except AssertionError as problem:
                assert "'critical', 'label'" in str(problem), problem
            else:
                raise AssertionError("a field without a name was not noticed")
    finally:
        browser.close()


STORIES = [a_newcomer, a_locked_device, passkeys, details, forged, staff, command_line, without_script, expiry]


def main():
    import agents  # They take what the stories share from here.
    import billers
    import finance
    import passport
    import people
    import verifiers

    arguments = argparse.ArgumentParser()
    arguments.add_argument("--tacitd", required=True)
    arguments.add_argument("--tacit", help="the wallet of the command line")
    arguments.add_argument("--pictures")
    arguments.add_argument("--axe", help="axe-core, which looks for what keeps people out")
    arguments.add_argument("--certificates", help="the example of that name: a wallet that shows certificates")
    arguments.add_argument("--only")
    given = arguments.parse_args()
    if given.pictures:
        os.makedirs(given.pictures, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        server = Server(str(pathlib.Path(given.tacitd).resolve()), data)
        link = server.start()
        suite = Suite(server, link, given.pictures, given.axe, given.certificates, given.tacit)
        try:
            for story in STORIES[:-1] + people.STORIES + agents.STORIES + billers.STORIES + verifiers.STORIES + passport.STORIES + finance.STORIES + STORIES[-1:]:  # The last moves the clock.
                if given.only in (None, story.__name__):
                    suite.check(story)
        finally:
            server.stop()
    print(f"desk: {suite.passed} passed, {suite.failed} failed")
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
