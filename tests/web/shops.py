"""A shop with a key for its program, which makes orders."""

import json
import urllib.request

from run import sign_up

KEYS = {}


def key(suite):
    """The key of the suite's one shop."""
    if suite not in KEYS:
        owner = suite.browser()
        try:
            sign_up(owner, "Ada Lovelace")
            owner.go("/merchant")
            owner.type("#name", "Corner Café")
            owner.press("main form button")
            owner.until_text("Keep this key")
            owner.press("main a.button")
            owner.until_at("/merchant")
            owner.go("/merchant/keys")
            owner.type("#label", "the till")
            owner.press("main form[action='/merchant/keys'] button")
            owner.until_text("Your new key")
            KEYS[suite] = owner.find("pre code").text
        finally:
            owner.close()
    return KEYS[suite]


def order(suite, amount, what):
    """An order in US cents; gives the address of its checkout page."""
    port = suite.server.port
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/orders")
    request.add_header("host", f"desk.localhost:{port}")
    request.add_header("authorization", f"Bearer {key(suite)}")
    request.add_header("idempotency-key", what.replace(" ", "-"))
    request.data = json.dumps({"amount": amount, "description": what}).encode()
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["checkout_url"]
