"""The five-minute tour, as whoever tries a demonstration takes it; and what the server's logs hold of it afterwards."""

import re

import traffic


def step(wallet, name):
    wallet.at("").at("tour").button(name)


def shown_score(wallet):
    wallet.at("").at("score")
    wallet.until("the gauge", lambda b: b.all(".gauge"))
    return int(wallet.find(".gauge text").text)


def lived(wallet):
    """Lives a month; gives the score that is told, if there is one."""
    wallet.at("").at("tour").button("Live a month")
    wallet.until("the month", lambda b: "A month has passed" in b.text(), 60)
    found = re.search(r"Your score: (\d+)", wallet.text())
    return found and int(found[1])


def buy(wallet, base):
    """Pays the demo shop at its checkout, and brings what was bought back."""
    step(wallet, "Pay a shop")
    wallet.until("the street", lambda b: b.driver.current_url == f"{base}/demo")
    wallet.picture("street")
    wallet.press("button[aria-label*='bicycle lamp']")
    wallet.until_text("Waiting for your payment")
    checkout = wallet.driver.current_url
    wallet.button("Open in the wallet", "main")
    wallet.unlock()
    wallet.until_text("A bicycle lamp")
    wallet.button("Pay 14.00 USD")
    wallet.until_text("They have it")
    wallet.until_balance("486.00 USD")
    wallet.driver.get(checkout)
    wallet.until_text("Corner Shop has your payment of 14.00 USD")
    wallet.button("Bring it back", "main")
    wallet.until_text("was given back to the wallet that paid")
    assert "Bring it back" not in wallet.text(), "once"
    wallet.reopen()
    wallet.until_text("A shop gave back 14.00 USD")
    wallet.until_balance("500.00 USD")


def tour(suite):
    """whoever tries it gets money, pays a shop and a bill, sees a score grow, answers a lender, and reads what the operator knows: without an account"""
    ada, written = suite.wallet(), traffic.Written(suite)
    try:
        ada.create()
        ada.button("See everything in five minutes")
        ada.until_text("Go step by step")
        ada.picture("tour")
        ada.button("Get demo money")
        ada.cash_in("500")
        buy(ada, suite.server.base)
        step(ada, "Get a passport")
        ada.button("Get a passport", "main .card")
        ada.until_text("The passport is here")
        step(ada, "Pay a bill")
        ada.button("Take it on")
        ada.until_text("Mill Lane Water and Power")
        ada.button("Pay 42.00 USD")
        ada.until_text("In time: the month counts for you")
        ada.at("").at("tour")
        told = [lived(ada) for _ in range(6)]
        assert told[:3] == [None, None, None] and None not in told[3:], told
        assert told[3] < told[5] == shown_score(ada), told
        ada.at("").at("tour").until("the months, drawn", lambda b: b.all(".grown"))
        ada.picture("tour-grown")
        ada.at("").at("score").until("the months, drawn", lambda b: b.all(".grown"))
        ada.picture("score-grown")
        step(ada, "Prove it")
        ada.button("Get certificates")
        ada.button("Prove it")
        ada.until_text("certificates came")
        step(ada, "Answer a lender")
        ada.until_text("Harbour Savings and Loans")
        ada.button("Show it")
        ada.until_text("What you agreed to is kept")
        ada.at("").at("tour").until_text("See what the lender sees")
        page = next(link.get_attribute("href") for link in ada.all("main a") if "lender" in link.text)
        ada.driver.get(page)
        ada.until_text("Shown, and believed")
        assert str(told[5]) not in ada.text(), "the threshold, not the score"
        ada.picture("street-lender")
        ada.reopen()
        step(ada, "Read what the operator knows")
        ada.until_text("Beside an ordinary payment app")
        ada.at("").at("tour")
        assert len(ada.all(".seen-it")) == 8, "the receipt was not looked at"
        ada.button("I have seen it")
        ada.until("the wallet without the tour", lambda b: b.all(".hero") and "five minutes" not in b.text())
        assert not ada.complaints(), ada.complaints()
        assert traffic.check(suite, ada) > 200
        # Of all of it the operator's log has when the clock was moved, and nothing else.
        lines = [{name: value for name, value in line.items() if name not in ("time", "days")} for line in written.lines()]
        assert lines == 6 * [{"level": "info", "event": "the demo clock was moved"}], lines
    finally:
        ada.close()


STORIES = [tour]
