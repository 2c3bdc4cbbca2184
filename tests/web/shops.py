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
            owner.press("input[name=refund]")
            owner.press("main form[action='/merchant/keys'] button")
            owner.until_text("Your new key")
            KEYS[suite] = owner.find("pre code").text
        finally:
            owner.close()
    return KEYS[suite]


def call(suite, path, idempotency, body):
    """What the shop's program sends, and what it is answered."""
    port = suite.server.port
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}")
    request.add_header("host", f"desk.localhost:{port}")
    request.add_header("authorization", f"Bearer {key(suite)}")
    request.add_header("idempotency-key", idempotency)
    request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def order(suite, amount, what):
    """An order in US cents: its number, and the address of its checkout page."""
    told = call(suite, "/orders", what.replace(" ", "-"), {"amount": amount, "description": what})
    return told["id"], told["checkout_url"]


def refund(suite, number, amount):
    """Gives back some of an order; gives how it travels."""
    return call(suite, f"/orders/{number}/refunds", f"{number}-{amount}", {"amount": amount})["way"]
