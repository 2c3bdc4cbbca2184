"""The story of a passport: enrolled at the portal, grown by bills in a wallet, and proven to a lender in their browser."""

import json
import os
import pathlib
import subprocess
import tempfile
import urllib.request

import run
from billers import LONG, licensed
from people import staff
from run import sign_up
from verifiers import lender_asks

MONTHS = 5


class Wallet:
    """`tacit`, with a wallet file of its own."""

    def __init__(self, program, home, server):
        self.program, self.home, self.server, self.days = program, pathlib.Path(home), server, 0

    def run(self, *arguments):
        environment = {
            "HOME": str(self.home), "TACIT_WALLET": str(self.home / "wallet"), "TACIT_WALLET_PASSPHRASE": "only for this story",
            "TACIT_DAYS_AHEAD": str(self.days), "PATH": os.environ["PATH"],
        }
        done = subprocess.run([self.program, *arguments, "--yes"], capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def info(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}/v1/passport") as answer:
            return json.load(answer)

    def next_month(self):
        month = self.info()["month"]
        while self.info()["month"] == month:
            self.server.advance(1)
            self.days += 1


def whole(suite):
    """a person enrols at the portal, pays bills from the wallet until there is a score, and proves it to a lender, who reads no more than it asked for"""
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as home:
        server = run.Server(suite.server.program, data)
        own = run.Suite(server, server.start(), suite.pictures)
        own.axe = suite.axe
        try:
            lives(own, Wallet(suite.tacit, home, server))
        finally:
            server.stop()


def lives(suite, wallet):
    person, biller = suite.browser(), suite.browser()
    compliance, finance = staff(suite, "Bella Compliance", "compliance"), staff(suite, "Fia Finance", "finance")
    browsers = [person, biller, compliance, finance]
    try:
        sign_up(person, "Ada Lovelace")
        person.go("/portal/passport")
        person.picture("passport-none")
        person.press("form[action='/portal/passport'] button")
        person.until_text("tacit passport enrol")
        person.picture("passport-code")
        link = person.find("main code").text
        wallet.run("wallet", "init")
        wallet.run("wallet", "mint", "300 usd", "--mint", f"http://127.0.0.1:{suite.server.port}/usd")
        wallet.run("passport", "enrol", link)
        person.go("/portal/passport")
        person.picture("passport-enrolled")
        assert "No score yet. That is not a low score" in wallet.run("passport", "show").stdout

        month = wallet.info()["month"]
        code = licensed(biller, compliance, finance, LONG, range(month + 1, month + 1 + MONTHS))

        taken = wallet.run("passport", "bills", "add", code)
        assert LONG in taken.stderr, taken
        for _ in range(MONTHS):
            paid = wallet.json("passport", "bills", "pay", "1")
            assert paid["in_time"] is True and paid["units"] == 4, paid
            wallet.next_month()
            assert wallet.json("passport", "update")["missed"] == []
        wallet.next_month()
        wallet.run("passport", "update")
        shown = wallet.run("passport", "show").stdout
        assert "█" in shown, shown
        score = wallet.json("passport", "show")["score"]
        certified = wallet.json("passport", "certify")
        assert certified["certificates"] == 4 and certified["threshold"] <= score, (certified, score)

        # By now everybody's login is over.
        lender = lender_asks(suite, browsers, certified["threshold"])
        link = lender.find("#link").get_attribute("value")
        asked = wallet.run("passport", "present", link).stderr
        assert "Savings and Loan Society" in asked and f"a score of at least {certified['threshold']}" in asked, asked
        lender.until_text("Shown, and believed")
        lender.picture("passport-shown")
        assert str(score) not in lender.text(), "the threshold, not the score"
        assert len(wallet.json("passport", "consents")["consents"]) == 1
    finally:
        for browser in browsers:
            browser.close()


STORIES = [whole]
