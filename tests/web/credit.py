"""Stories of a score: a passport from the portal, bills paid month by month, and a lender who believes a certificate."""

import json
import re
import time
import urllib.request

from billers import licensed
from people import staff
from run import sign_up
from verifiers import lender_asks

MONTHS = 5
# Seconds after which the page is gone: nothing sent, on its way, answered, kept.
MOMENTS = (0.0, 0.04, 0.08, 0.15, 0.3, 0.6)


def month(suite):
    with urllib.request.urlopen(f"http://127.0.0.1:{suite.server.port}/v1/passport") as answer:
        return json.load(answer)["month"]


def next_month(suite, wallet):
    now = month(suite)
    while month(suite) == now:
        suite.server.advance(1)
    wallet.reopen()  # Opened again, it learns what day it is.


def close_month(wallet):
    wallet.at("").at("score")
    wallet.button("Close the month")
    wallet.until_text("Months closed")


def enrolment(person, name):
    """The link that gives a new person's wallet its passport."""
    sign_up(person, name)
    person.go("/portal/passport")
    person.press("form[action='/portal/passport'] button")
    person.until("the way into the wallet", lambda b: b.all("a[href*='#enrol/']"))
    return person.find("a[href*='#enrol/']").get_attribute("href")


def contract(suite, biller, compliance, finance, name):
    """The code of a licensed biller's contract, with bills of the next months."""
    now = month(suite)
    return licensed(biller, compliance, finance, name, range(now + 1, now + 1 + MONTHS))


def foretold(wallet):
    """What the score will be once the next bill is paid and its month closed; none without history."""
    wallet.at("").at("bills").until_text("to be paid")
    wallet.until("the bills", lambda b: not b.all("main .spin"))
    said = re.search(r"Paid in time, your score will be (\d+)", wallet.text())
    return said and int(said[1])


def take_on(wallet, code):
    wallet.at("bills").fill("Or paste a text or a link", code)
    wallet.button("Read it")
    wallet.button("Take it on")
    wallet.until_text("to be paid")


def shown_score(wallet):
    wallet.at("").at("score")
    wallet.until("the gauge", lambda b: b.all(".gauge"))
    return int(wallet.find(".gauge text").text)


def grown(suite):
    """a person gets a passport at the portal, pays bills until there is a score, reads what made it, and shows a lender no more than it asked for; the words bring all of it back"""
    ada, person, biller = suite.wallet(), suite.browser(), suite.browser()
    compliance, finance = staff(suite, "Bella Compliance", "compliance"), staff(suite, "Fia Finance", "finance")
    browsers = [ada, person, biller, compliance, finance]
    try:
        words = ada.create()
        ada.cash_in("300")
        ada.go(enrolment(person, "Ada Lovelace"))
        ada.until_text("Get a passport")
        ada.picture("enrol")
        ada.button("Get a passport", "main .card")
        ada.until_text("The passport is here")
        ada.at("score").until_text("That is not a low score")
        ada.picture("score-none")
        take_on(ada, contract(suite, biller, compliance, finance, "Mill Lane Electricity"))
        ada.until_text("Mill Lane Electricity")
        told = None  # Of the bill that was paid the month before, whose month is the one that is closed.
        for at in range(MONTHS):
            said = foretold(ada)
            if at in (0, MONTHS - 1):
                ada.picture("bills" if at == 0 else "bills-foretold")
            ada.button("Pay 41.20 USD")
            ada.until_text("In time: the month counts for you")
            next_month(suite, ada)
            close_month(ada)
            assert told is None or shown_score(ada) == told, "what paying the bill would do was foretold"
            told = said
        next_month(suite, ada)
        close_month(ada)
        score = shown_score(ada)
        assert score == told, (score, told)
        ada.picture("score")
        assert 350 < score <= 950 and "What would raise it most" in ada.text(), ada.text()
        lend(suite, ada, browsers, score)
        later = suite.wallet()
        browsers.append(later)
        later.restore(words)
        later.until_balance("94.00 USD")
        later.at("score")
        later.until("the passport, or the way to it", lambda b: b.all(".gauge") or "Find mine again" in b.text())
        if not later.all(".gauge"):
            later.button("Find mine again")
        assert shown_score(later) == score, "the words bring the history back"
        later.at("bills").until_text("Mill Lane Electricity")
        assert later.text().count("paid in time") == MONTHS, later.text()
    finally:
        for browser in browsers:
            browser.close()


