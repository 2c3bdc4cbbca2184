#!/usr/bin/env python3
"""The whole way of money, without a demonstration's shortcuts: in by the bank's statement, out by an order to the bank.

    whole.py --tacitd PROGRAM --cashu PROGRAM --request SCRIPT [--pictures DIRECTORY] [--axe SCRIPT]

`--cashu` is Nutshell's wallet; `--request` is cashu-ts (tests/interop/cashu-ts/request.mjs, beside its modules). Ends with
"whole: N passed, N failed". The last story reads everything that is kept, and tries to find out who paid.
"""

import argparse
import hmac
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import sepaxml
import xmlschema

import joins
from checkout import Hook, Shop, post
from finance import upload
from people import staff
from run import Server, Suite, sign_up
from statement import camt053

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN_ACCOUNT = "DE89370400440532013000"
SHOPS_ACCOUNT = "FR1420041010050500013M02606"
SCHEMA = pathlib.Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"
PASSPHRASE = "only for this story"


class Mint(Server):
    """A mint as an operator runs it, with an account at a bank and wallets that know no method but `bolt11`."""

    def __init__(self, program, directory, hook):
        super().__init__(program, str(directory / "data"))
        self.config, self.log = directory / "tacit.toml", directory / "log"
        names = "".join(f'{name} = "http://{name}.localhost:{self.port}"\n' for name in ("mint", "desk", "wallet"))
        self.config.write_text(
            # Not every resolver takes every name under localhost for this machine.
            f'listen = "127.0.0.1:{self.port}"\n[about]\npublic_url = "http://localhost:{self.port}"\n[origin]\n{names}[bank]\nname = "Tacit Money Ltd"\n'
            f'[merchants]\nwebhook_origins = ["{hook}"]\n'
            f'[[unit]]\nunit = "eur"\nbolt11 = true\nbank_account = "{OWN_ACCOUNT}"\npayout_alone_max = 1000000\n')
        self.environment = {**os.environ, "TACITD_PASSPHRASE": PASSPHRASE}
        subprocess.run([program, "init", "--data", self.data], env=self.environment, check=True, capture_output=True)

    def start(self):
        command = [self.program, "serve", "--config", self.config, "--data", self.data]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(300):
            if "the mint is up" in self.log.read_text():
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], env=self.environment, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done
        return done.stdout

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return answer.read().decode()


class Person:
    """Somebody with a browser, an account and a wallet of their own."""

    def __init__(self, suite, name, directory):
        self.name, self.mint, self.browser = name, suite.server, suite.browser()
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        self.account = self.reference = self.order = self.url = None

    def wallet(self, cashu, *arguments, **further):
        mint = f"http://localhost:{self.mint.port}/eur"
        settings = {**os.environ, "CASHU_DIR": str(self.directory), "TOR": "FALSE", "MINT_URL": mint}
        return subprocess.run([cashu, "-h", mint, "-u", "eur", "-y", *arguments], env=settings, cwd=self.directory, text=True,
                              timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **further).stdout


class World(Shop):
    """What the stories share: two people who do the same, and a shop."""

    def __init__(self, suite, arguments, directory):
        super().__init__(suite, arguments)
        self.unit, self.mint, self.directory = "eur", f"http://localhost:{suite.server.port}/eur", directory
        self.ada, self.ben = Person(suite, "Ada Lovelace", directory), Person(suite, "Ben Franklin", directory)
        self.people, self.pictures = [self.ada, self.ben], arguments.pictures
        self.finance = staff(suite, "Fiona Finance", "finance")

    def close(self):
        for browser in (self.owner, self.payer, self.finance, self.ada.browser, self.ben.browser):
            browser.close()


def accounts(world):
    """two people open accounts with passkeys, and are told how to pay money in"""
    for person in world.people:
        sign_up(person.browser, person.name)
        person.reference = person.browser.find("#reference").text
        plain = person.reference.replace(" ", "")
        assert re.fullmatch(r"RF\d\d[0-9A-Z]{12}", plain), plain
        person.account = plain[4:]
        assert OWN_ACCOUNT in person.browser.text().replace(" ", "")
    world.ada.browser.picture("whole-empty")


def by_bank(world):
    """a statement of the bank's, which finance hands in, credits both, once, although it comes twice"""
    credits = [("BANK-1", 5000, "A. Lovelace", f"savings {world.ada.reference}"),
               ("BANK-2", 5000, "B. Franklin", world.ben.reference.lower())]
    path = world.directory / "statement.xml"
    path.write_text(camt053(OWN_ACCOUNT, 100_000, credits))
    for said in ("Nothing waits", "was imported before"):
        upload(world.finance, path)
        world.finance.until_text(said)
    for person in world.people:
        person.browser.go("/portal")
        assert "50.00 EUR" in person.browser.find("#balance").text, person.browser.find("#balance").text
    world.ada.browser.picture("whole-balance")
    world.ada.browser.go("/portal/statement?unit=eur")
    world.ada.browser.picture("whole-statement")


