"""Stories of cash at agents: taken in, cash given and taken, an account opened with a card."""

import re

from run import accept, sign_up
from people import identify, staff


def account(browser):
    browser.go("/portal")
    return re.search(r"\b[0-9A-HJKMNP-TV-Z]{12}\b", browser.text()).group(0)


def code(browser):
    return browser.find(".card .amount code").text


def look(agent, text):
    agent.go("/agent")
    agent.type("#code", text)
    agent.press("main form button")


def cash(suite):
    """compliance takes an agent in, who gives cash for a code and takes some, and opens an account that its card makes one's own"""
    anna, kiosk, guest = suite.browser(), suite.browser(), suite.browser()
    compliance, teller = staff(suite, "Connie Compliance", "compliance"), staff(suite, "Trudi Teller", "teller")
    try:
        sign_up(anna, "Anna Apfel")
        anna.press("form[action='/portal/demo-money'] button")
        anna.until_text("100.00 USD")
        sign_up(kiosk, "Kim of the kiosk")
        kiosk.go("/agent")
        assert "You are no agent" in kiosk.text()
        kiosk.picture("agent-none")
        compliance.go("/operator/agents")
        compliance.picture("agents-empty")
        compliance.type("#account", "000000000000")
        compliance.type("#name", "The Corner Kiosk with a Name as Long as Shops in Llanfairpwllgwyngyll Have")
        compliance.press("main form button")
        compliance.until_text("No open account has this number")
        compliance.picture("agents-wrong")
        compliance.type("#account", account(kiosk))
        compliance.press("main form button")
        compliance.until_text("Nobody knows yet who this person is")
        identify(teller, compliance, "kim of", "K10 S00 K47")
        compliance.go("/operator/agents")
        compliance.type("#account", account(kiosk))
        compliance.type("#name", "The Corner Kiosk with a Name as Long as Shops in Llanfairpwllgwyngyll Have")
        compliance.press("main form button")
        compliance.until_text("The agent is taken in")
        compliance.picture("agents")

        kiosk.go("/agent")
        kiosk.until_text("Nothing yet today")
        kiosk.picture("agent-empty")
        look(kiosk, "0000 0000 00")
        kiosk.until_text("No code is called so")
        kiosk.picture("agent-wrong")

        anna.go("/portal/cash")
        anna.picture("cash-empty")
        anna.type("#amount", "60")
        anna.press("form[action='/portal/cash'] button")
        anna.until_text("Set 60.00 USD aside")
        anna.picture("cash-sure")
        anna.press("form[action='/portal/cash/out'] button")
        anna.until_text("60.00 USD in cash")
        anna.picture("cash-code")
        look(kiosk, code(anna).lower())
        kiosk.until_text("Pay out 60.00 USD in cash?")
        assert "Anna" not in kiosk.text()
        kiosk.picture("agent-out")
        kiosk.press("form[action='/agent/deal'] button")
        kiosk.until_text("Hand over 60.00 USD in cash")
        kiosk.picture("agent-receipt")
        anna.go("/portal/cash")
        anna.until_text("Cash given to you")
        anna.press("tbody a")
        anna.until_text("gave you 60.00 USD in cash")
        anna.picture("cash-receipt")

        anna.go("/portal/cash")
        anna.press("form[action='/portal/cash/in'] button")
        anna.until_text("To pay in cash")
        anna.picture("cash-codes")
        look(kiosk, code(anna))
        kiosk.until_text("How much, in USD?")
        kiosk.type("#amount", "600")
        kiosk.press("main form button")
        kiosk.until_text("You have 600.00 USD in cash?")
        kiosk.press("form[action='/agent/deal'] button")
        kiosk.until_text("Your float does not hold as much")
        kiosk.picture("agent-in-wrong")
        kiosk.type("#amount", "12.50")
        kiosk.press("main form button")
        kiosk.until_text("You have 12.50 USD in cash?")
        kiosk.picture("agent-in-sure")
        kiosk.press("form[action='/agent/deal'] button")
        kiosk.until_text("12.50 USD taken in cash")
        anna.go("/portal")
        anna.until_text("52.50 USD")

        kiosk.go("/agent/open")
        kiosk.picture("agent-open")
        kiosk.press("main form button")
        kiosk.until_text("Print this card")
        kiosk.picture("agent-card")
        link = re.search(r"http://\S+/invitation#\S+", kiosk.text()).group(0)
        look(kiosk, code(kiosk))
        kiosk.until_text("How much, in USD?")
        kiosk.type("#amount", "5")
        kiosk.press("main form button")
        kiosk.until_text("You have 5.00 USD in cash?")
        kiosk.press("form[action='/agent/deal'] button")
        kiosk.until_text("5.00 USD taken in cash")
        kiosk.go("/agent")
        kiosk.until_text("60.00 USD given, 17.50 USD taken")
        kiosk.picture("agent")
        kiosk.go("/agent/statement")
        kiosk.picture("agent-statement")
        accept(guest, link, "phone")
        guest.until_at("/portal")
        guest.until_text("5.00 USD")
        guest.go("/fees")
        guest.picture("fees-none")
        compliance.go("/operator/agents")
        compliance.press("button[value=stop]")
        compliance.until_text("stopped")
        kiosk.go("/agent")
        assert "You may not take or give cash" in kiosk.text()
        kiosk.picture("agent-stopped")
        for browser in (anna, kiosk, guest, compliance, teller):
            assert not browser.complaints(), browser.complaints()
    finally:
        for browser in (anna, kiosk, guest, compliance, teller):
            browser.close()


STORIES = [cash]
