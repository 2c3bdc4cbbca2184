"""What a wallet sent and got, by the browser's own network log, and what the server wrote down of it."""

import json
import urllib.parse


def origin(url):
    return urllib.parse.urlsplit(url).netloc


def check(suite, wallet):
    """Everything went to the operator's origins; to a mint with no cookie, and from the wallet's pages with no word of where it comes from. Gives how many requests there were."""
    server = suite.server
    mints = {origin(server.mint), f"localhost:{server.port}"}
    known = {origin(server.wallet), origin(server.base)} | mints
    sent, headers = {}, []
    for method, it in wallet.requests():
        if method == "Network.requestWillBeSent" and it["request"]["url"].startswith("http"):
            sent.setdefault(it["requestId"], []).append(it)
        elif method == "Network.webSocketCreated":
            assert origin(it["url"]) in known, it["url"]
        elif method.endswith("ExtraInfo"):
            headers.append((it["requestId"], {name.lower() for name in it["headers"]}))
    every = [it for of in sent.values() for it in of]
    strange = {origin(it["request"]["url"]) for it in every} - known
    assert not strange, strange
    of_pages = [it for it in every if origin(it.get("documentURL", "")) == origin(server.wallet)]
    away = [it["request"] for it in of_pages if origin(it["request"]["url"]) != origin(server.wallet)]
    assert away and not [it for it in away if it["headers"].get("Referer")], away[:3]
    for request, names in headers:
        to = {origin(it["request"]["url"]) for it in sent.get(request, [])}
        # Of the desk's pages a person may be logged in; nobody was here.
        assert "cookie" not in names and "set-cookie" not in names, (to, names)
    return len(every)


class Written:
    """What the server's log gets from now on."""

    def __init__(self, suite):
        self.path = suite.server.log
        self.begin = self.path.stat().st_size

    def lines(self):
        with self.path.open("rb") as log:
            log.seek(self.begin)
            return [json.loads(line) for line in log.read().splitlines()]