def loading(world):
    """a quote of Nutshell's is approved in the portal, and Nutshell has the money"""
    for person in world.people:
        said = person.wallet(world.arguments.cashu, "invoice", "42.00", "--no-check")
        invoice = re.search(r"Invoice: (\S+)", said).group(1)
        quote = re.search(r"--id (\S+?)`?$", said, re.MULTILINE).group(1)
        browser = person.browser
        browser.go("/portal/approve")
        browser.type("#quote", "RF00 0000 0000 0000")
        browser.press("main form button")
        browser.until_text("No open request")
        browser.type("#quote", invoice)
        browser.press("main form button")
        browser.until_text("Pay 42.00 EUR from your account")
        browser.picture("whole-approve")
        browser.press("main form button")
        browser.until_text("The wallet can fetch its money now")
        assert "8.00 EUR" in browser.find("#balance").text, browser.find("#balance").text
        said = person.wallet(world.arguments.cashu, "invoice", "42.00", "--id", quote)
        assert "42.00 EUR" in person.wallet(world.arguments.cashu, "balance"), said
        assert not browser.complaints(), browser.complaints()


def a_shop(world):
    """a third opens a shop, with a key and a webhook for its program"""
    owner = world.owner
    sign_up(owner, "Cleo Patra")
    owner.go("/merchant")
    owner.type("#name", "Corner Café")
    owner.press("main form button")
    owner.until_text("Keep this key")
    owner.go("/merchant/keys")
    owner.type("#label", "the till")
    owner.press("input[name=refund]")
    owner.press("main form[action='/merchant/keys'] button")
    owner.until_text("Your new key")
    world.key = owner.find("pre code").text
    owner.go("/merchant/webhooks")
    owner.type("#url", world.hook.url)
    owner.press("main form button")
    owner.until_text("Saved")
    owner.press("summary")
    world.secret = owner.find("details code").text


def paying(world):
    """each pays an order's request with cashu-ts from a token of Nutshell's, and the shop's program is told, signed"""
    for person in world.people:
        person.order = world.order(f"for {person.name.split()[0]}")
        said = person.wallet(world.arguments.cashu, "send", "20.00")
        token = next(line for line in said.splitlines() if line.startswith("cashuB")).strip()
        world.payer.go(person.order["checkout_url"])
        world.payer.until_text("10.50 EUR")
        payload = world.typescript("pay-from", answer=f"{token}\n{person.order['payment_request']}")
        status, said = post(f"{world.mint}/pay/{json.loads(payload)['id']}", payload)
        assert (status, said) == (200, {"state": "PAID", "unit": "eur"}), (status, said)
        world.payer.until_text("has your payment of 10.50 EUR")
    world.payer.picture("whole-receipt")
    told = {}
    for _ in range(100):
        told = {json.loads(body)["order"]["id"]: (signature, body) for signature, body in world.hook.told}
        if len(told) == 2:
            break
        time.sleep(0.1)
    for person in world.people:
        signature, body = told[person.order["id"]]
        moment, given = (part.split("=", 1)[1] for part in signature.split(","))
        expected = hmac.new(world.secret.encode(), moment.encode() + b"." + body, "sha256").hexdigest()
        assert hmac.compare_digest(expected, given), "the signature does not hold"


def refund(world):
    """the shop gives part of it back, and the payer's Nutshell receives it"""
    before = world.ada.wallet(world.arguments.cashu, "balance")
    world.api(f"/orders/{world.ada.order['id']}/refunds", {"amount": 400}, "refund-1")
    world.payer.go(world.ada.order["checkout_url"])
    world.payer.until_text("4.00 EUR waits for you")
    world.payer.press("#refunds a.button")
    world.payer.press("main form button")
    world.payer.until_text("let the wallet receive it")
    token = world.payer.find("#token").get_attribute("value")
    said = world.ada.wallet(world.arguments.cashu, "receive", token)
    after = world.ada.wallet(world.arguments.cashu, "balance")
    assert "22.00 EUR" in before and "26.00 EUR" in after, (before, said, after)
    assert world.payer.driver.get_cookies() == [], "a payer has no cookies"


