"""Stories of a score: a passport from the portal, bills paid month by month, and a lender who believes a certificate."""

import json
import re
import time
import urllib.request

from billers import propose as license, upload
from people import identify, staff
from run import sign_up
from selenium.webdriver.support.select import Select
from verifiers import propose

MONTHS = 5
# Seconds after which the page is gone: nothing sent, on its way, answered, kept.
MOMENTS = (0.0, 0.04, 0.08, 0.15, 0.3, 0.6)


def month(suite):
    with urllib.request.urlopen(f"http://127.0.0.1:{suite.server.port}/v1/passport") as answer:
        return json.load(answer)["month"]


def reopen(wallet):
    wallet.go("/")
    wallet.unlock()
    wallet.until("an answer", lambda b: not b.all("main .spin"))


def next_month(suite, wallet):
    now = month(suite)
    while month(suite) == now:
        suite.server.advance(1)
    reopen(wallet)  # Opened again, it learns what day it is.


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
    """A licensed biller's contract with its bills of the next months: the code that the customer gets."""
    sign_up(biller, name)
    biller.go("/merchant")
    biller.type("#name", name)
    biller.press("form[action='/merchant/register'] button")
    biller.until_text("Keep this key")
    biller.go("/merchant")
    license(compliance, biller.find("main code").text, "5.00")
    compliance.until_text("It is proposed")
    finance.go("/operator/billers")
    finance.press("button[value=grant]")
    finance.until_text("The licence is granted")
    biller.go("/merchant/contracts")
    biller.type("#description", "Electricity and water, Mill Lane 4")
    biller.press("form[action='/merchant/contracts'] button")
    biller.until_text("The contract is made")
    code = biller.find("#code").get_attribute("value")
    first = month(suite)
    names = [f"{2020 + number // 12}-{number % 12 + 1:02}" for number in range(first + 1, first + 1 + MONTHS)]
    upload(biller, "contract,due,amount\n" + "\n".join(f"1,{name}-20,41.20" for name in names) + "\n")
    biller.until_text(f"{MONTHS} bills are with your customers")
    return code


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
    lender, teller = suite.browser(), staff(suite, "Victor Teller", "teller")
    compliance = staff(suite, "Vera Compliance", "compliance")
    browsers += [lender, teller, compliance]
    sign_up(lender, "Lena Lender")
    identify(teller, compliance, "lena", "L10 E00 N47")
    propose(compliance, lender)
    compliance.until_text("Registered.")
    lender.go("/verifier")
    threshold = min(int(one.get_attribute("value")) for one in lender.all("#threshold option") if one.get_attribute("value"))
    Select(lender.find("#threshold")).select_by_value(str(threshold))
    Select(lender.find("#tenure")).select_by_value("3")
    lender.press("main form button")
    lender.until_text("Waiting for an answer")
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


def strike(wallet, route, button, pause):
    """Presses a button, closes the page a moment later, and opens it again. Whether there was something to press."""
    wallet.at("").at(route)
    wallet.until("the screen", lambda b: b.all("main .list, main .card") and not b.all("main .spin"))
    if button not in wallet.find("main").text:
        return False
    wallet.button(button)
    time.sleep(pause)
    wallet.driver.get("about:blank")
    reopen(wallet)
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
            reopen(ada)
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
            reopen(ada)
        ada.at("").at("proofs").button("Get certificates")
        ada.button("Prove it")
        ada.until_text("certificates came")
    finally:
        for browser in browsers:
            browser.close()


STORIES = [grown, struck]
