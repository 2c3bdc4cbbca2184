"""Stories of safety: closed in the middle, opened twice, a mint in trouble, and what goes over the wire."""

import time

import traffic
from trouble import settled

STEPS = 12
PHRASE = "four words by lot"


def closed(suite):
    """a wallet that is closed at any step of making and taking a token loses nothing, and sends nothing twice"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("100")
        for step in range(STEPS):
            ada.at("send").fill("Amount", "1")
            ada.button("Next")
            ada.button("Make the code")
            time.sleep(step * 0.015)
            ada.driver.get("about:blank")
            ada.go("/")
            ada.unlock()
            # What is open is taken up by itself; what is out can be taken back.
            settled(ada)
            ada.until_balance("100.00 USD")
    finally:
        ada.close()


def twice(suite):
    """one tab at a time has the wallet, and another may take it over"""
    ada = suite.wallet()
    try:
        ada.create(PHRASE)
        first = ada.driver.current_window_handle
        ada.driver.switch_to.new_window("tab")
        ada.go("/")
        ada.until_text("open in another tab")
        ada.picture("elsewhere")
        ada.button("Use it here")
        ada.until_text("Your money is in it")
        ada.fill("Passphrase", "not the right one")
        ada.button("Open")
        ada.until_text("That did not open it")
        ada.unlock(PHRASE)
        second = ada.driver.current_window_handle
        ada.driver.switch_to.window(first)
        ada.until_text("open in another tab")
        ada.driver.switch_to.window(second)
        ada.cash_in("10")
        ada.until_balance("10.00 USD")
    finally:
        ada.close()


def offline(suite):
    """without a network the wallet opens and shows what there is, and says plainly what cannot be done"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("10")
        ada.until_stored()
        ada.command("Network.enable", {})
        ada.command("Network.emulateNetworkConditions", {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
        suite.server.stop()
        try:
            ada.go("/")
            ada.until("a closed wallet", lambda b: "Your money is in it" in b.text())
            ada.unlock()
            ada.until_balance("10.00 USD")
            ada.until_text("No answer. Nothing is lost")
            ada.picture("offline")
            ada.at("send").fill("Amount", "3")
            ada.button("Next")
            ada.button("Make the code")
            ada.until_text("No answer. Nothing is lost")
        finally:
            suite.server.start()
        ada.command("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
        ada.go("/")
        ada.unlock()
        ada.until_balance("10.00 USD")
    finally:
        ada.close()


def right_to_left(suite):
    """the same in Arabic, from right to left"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("20")
        ada.at("settings")
        ada.button("العربية")
        ada.until_text("الإعدادات")
        assert ada.find("html").get_attribute("dir") == "rtl"
        ada.picture("settings-ar")
        ada.at("").until_text("رصيدك")
        ada.picture("home-ar")
        ada.at("cash").until_text("إيداع")
        ada.picture("cash-ar")
        ada.at("score").until_text("لا درجة بعد")
        ada.picture("score-ar")
        ada.go("/")
        ada.until_text("مالك فيها")
    finally:
        ada.close()


def wire(suite):
    """everything goes to the operator's three origins, no cookie goes to or comes from a mint, and no address is told where a wallet came from"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("20")
        for route in ("score", "bills", "proofs", "shown", "known", "tour", "months", "settings"):
            ada.at(route)
            ada.until(route, lambda b: b.all("main > *"))
            ada.picture(f"empty-{route}")
        ada.at("tour").button("Live a month")
        ada.until_text("A month has passed")
        assert traffic.check(suite, ada) > 20
        assert not ada.complaints(), ada.complaints()
    finally:
        ada.close()


STORIES = [closed, twice, offline, right_to_left, wire]
