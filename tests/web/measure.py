#!/usr/bin/env python3
"""What the web wallet weighs, and how long it lets a person wait: on a processor as slow as a cheap telephone's, and on this one.

    measure.py --tacitd PROGRAM --wallet DIRECTORY

A telephone is this machine four times slower (the browser's own throttle); the network is the machine's own. Each number is the median of five,
but for those of a passport, whose history is made once. Passes no judgement: run it on a quiet machine.
"""

import json
import pathlib
import statistics
import tempfile

from demo import parse, server_of  # First: it knows where the modules of the desk's stories are.

from credit import MONTHS, close_month, contract, enrolment, next_month, take_on
from money import film
from people import staff
from shops import order

TIMES = 5
TELEPHONE = 4  # times slower
# Waits for a text, and says how long after `since` (or the page's beginning) it stood there and the page could be used again.
AWAIT = """
    const [text, since, done] = arguments;
    const begun = since ?? 0;
    const look = () => document.body && document.body.innerText.includes(text)
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)))
        : setTimeout(look, 4);
    look();
"""
# Presses a button and waits for a text; notes the longest time in which the page did nothing else.
PRESS = """
    const [label, text, done] = arguments;
    let longest = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration); })
        .observe({ entryTypes: ['longtask'] });
    const button = [...document.querySelectorAll('main button')].find((one) => one.innerText.trim() === label && !one.disabled);
    const begun = performance.now();
    button.click();
    const look = () => document.body.innerText.includes(text)
        ? setTimeout(() => done([performance.now() - begun, longest]), 50)
        : setTimeout(look, 4);
    look();
"""


def weight(packed):
    """Bytes of all that a first visit fetches, as they travel."""
    listed = json.loads(pathlib.Path(packed, "release.json").read_text())["files"]
    names = [name for name in listed if not name.endswith(".png")]
    return sum(pathlib.Path(packed, name + ".br").stat().st_size for name in names)


def throttle(wallet, times):
    wallet.command("Emulation.setCPUThrottlingRate", {"rate": times})


def press(wallet, label, text):
    wallet.until(label, lambda b: label in b.find("main").text)
    wallet.driver.set_script_timeout(60)
    return wallet.driver.execute_async_script(PRESS, label, text)


def start(suite, times):
    """Milliseconds until a new person can press something; then those of a second visit."""
    first, second = [], []
    for _ in range(TIMES):
        wallet = suite.wallet()
        try:
            throttle(wallet, times)
            wallet.driver.set_page_load_timeout(60)
            for into in (first, second):
                wallet.go("/")
                into.append(wallet.driver.execute_async_script(AWAIT, "Make a wallet", None))
                wallet.until_stored()
        finally:
            wallet.close()
    return statistics.median(first), statistics.median(second)


def pay(suite, times):
    """Milliseconds from the camera's screen to the question, and from the press to the receipt."""
    seen, paid = [], []
    for number in range(TIMES):
        _, page = order(suite, 475, f"Coffee {times} {number}")
        shop = suite.browser()
        try:
            shop.go(page)
            shop.until("the way into the wallet", lambda b: b.all("a[href*='#pay/']"))
            request = shop.find("a[href*='#pay/']").get_attribute("href").split("#pay/")[1]
        finally:
            shop.close()
        with tempfile.TemporaryDirectory() as directory:
            wallet = suite.wallet(film(request, directory))
            try:
                wallet.create()
                wallet.cash_in("20")
                wallet.at("")
                throttle(wallet, times)
                begun = wallet.driver.execute_script("const now = performance.now(); location.hash = '/scan'; return now")
                wallet.driver.set_script_timeout(60)
                seen.append(wallet.driver.execute_async_script(AWAIT, "Pay 4.75 USD", begun))
                paid.append(press(wallet, "Pay 4.75 USD", "4.75 USD paid")[0])
            finally:
                wallet.close()
    return statistics.median(seen), statistics.median(paid)


def certify(suite):
    """Milliseconds of a tick and of certificates: all of it, and the longest piece of it in which the page stands still, for each throttle."""
    ada, person, biller = suite.wallet(), suite.browser(), suite.browser()
    compliance, finance = staff(suite, "Mia Compliance", "compliance"), staff(suite, "Max Finance", "finance")
    try:
        ada.create()
        ada.cash_in("300")
        ada.go(enrolment(person, "Grace Hopper"))
        ada.button("Get a passport", "main .card")
        ada.until_text("The passport is here")
        take_on(ada, contract(suite, biller, compliance, finance, "Water Works"))
        for _ in range(MONTHS):
            ada.at("").at("bills").button("Pay 41.20 USD")
            ada.until_text("In time: the month counts for you")
            next_month(suite, ada)
            close_month(ada)
        next_month(suite, ada)
        close_month(ada)
        found = {}
        for times in (1, TELEPHONE):
            throttle(ada, 1)
            taken = []
            for _ in range(TIMES):
                ada.at("").at("proofs").button("Get certificates")
                throttle(ada, times)
                taken.append(press(ada, "Prove it", "certificates came"))
                throttle(ada, 1)
            found[times] = [statistics.median(column) for column in zip(*taken)]
        return found
    finally:
        for browser in (ada, person, biller, compliance, finance):
            browser.close()


def main():
    arguments = parse()
    with server_of(arguments) as suite:
        print(f"first visit, compressed: {weight(arguments.wallet) / 1000:.0f} kB", flush=True)
        for times in (1, TELEPHONE):
            first, second = start(suite, times)
            print(f"{times}x slower: ready after {first:.0f} ms, on a second visit after {second:.0f} ms", flush=True)
            seen, paid = pay(suite, times)
            print(f"{times}x slower: a code is read after {seen:.0f} ms, and paid {paid:.0f} ms after the press", flush=True)
        for times, (whole, longest) in certify(suite).items():
            print(f"{times}x slower: certificates after {whole:.0f} ms, of which the proof takes at most {longest:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
