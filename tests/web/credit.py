"""The story of a score: a passport from the portal, bills paid month by month, and a lender who believes a certificate."""

import json
import urllib.request

from billers import propose as license, upload
from people import identify, staff
from run import sign_up
from selenium.webdriver.support.select import Select
from verifiers import propose

MONTHS = 5


def month(suite):
    with urllib.request.urlopen(f"http://127.0.0.1:{suite.server.port}/v1/passport") as answer:
        return json.load(answer)["month"]


def next_month(suite, wallet):
    now = month(suite)
    while month(suite) == now:
        suite.server.advance(1)
    # Opened again, it learns what day it is.
    wallet.go("/")
    wallet.unlock()
    wallet.until("an answer", lambda b: not b.all("main .spin"))


def close_month(wallet):
    wallet.at("score")
    wallet.button("Close the month")
    wallet.until_text("Months closed")


def grown(suite):
    """a person gets a passport at the portal, pays bills until there is a score, reads what made it, and shows a lender no more than it asked for"""
    ada, person, biller = suite.wallet(), suite.browser(), suite.browser()
    compliance, finance = staff(suite, "Bella Compliance", "compliance"), staff(suite, "Fia Finance", "finance")
    browsers = [ada, person, biller, compliance, finance]
    try:
        ada.create()
        ada.cash_in("300")
        sign_up(person, "Ada Lovelace")
        person.go("/portal/passport")
        person.press("form[action='/portal/passport'] button")
        person.until("the way into the wallet", lambda b: b.all("a[href*='#enrol/']"))
        ada.go(person.find("a[href*='#enrol/']").get_attribute("href"))
        ada.until_text("Get a passport")
        ada.picture("enrol")
        ada.button("Get a passport", "main .card")
        ada.until_text("The passport is here")
        ada.at("score").until_text("That is not a low score")
        ada.picture("score-none")

        sign_up(biller, "Bella Biller")
        biller.go("/merchant")
        biller.type("#name", "Mill Lane Electricity")
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

        ada.at("bills").fill("Or paste a text or a link", code)
        ada.button("Read it")
        ada.button("Take it on")
        ada.until_text("Mill Lane Electricity")
        for at in range(MONTHS):
            ada.at("bills").until_text("to be paid")
            if at == 0:
                ada.picture("bills")
            ada.button("Pay 41.20 USD")
            ada.until_text("In time: the month counts for you")
            next_month(suite, ada)
            close_month(ada)
        next_month(suite, ada)
        close_month(ada)
        ada.until("the gauge", lambda b: b.all(".gauge"))
        ada.picture("score")
        score = int(ada.find(".gauge text").text)
        assert 350 < score <= 950 and "What would raise it most" in ada.text(), ada.text()

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
    finally:
        for browser in browsers:
            browser.close()


STORIES = [grown]