def lend(suite, ada, browsers, score):
    """A lender asks, is shown what it asked for, and believes it."""
    ada.at("proofs").button("Get certificates")
    ada.button("Prove it")
    ada.until_text("4 certificates came")
    ada.picture("certificates")
    lender = lender_asks(suite, browsers)
    ada.go(lender.find("a[href*='#share/']").get_attribute("href"))
    ada.until_text("They do not see")
    assert "Savings and Loan Society" in ada.text() and str(score) not in ada.find("main").text, ada.text()
    ada.picture("consent")
    ada.button("Show it")
    ada.until_text("What you agreed to is kept")
    lender.until_text("Shown, and believed")
    assert str(score) not in lender.text(), "the threshold, not the score"
    ada.at("shown").until_text("Savings and Loan Society")
    ada.picture("shown")
    ada.at("proofs").until_text("Used so far: 1")


def strike(wallet, route, button, pause):
    """Presses a button, closes the page a moment later, and opens it again. Whether there was something to press."""
    wallet.at("").at(route)
    wallet.until("the screen", lambda b: b.all("main .list, main .card") and not b.all("main .spin"))
    if button not in wallet.find("main").text:
        return False
    wallet.button(button)
    time.sleep(pause)
    wallet.driver.get("about:blank")
    wallet.reopen()
    return True


def struck(suite):
    """a wallet that is closed at any moment of getting a passport, paying a bill, closing a month and certifying loses nothing and counts nothing twice"""
    ada, person, biller = suite.wallet(), suite.browser(), suite.browser()
    compliance, finance = staff(suite, "Cara Compliance", "compliance"), staff(suite, "Filo Finance", "finance")
    browsers = [ada, person, biller, compliance, finance]
    try:
        ada.create()
        ada.cash_in("300")
        link = enrolment(person, "Grace Hopper")
        for pause in (*MOMENTS, 3.0):
            ada.at("").at("score")
            ada.until("the score", lambda b: "That is not a low score" in b.text() or "Find mine again" in b.text())
            if "That is not a low score" in ada.text():
                break
            ada.go(link)
            ada.button("Get a passport", "main .card")
            time.sleep(pause)
            ada.driver.get("about:blank")
            ada.reopen()
        take_on(ada, contract(suite, biller, compliance, finance, "Water Works"))
        told = []
        for at in range(MONTHS):
            told.append(foretold(ada))
            for pause in (*MOMENTS, 3.0):
                ada.at("").at("bills").until_text("Water Works")
                if ada.text().count("paid in time") == at + 1:
                    break
                strike(ada, "bills", "Pay 41.20 USD", pause)
            ada.at("").at("bills").until("the bill's receipt", lambda b, at=at: b.text().count("paid in time") == at + 1)
            next_month(suite, ada)
            for pause in MOMENTS:
                strike(ada, "score", "Close the month", pause)
            ada.at("").at("score").button("Close the month")
            ada.until("a month that is closed", lambda b: "Nothing to do this month" in b.text() or "Months closed: 1" in b.text())
        ada.until_balance("94.00 USD")
        assert shown_score(ada) == told[-2], "as if nothing had been struck"
        for pause in MOMENTS:
            ada.at("").at("proofs").button("Get certificates")
            ada.button("Prove it")
            time.sleep(pause)
            ada.driver.get("about:blank")
            ada.reopen()
        ada.at("").at("proofs").button("Get certificates")
        ada.button("Prove it")
        ada.until_text("certificates came")
    finally:
        for browser in browsers:
            browser.close()


STORIES = [grown, struck]
