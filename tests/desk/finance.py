"""A day of finance staff on the operator's console: statements, suspense, payouts, reconciliation."""

import contextlib
import pathlib
import re
import tempfile

from selenium.webdriver.common.by import By

from people import staff
from run import Server, Suite, sign_up
from statement import camt053

OWN_ACCOUNT = "DE89370400440532013000"
IBAN = "FR1420041010050500013M02606"
LARGE = 1 << 30  # bytes of a file that is no statement


class EuroServer(Server):
    """A demonstration with an account at a bank."""

    def command(self):
        config = pathlib.Path(self.data) / "tacit.toml"
        config.write_text('[bank]\nname = "Tacit Money Ltd"\n\n[[unit]]\nunit = "eur"\n'
                          f'bank_account = "{OWN_ACCOUNT}"\npayout_alone_max = 5000\n')
        return [*super().command(), "--config", str(config)]

    def memory(self):
        """The most that it has needed, in KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


@contextlib.contextmanager
def office(suite):
    """A server of its own, with somebody of finance and somebody of compliance."""
    with tempfile.TemporaryDirectory() as data:
        server = EuroServer(suite.server.program, data)
        server.start()
        own = Suite(server, None, suite.pictures)
        own.axe = suite.axe
        browsers = [staff(own, "Fiona Finance", "finance"), staff(own, "Cora Compliance", "compliance")]
        try:
            yield own, *browsers
        finally:
            for browser in browsers:
                browser.close()
            server.stop()


def write(folder, name, credits, opening=0):
    path = pathlib.Path(folder) / name
    path.write_text(camt053(OWN_ACCOUNT, opening, credits))
    return path


def upload(browser, path):
    browser.go("/operator/statements")
    browser.find("#file").send_keys(str(path))
    browser.press("main form button")


def a_day(suite):
    """finance imports a statement, finds whom money is for, and two people pay out; the books agree with the bank"""
    with office(suite) as (own, finance, compliance), tempfile.TemporaryDirectory() as folder:
        ada = own.browser()
        sign_up(ada, "Ada Lovelace")
        account = next(code.text for code in ada.all("code") if re.fullmatch(r"[0-9A-Z]{12}", code.text))
        for path, name in (("/operator/statements", "statements-empty"), ("/operator/bookings", "suspense-empty"),
                           ("/operator/payouts", "payouts-empty"), ("/operator/reconciliation", "reconciliation-empty")):
            finance.go(path)
            finance.picture(name)
        long = "Wilhelmina Featherstonehaugh-Cholmondeley of Llanfairpwllgwyngyll &amp; Daughters"
        credits = [("REF-1", 12345, long, "for my account, as I said on the telephone"),
                   ("REF-2", 9900, "&lt;b&gt;Mallory&lt;/b&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;")]
        upload(finance, write(folder, "a.xml", credits, opening=100000))
        finance.until_text("See what waits for you")
        finance.picture("statements-imported")
        upload(finance, write(folder, "a.xml", credits, opening=100000))
        finance.until_text("was imported before")
        finance.press("section[role=status] a.button")
        finance.until_text("<b>Mallory</b>")
        finance.picture("suspense")
        next(row for row in finance.all("tbody tr") if "Wilhelmina" in row.text).find_element(By.CSS_SELECTOR, "a").click()
        finance.until_text("What was it for?")
        finance.picture("booking")
        finance.press("input[value=account]")
        finance.type("#account", "5A5A")
        finance.type("#reason", "She called and knew the amount")
        finance.press("main form button")
        finance.until_text("Write the number of the account")
        assert finance.find("#account").get_attribute("value") == "5A5A"
        finance.picture("booking-wrong")
        finance.type("#account", account)
        finance.press("main form button")
        finance.until_text(f"It was credited to account {account}.")
        finance.picture("booking-done")

        ada.go("/portal/payout")
        ada.until_text("Say first where your money is to go")
        ada.picture("portal-payout-empty")
        ada.go("/portal")
        ada.type("#iban", IBAN)
        ada.press("#details button")
        ada.until_text("Saved.")
        ada.go("/portal/payout")
        ada.type("#amount", "1000")
        ada.press("main form button")
        ada.until_text("does not hold as much")
        ada.picture("portal-payout-wrong")
        ada.type("#amount", "100.00")
        ada.press("main form button")
        ada.until_text("Asked for.")
        ada.picture("portal-payout")
        finance.go("/operator/payouts")
        finance.until_text("0 of 2")
        finance.picture("payouts")
        finance.press("tbody a")
        finance.until_text("Approved by")
        finance.picture("payout")
        finance.press("form[action$='/approve'] button")
        finance.until_text("It needs somebody else, too.")
        finance.picture("payout-approved-once")
        compliance.go(finance.path().split("?")[0])
        compliance.press("form[action$='/approve'] button")
        compliance.until_text("It has the approvals it needs.")
        finance.go("/operator/payouts")
        finance.press("form[action='/operator/payouts/order'] button")
        finance.until_text("The order is made.")
        finance.picture("payouts-ordered")
        file = finance.driver.execute_async_script(
            "fetch(arguments[0]).then(async (a) => arguments[1](await a.text()))", finance.find("#orders a").get_attribute("href"))
        assert f"<IBAN>{IBAN}</IBAN>" in file and ">100.00<" in file, file

        finance.go("/operator/reconciliation")
        finance.until_text("Days to be looked at: 1")
        finance.picture("reconciliation")
        finance.press("tbody td a")
        finance.until_text("Explain it")
        finance.picture("reconciliation-day")
        finance.type("#reason", "Our own money, on the account before the first statement")
        finance.press("main form button")
        finance.until_text("nobody else has approved it yet")
        finance.picture("reconciliation-proposed")
        compliance.go(finance.path().split("?")[0])
        compliance.picture("reconciliation-approve")
        compliance.press("form[action$='/approve'] button")
        compliance.until_text("approved by Cora Compliance")
        finance.go("/operator/reconciliation")
        finance.picture("reconciliation-explained")
        finance.until_text("Bank and books agree, or the difference is explained")
        assert not finance.complaints(), finance.complaints()
        ada.close()


def mistakes(suite):
    """what was credited by mistake is taken back by two, who also say what is the operator's own; what is gone is an exception"""
    with office(suite) as (own, finance, compliance), tempfile.TemporaryDirectory() as folder:
        ada = own.browser()
        sign_up(ada, "Ada Lovelace")
        account = next(code.text for code in ada.all("code") if re.fullmatch(r"[0-9A-Z]{12}", code.text))
        finance.go("/operator/exceptions")
        finance.until_text("Nothing waits")
        finance.picture("exceptions-empty")
        credits = [("REF-1", 12345, "Wilhelmina", "capital"), ("REF-2", 5000, "Bank &amp; Co", "interest")]
        upload(finance, write(folder, "a.xml", credits))
        finance.until_text("See what waits for you")
        finance.go("/operator/bookings")
        path = book(finance, "Wilhelmina", "account", account)
        finance.until_text(f"It was credited to account {account}.")
        finance.picture("booking-mistake")
        propose(finance, "It was our own capital")
        finance.picture("booking-proposed")
        # Ada has sent it on meanwhile.
        ada.go("/portal")
        ada.type("#iban", IBAN)
        ada.press("#details button")
        ada.until_text("Saved.")
        ada.go("/portal/payout")
        ada.type("#amount", "100.00")
        ada.press("main form button")
        ada.until_text("Asked for.")
        compliance.go("/operator/bookings?show=proposed")
        compliance.picture("bookings-proposed")
        compliance.press("tbody a")
        compliance.picture("booking-second")
        compliance.press("form[action$='/approve'] button")
        compliance.until_text("does not hold as much any more")
        compliance.picture("booking-gone")
        compliance.go("/operator/payouts")
        compliance.press("tbody a")
        compliance.type("#reason", "Not her money")
        compliance.press("form[action$='/reject'] button")
        compliance.until_text("The money goes back")
        compliance.go("/operator/exceptions")
        compliance.until_text("What was credited by mistake is gone")
        compliance.picture("exceptions")
        compliance.type("#reason-1", "Her payout was stopped")
        compliance.press("main form button")
        compliance.until_text("Nothing waits")
        finance.go(path)
        propose(finance, "It was our own capital")
        compliance.go(path)
        compliance.press("form[action$='/approve'] button")
        compliance.until_text("was taken back")
        compliance.picture("booking-taken-back")
        finance.go("/operator/bookings")
        finance.until_text("Taken back")
        finance.picture("suspense-taken-back")
        path = book(finance, "Wilhelmina", "own", "")
        finance.until_text("Somebody else has to approve it.")
        compliance.go(path)
        compliance.press("form[action$='/approve'] button")
        compliance.until_text("It is the operator's own money.")
        ada.go("/portal")
        ada.until_text("0.00 EUR")
        assert not finance.complaints(), finance.complaints()
        ada.close()


