#!/usr/bin/env python3
"""A shop in a real browser, paid by wallets nobody here wrote, and its program that is told.

    checkout.py --tacitd PROGRAM --cashu PROGRAM --request SCRIPT [--pictures DIRECTORY] [--axe SCRIPT] [--schemathesis PROGRAM]

`--cashu` is Nutshell's wallet; `--request` is cashu-ts (tests/interop/cashu-ts/request.mjs, beside its modules). Starts a
demonstration of its own. Ends with "checkout: N passed, N failed".
"""

import argparse
import hmac
import http.server
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from run import Server, Suite, sign_up

SECONDS_MAX = 60


class Hook:
    """The shop's program: what it was told, with its signatures."""

    def __init__(self):
        self.told, hook = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.told.append((self.headers["tacit-signature"], body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/paid"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, kind):
        for _ in range(100):
            for signature, body in self.told:
                if json.loads(body)["type"] == kind:
                    return signature, body
            time.sleep(0.1)
        raise AssertionError(f"nothing was told of {kind}: {self.told}")


class Shop:
    """What the stories share: the owner's browser, a payer's, the key, the program."""

    def __init__(self, suite, arguments):
        self.server, self.arguments = suite.server, arguments
        self.owner, self.payer, self.hook = suite.browser(), suite.browser(), Hook()
        self.unit, self.mint = "usd", f"http://localhost:{suite.server.port}/usd"
        self.key = self.secret = None
        self.directory = pathlib.Path(tempfile.mkdtemp())

    def api(self, path, body=None, idempotency=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/api/v1{path}")
        request.add_header("host", f"desk.localhost:{self.server.port}")
        request.add_header("authorization", f"Bearer {self.key}")
        if idempotency:
            request.add_header("idempotency-key", idempotency)
        request.data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def order(self, name, amount=1050):
        return self.api("/orders", {"amount": amount, "description": "Two coffees", "reference": name}, name.replace(" ", "-"))

    def typescript(self, *act, answer=""):
        done = subprocess.run(["node", self.arguments.request, self.mint, self.unit, *act], input=answer, text=True,
                              capture_output=True, timeout=SECONDS_MAX)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def nutshell(self, *arguments):
        command = [self.arguments.cashu, "-h", self.mint, "-u", "usd", "-y", *arguments]
        settings = {**os.environ, "CASHU_DIR": str(self.directory), "TOR": "FALSE", "MINT_URL": self.mint}
        done = subprocess.run(command, env=settings, cwd=self.directory, text=True, timeout=SECONDS_MAX,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout


def post(url, body):
    request = urllib.request.Request(url, data=body.encode(), headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def a_shop_opens(shop):
    """a person opens a shop, and makes a key and a webhook for its program"""
    owner = shop.owner
    sign_up(owner, "Ada Lovelace")
    owner.go("/merchant")
    owner.picture("shop-register")
    owner.type("#name", "Corner Café")
    owner.press("main form button")
    owner.until_text("Keep this key")
    owner.picture("shop-key-pair")
    owner.press("main a.button")
    owner.until_at("/merchant")
    owner.picture("shop-empty")
    owner.go("/merchant/keys")
    owner.type("#label", "the till")
    owner.press("input[name=refund]")
    owner.press("main form[action='/merchant/keys'] button")
    owner.until_text("Your new key")
    shop.key = owner.find("pre code").text
    owner.go("/merchant/keys")
    owner.picture("shop-keys")
    owner.go("/merchant/webhooks")
    owner.type("#url", shop.hook.url)
    owner.press("main form button")
    owner.until_text("Saved")
    owner.press("summary")
    shop.secret = owner.find("details code").text
    owner.picture("shop-webhooks-empty")
    assert not owner.complaints(), owner.complaints()


def cashu_ts_pays(shop):
    """cashu-ts pays the request of the checkout page, which turns into the receipt, and the program is told"""
    order = shop.order("by cashu-ts")
    shop.payer.go(order["checkout_url"])
    shop.payer.until_text("10.50 USD")
    shop.payer.picture("checkout-open")
    assert shop.payer.driver.get_cookies() == [], "a payer has no cookies"
    payload = shop.typescript("pay", answer=order["payment_request"])
    url = f"{shop.mint}/pay/{json.loads(payload)['id']}"
    for _ in range(2):
        status, said = post(url, payload)
        assert (status, said) == (200, {"state": "PAID", "unit": "usd"}), (status, said)
    shop.payer.until_text("has your payment of 10.50 USD")
    shop.payer.picture("checkout-paid")
    signature, body = shop.hook.wait("order.paid")
    moment, given = (part.split("=", 1)[1] for part in signature.split(","))
    expected = hmac.new(shop.secret.encode(), moment.encode() + b"." + body, "sha256").hexdigest()
    assert hmac.compare_digest(expected, given), "the signature does not hold"
    assert json.loads(body)["order"]["id"] == order["id"]
    other = shop.typescript("pay", answer=shop.order("another")["payment_request"])
    status, said = post(url, json.dumps({**json.loads(other), "id": json.loads(payload)["id"]}))
    assert (status, said["code"]) == (400, 20006), said
    assert not shop.payer.complaints(), shop.payer.complaints()


def nutshell_pays(shop):
    """Nutshell, which follows no lock with a locktime, pays by a token that is pasted, and loses nothing before"""
    said = shop.nutshell("invoice", "42.00")
    assert "42.00" in said, said
    order = shop.order("by nutshell")
    refused = shop.nutshell("pay", order["payment_request"])
    assert "Unsupported lock tags" in refused, refused
    said = shop.nutshell("send", "10.50")
    token = next(line for line in said.splitlines() if line.startswith("cashuB")).strip()
    shop.payer.go(order["checkout_url"])
    shop.payer.press("summary")
    shop.payer.type("#token", "cashuBnonsense")
    shop.payer.press("details form button")
    shop.payer.until_text("That is no e-cash token")
    shop.payer.picture("checkout-wrong")
    shop.payer.type("#token", token)
    shop.payer.press("details form button")
    shop.payer.until_text("has your payment of 10.50 USD")


def a_refund(shop):
    """the owner gives part of it back in two clicks, and Nutshell receives it from the receipt page"""
    paid = next(order for order in shop.api("/orders")["orders"] if order["reference"] == "by nutshell")
    owner = shop.owner
    owner.go(f"/merchant/orders/{paid['id']}")
    owner.picture("shop-order")
    owner.type("#amount", "4.00")
    owner.press("form[method=get] button")
    owner.until_text("Give back 4.00 USD?")
    owner.picture("shop-refund")
    owner.press("main form button")
    owner.until_text("The refund is made")
    shop.payer.go(paid["checkout_url"])
    shop.payer.until_text("4.00 USD waits for you")
    shop.payer.picture("checkout-refund")
    shop.payer.press("#refunds a.button")
    shop.payer.picture("refund-ask")
    shop.payer.press("main form button")
    shop.payer.until_text("let the wallet receive it")
    shop.payer.picture("refund-token")
    token = shop.payer.find("#token").get_attribute("value")
    said = shop.nutshell("receive", token)
    assert "4.00" in said, said
    shop.hook.wait("order.refunded")


def the_counter(shop):
    """the counter takes an amount by its keys, shows the code, and turns when it is paid"""
    owner = shop.owner
    owner.go("/merchant/pos")
    for key in "7.20":
        owner.press(f"[data-key='{key}']")
    owner.picture("pos-keys")
    owner.press("main form .row button")
    owner.until_text("7.20 USD")
    owner.picture("pos-code")
    order = shop.api("/orders")["orders"][0]
    payload = shop.typescript("pay", answer=order["payment_request"])
    status, said = post(f"{shop.mint}/pay/{json.loads(payload)['id']}", payload)
    assert status == 200, said
    owner.until_text("paid")
    owner.until("the tick", lambda browser: browser.find(".tick"))
    owner.picture("pos-paid")
    for path, name in (("/merchant", "shop-home"), ("/merchant/orders", "shop-orders"), ("/merchant/webhooks", "shop-webhooks"),
                       ("/", "front-with-shop")):
        owner.go(path)
        owner.picture(name)
    assert not owner.complaints(), owner.complaints()


def the_document(shop):
    """requests made from the API's OpenAPI document: no 5xx, no answer that is not in it"""
    if not shop.arguments.schemathesis:
        return
    base = f"http://127.0.0.1:{shop.server.port}"
    command = [shop.arguments.schemathesis, "--config-file", pathlib.Path(__file__).with_name("schemathesis.toml").resolve(), "run",
               f"{base}/api/openapi.json", "--url", base, "--checks", "all", "--max-examples", "60", "--seed", "1", "--continue-on-failure",
               "--no-color", "-H", f"Host: desk.localhost:{shop.server.port}", "-H", f"Authorization: Bearer {shop.key}"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=300, cwd=shop.directory)
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"\d{3,} generated", done.stdout), done.stdout[-1000:]


def what_has_ended(shop):
    """a cancelled order and one that is too late say so"""
    owner, late = shop.payer, shop.order("late")
    gone = shop.order("gone")
    shop.api(f"/orders/{gone['id']}/cancel", {})
    owner.go(gone["checkout_url"])
    owner.until_text("has withdrawn this order")
    owner.picture("checkout-cancelled")
    owner.go(late["checkout_url"])
    owner.until_text("Open in wallet")
    shop.server.advance(1)
    owner.until_text("Nothing was paid")
    owner.picture("checkout-expired")
    owner.go("/checkout/" + "0" * 32)
    owner.until_text("There is nothing here")
    owner.picture("checkout-unknown")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tacitd", required=True)
    parser.add_argument("--cashu", required=True)
    parser.add_argument("--request", required=True)
    parser.add_argument("--pictures")
    parser.add_argument("--axe")
    parser.add_argument("--schemathesis")
    arguments = parser.parse_args()
    if arguments.pictures:
        pathlib.Path(arguments.pictures).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        server = Server(arguments.tacitd, data)
        link = server.start()
        suite = Suite(server, link, arguments.pictures, arguments.axe)
        shop = Shop(suite, arguments)
        try:
            for story in (a_shop_opens, cashu_ts_pays, nutshell_pays, a_refund, the_counter, the_document, what_has_ended):
                own = lambda _, story=story: story(shop)  # noqa: E731
                own.__doc__ = story.__doc__
                suite.check(own)
        finally:
            shop.owner.close()
            shop.payer.close()
            server.stop()
    print(f"checkout: {suite.passed} passed, {suite.failed} failed")
    raise SystemExit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
