"""Stories of a mint in trouble: slow, without answers, stopped in the middle, and with keys that are not those it had."""

import contextlib
import json

from proxy import Proxy

BALANCE = "20.00 USD"


@contextlib.contextmanager
def through(suite):
    """A wallet with money, and what stands between it and its operator."""
    proxy = Proxy(suite.server.port)
    wallet = suite.wallet(proxy=proxy.address)
    try:
        wallet.create()
        wallet.cash_in("20")
        yield wallet, proxy
    finally:
        wallet.close()
        proxy.close()


def of_money(method, path):
    return method == "POST" and path.endswith(("/swap", "/mint/bank", "/mint/quote/bank"))


def take_back(wallet):
    wallet.button("Take it back")
    wallet.until_text("Taken back")


def slow(suite):
    """with a slow mint it says that it is at work, and a second press does nothing more"""
    with through(suite) as (ada, proxy):
        ada.give("3")
        proxy.rule = lambda method, _, path: 2 if of_money(method, path) else None
        ada.button("Take it back")
        ada.until("that it is at work", lambda b: b.all("main .spin"))
        pressed = ada.driver.execute_script("""
            const all = [...document.querySelectorAll('main button')].filter((one) => one.innerText.trim() === 'Take it back');
            all.forEach((one) => one.click());
            return all.filter((one) => !one.disabled).length;
        """)
        assert pressed == 0, "the button cannot be pressed again"
        ada.picture("slow")
        ada.until_text("Taken back")
        assert len(proxy.struck) == 1, proxy.struck
        ada.at("history")
        ada.until("the history", lambda b: len(b.all("main .list li")) == 3)
        ada.until_balance(BALANCE)


def lost(suite):
    """answers that are lost once are asked for again, unseen; a mint that stays silent or says that it is busy costs nothing"""
    with through(suite) as (ada, proxy):
        for fate in ("lose", "refuse"):
            seen = set()
            proxy.struck.clear()

            def once(method, _, path, fate=fate, seen=seen):
                is_first = of_money(method, path) and path not in seen
                seen.add(path)
                return fate if is_first else None

            proxy.rule = once
            ada.cash_in("5")
            ada.give("4")
            take_back(ada)
            assert len(proxy.struck) == 3, proxy.struck
            proxy.rule = lambda method, _, path, fate=fate: fate if of_money(method, path) else None
            ada.give("6")
            ada.button("Take it back")
            ada.until_text("No answer. Nothing is lost")
            ada.picture(f"silent-{fate}")
            proxy.rule = lambda *_: None
            ada.reopen()
            settled(ada)
        ada.until_balance("30.00 USD")


def still_out(wallet):
    """The screens of what was given away and nobody has taken."""
    wallet.at("history")
    wallet.until("the history", lambda b: b.all("main .list li"))
    rows = wallet.all("main .list li a")
    return [row.get_attribute("href").split("#/")[1] for row in rows if "· open" in row.text and "Paid" in row.text]


def settled(wallet):
    """What was given away meanwhile is taken back, unless the wallet has done so by itself."""
    while out := still_out(wallet):
        wallet.at(out[0].replace("entry", "sent"))
        wallet.until("money that is out, or back", lambda b: "Take it back" in b.text() or "Taken back" in b.text())
        with contextlib.suppress(AssertionError):
            wallet.button("Take it back", patience=1)
        wallet.until_text("Taken back")


def restarted(suite):
    """a mint that is stopped right after it has done what was asked, and started again, has lost nothing"""
    with through(suite) as (ada, proxy):
        for end in ("/swap", "/mint/bank"):
            was_down = []

            def stop(_, was_down=was_down):
                was_down.append(True)
                suite.server.stop()
                suite.server.start()
                raise ConnectionError

            proxy.rule = lambda method, _, path, end=end, was_down=was_down, stop=stop: (
                stop if method == "POST" and path.endswith(end) and not was_down else None)
            if end == "/swap":
                ada.give("3")
                take_back(ada)
            else:
                ada.cash_in("10")
            assert was_down, end
            ada.reopen()
        ada.until_balance("30.00 USD")


def exchanged(content):
    """The keys of two amounts, the one for the other."""
    told = json.loads(content)
    keys = told["keysets"][0]["keys"]
    keys["1"], keys["2"] = keys["2"], keys["1"]
    return json.dumps(told).encode()


def dearer(content):
    """Another fee for a keyset that is known."""
    told = json.loads(content)
    for keyset in told["keysets"]:
        keyset["input_fee_ppk"] = keyset.get("input_fee_ppk", 0) + 100
    return json.dumps(told).encode()


def changed(suite):
    """keys that do not belong to their keyset, and a keyset that is not what it was, are refused with a clear message, and nothing is sent"""
    with through(suite) as (ada, proxy):
        proxy.rule = lambda method, _, path: dearer if path.endswith("/v1/keysets") else None
        ada.reopen()
        ada.until_text("shows other keys than before")
        ada.picture("changed-keys")
        proxy.struck.clear()
        proxy.rule = lambda method, _, path: dearer if path.endswith("/v1/keysets") else "refuse" if of_money(method, path) else None
        ada.at("cash").fill("Amount", "10")
        ada.button("Next")
        ada.until_text("shows other keys than before")
        assert not [path for path in proxy.struck if not path.endswith("/v1/keysets")], proxy.struck
        ada.until_balance(BALANCE)
        proxy.rule = lambda *_: None
        ada.reopen()
        assert "other keys" not in ada.text()
        bob = suite.wallet(proxy=proxy.address)
        try:
            proxy.rule = lambda method, _, path: exchanged if "/v1/keys/" in path or path.endswith("/v1/keys") else None
            bob.create()
            bob.until_text("shows other keys than before")
        finally:
            bob.close()


STORIES = [slow, lost, restarted, changed]