def book(browser, name, purpose, account):
    """Opens a booking of a list and says what it was for; returns where it is."""
    next(row for row in browser.all("tbody tr") if name in row.text).find_element(By.CSS_SELECTOR, "a").click()
    browser.until_text("What was it for?")
    path = browser.path().split("?")[0]
    browser.press(f"input[value={purpose}]")
    if account:
        browser.type("#account", account)
    browser.type("#reason", "As was said on the telephone")
    browser.press("main form button")
    return path


def propose(browser, reason):
    """Proposes on a booking's page to take it back."""
    browser.type("#reason", reason)
    browser.press("form[action$='/reverse'] button")
    browser.until_text("Somebody else has to approve it.")


def too_much(suite):
    """a gigabyte is refused on the page, with what to do, and the server needs no more memory for it"""
    with office(suite) as (own, finance, _), tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "huge.xml"
        with path.open("wb") as file:
            file.truncate(LARGE)
        before = own.server.memory()
        upload(finance, path)
        finance.until_text("larger than 32 MB")
        finance.picture("statements-too-large")
        needed = own.server.memory() - before
        assert needed < 64 << 10, f"{needed} KiB more"
        bomb = pathlib.Path(folder) / "bomb.xml"
        bomb.write_text("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bb'>]><a>&b;</a>")
        upload(finance, bomb)
        finance.until_text("a document type is not allowed")


STORIES = [a_day, mistakes, too_much]