def payout(world):
    """the shop's income goes to its bank by an order that the schema of pain.001 takes"""
    owner = world.owner
    owner.go("/merchant")
    assert "17.00 EUR" in owner.text(), owner.text()
    owner.go("/portal")
    owner.type("#iban", SHOPS_ACCOUNT)
    owner.press("#details button")
    owner.until_text("Saved.")
    owner.go("/merchant")
    owner.press("a[href='/portal/payout']")
    shop = next(choice for choice in owner.all("#from option") if "Corner Café" in choice.text)
    shop.click()
    owner.type("#amount", "17.00")
    owner.press("main form button")
    owner.until_text("Asked for.")
    finance = world.finance
    finance.go("/operator/payouts")
    finance.press("form[action='/operator/payouts/order'] button")
    finance.until_text("The order is made.")
    order = finance.driver.execute_async_script(
        "fetch(arguments[0]).then(async (a) => arguments[1](await a.text()))", finance.find("#orders a").get_attribute("href"))
    schema = xmlschema.XMLSchema(str(SCHEMA))
    schema.validate(order)
    said = schema.to_dict(order)["CstmrCdtTrfInitn"]["PmtInf"][0]["CdtTrfTxInf"][0]
    assert str(said["Amt"]["InstdAmt"]["$"]) == "17.00" and said["CdtrAcct"]["Id"]["IBAN"] == SHOPS_ACCOUNT, said
    again = world.directory / "statement-2.xml"
    again.write_text(camt053(OWN_ACCOUNT, 110_000, (), [("BANK-3", 1700, said["PmtId"]["EndToEndId"])]))
    settled = json.loads(world.server.run("bank", "import", "--json", world.server.data, str(again)))
    assert (settled["settled"], settled["open"]) == (1, 0), settled
    owner.go("/merchant")
    assert "17.00 EUR" not in owner.find("main").text


def kept(world):
    """Everything that is kept, as a copy: the server has stopped, and what it logged and counted lies beside it."""
    metrics = world.server.metrics()
    world.server.stop()
    copy = world.directory / "seized"
    shutil.copytree(world.server.data, copy)
    paths = [copy / "vault.sqlite", copy / "desk.sqlite"]
    rows = [row for path in paths for row in joins.rows_of(path)]
    rows += joins.rows_of_text("log", world.server.log.read_text()) + joins.rows_of_text("metric", metrics)
    return paths, rows


def nothing_joins(world):
    """whoever seizes both databases, the log and the metrics finds nothing that joins a payer to an order"""
    paths, rows = kept(world)
    prefixes = joins.hashes_in(ROOT / "crates") + joins.hashes_of_books(rows)
    orders = [person.order["id"] for person in world.people]
    assert joins.moments(rows) == [], joins.moments(rows)
    # Of the vault's own: keysets, eras, and what its accounts are called.
    assert joins.ordered(paths[0]) == {"vault", "keyset", "sealed_keyset", "era", "account"}, joins.ordered(paths[0])

    def join(rows):
        graph = joins.Graph(rows, prefixes)
        return graph, *graph.between([person.account for person in world.people], orders)

    graph, payers, sales = join(rows)
    for person, payer, sale in zip(world.people, payers, sales):
        # What the pages promise is there, so that an empty answer is not taken for a good one.
        assert person.name in payer, "an account is joined to a name"
        assert any(row.place == "mint_quote" for row in graph.rows_with(payer)), "an account is joined to what it approved"
        assert any(row.place == "transfer" for row in graph.rows_with(sale)), "an order is joined to its sale"
    for payer in payers:
        for sale in sales:
            for value in payer.keys() & sale.keys():
                raise AssertionError(f"joined: {joins.way(payer, value)} -- {joins.way(sale, value)}")
    # The same reader finds a link where there is one, of every kind: plain, inside a text, hashed.
    quote = next(row for row in graph.rows_with(payers[0]) if row.place == "mint_quote").columns["id"]
    for leak in (quote, {"note": f"paid from {world.ada.account}"}, joins.hashlib.sha256(prefixes[0] + quote).digest()):
        planted = joins.Row("planted", {})
        text = leak if isinstance(leak, bytes) else json.dumps(leak)
        planted.values = joins.spellings(text) | {orders[0]}
        _, payers_then, sales_then = join([*rows, planted])
        assert payers_then[0].keys() & sales_then[0].keys(), f"a planted link was not found: {leak}"


def books(world):
    """the books of the vault hold"""
    said = subprocess.run([world.server.program, "verify", world.server.data], env=world.server.environment, text=True,
                          capture_output=True)
    assert said.returncode == 0, said


STORIES = [accounts, by_bank, loading, a_shop, paying, refund, payout, nothing_joins, books]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tacitd", required=True)
    parser.add_argument("--cashu", required=True)
    parser.add_argument("--request", required=True)
    parser.add_argument("--pictures")
    parser.add_argument("--axe")
    arguments = parser.parse_args()
    if arguments.pictures:
        pathlib.Path(arguments.pictures).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        hook = Hook()
        mint = Mint(arguments.tacitd, directory, hook.url.removesuffix("/paid"))
        mint.start()
        suite = Suite(mint, None, arguments.pictures, arguments.axe)
        world = World(suite, arguments, directory)
        world.server, world.hook = mint, hook
        try:
            for story in STORIES:
                own = lambda _, story=story: story(world)  # noqa: E731
                own.__doc__ = story.__doc__
                suite.check(own)
                if suite.failed:
                    print(f"        the rest was not told; {mint.log.read_text()[-2000:]}")
                    break
        finally:
            world.close()
            mint.stop()
    print(f"whole: {suite.passed} passed, {suite.failed} failed")
    raise SystemExit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
