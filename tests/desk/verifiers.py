"""The story of a verifier: registered, asks, is answered by a wallet, and is read about by everybody."""

import json
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from selenium.webdriver.support.select import Select

from agents import account
from people import identify, staff
from run import sign_up

NAME = "Savings and Loan Society of Llanfairpwllgwyngyll, Registered Office"


def fetch(server, host, path, form=None):
    """What a wallet fetches or sends: no cookie, no origin; the names under `localhost` are this machine's."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", data=form and form.encode(), headers={"host": f"{host}.localhost:{server.port}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def answer(suite, link, threshold):
    """Answers a request as the wallet of somebody with this score, and gives the status."""
    server = suite.server
    query = dict(urllib.parse.parse_qsl(link.partition("?")[2]))
    status, request = fetch(server, "desk", urllib.parse.urlsplit(query["request_uri"]).path)
    assert status == 200, status
    info = json.loads(fetch(server, "mint", "/v1/passport")[1])
    issuer = json.loads(fetch(server, "mint", "/.well-known/jwt-vc-issuer")[1])["issuer"]
    seed = (pathlib.Path(server.data) / "seed").read_text().strip()
    command = [suite.certificates, "answer", str(int(time.time())), link, issuer, seed, info["scorecard"]["id"], str(threshold)]
    done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=30)
    said = json.loads(done.stdout)
    if "refused" in said:
        return said["refused"]
    return fetch(server, "desk", urllib.parse.urlsplit(said["to"]).path, said["body"])[0]


def propose(compliance, lender):
    """Compliance registers whoever is signed in here."""
    compliance.go("/operator/verifiers")
    compliance.type("#account", account(lender))
    compliance.type("#name", NAME)
    compliance.type("#purpose", "To decide on a loan, and on how much may be lent to somebody without a history at a bank")
    compliance.press("main form button")


def lender_asks(suite, browsers, threshold=None):
    """A registered lender asks for a history of three months and a score of this threshold, or of the least there is; gives it as it waits."""
    lender, teller = suite.browser(), staff(suite, "Victor Teller", "teller")
    compliance = staff(suite, "Vera Compliance", "compliance")
    browsers += [lender, teller, compliance]
    sign_up(lender, "Lena Lender")
    identify(teller, compliance, "lena", "L10 E00 N47")
    propose(compliance, lender)
    compliance.until_text("Registered.")
    lender.go("/verifier")
    offered = [one.get_attribute("value") for one in lender.all("#threshold option")]
    threshold = threshold or min(int(value) for value in offered if value)
    Select(lender.find("#threshold")).select_by_value(str(threshold))
    Select(lender.find("#tenure")).select_by_value("3")
    lender.press("main form button")
    lender.until_text("Waiting for an answer")
    return lender


def asking(suite):
    """compliance registers a verifier, whose question a wallet answers once; everybody reads who asks"""
    lender, compliance, teller = suite.browser(), staff(suite, "Vera Compliance", "compliance"), staff(suite, "Victor Teller", "teller")
    try:
        lender.go("/verifiers")
        lender.until_text("Nobody is registered")
        lender.picture("verifiers-none")
        sign_up(lender, "Lena Lender")
        lender.go("/verifier")
        lender.until_text("You are not registered")
        lender.picture("verifier-none")
        compliance.go("/operator/verifiers")
        compliance.picture("verifiers-empty")
        propose(compliance, lender)
        compliance.until_text("Nobody has identified this person yet")
        compliance.picture("verifiers-wrong")
        identify(teller, compliance, "lena", "L10 E00 N47")
        propose(compliance, lender)
        compliance.until_text("Registered.")
        compliance.picture("verifiers")
        lender.go("/verifiers")
        lender.picture("verifiers-list")

        lender.go("/verifier")
        lender.until_text("Llanfairpwllgwyngyll")
        lender.picture("verifier")
        Select(lender.find("#threshold")).select_by_index(1)
        Select(lender.find("#tenure")).select_by_value("6")
        threshold = int(lender.find("#threshold").get_attribute("value"))
        lender.press("[name=nothing_overdue]")
        lender.press("main form button")
        lender.until_text("Waiting for an answer")
        lender.picture("verifier-ask")
        link = lender.find("#link").get_attribute("value")
        assert answer(suite, link, threshold - 1) == "it asks for something else"
        assert answer(suite, link, threshold) == 200
        lender.until_text("Shown, and believed")
        lender.picture("verifier-shown")
        assert f"at least {threshold}" in lender.text() and "at least 6" in lender.text()
        assert answer(suite, link, threshold) == 400, "once"
        path = lender.path()
        compliance.press("button[value=stop]")
        compliance.until_text("Changed.")
        assert isinstance(re.search("stopped", compliance.text()), re.Match)
        lender.go("/verifier")
        lender.until_text("You may not ask at present")
        lender.go(path)
        lender.until_text("Shown, and believed")
        assert not lender.complaints(), lender.complaints()
    finally:
        for browser in (lender, compliance, teller):
            browser.close()


STORIES = [asking]
