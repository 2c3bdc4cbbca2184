#!/usr/bin/env python3
"""Runs the wallet Nutshell, as its users do, against a mint in demo mode, and checks every balance to the last cent.

Each unit is a story of steps in order: after a step that fails, those that stand on it are not tried and count as
failed. What a step should cost is reckoned from the proofs it used up, which the wallet's own database lists.

    run.py --mint http://127.0.0.1:3338 --cashu .tacit/nutshell/bin/cashu
"""

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

# Nutshell waits for ever where it waits at all, so nothing may take longer than this.
SECONDS_MAX = 60


class Conversation:
    """Everything said to the wallets so far; printed when a step fails."""

    def __init__(self):
        self.lines = []

    def add(self, command, output):
        self.lines.append(f"$ {command}\n{output.rstrip()}")

    def show(self):
        print("\n".join(["--- the whole conversation", *self.lines, "--- end of the conversation"]), flush=True)


class Wallet:
    """One Nutshell wallet in a directory of its own, bound to one mint and one unit."""

    def __init__(self, cashu, directory, mint, unit, conversation):
        self.cashu, self.directory, self.mint, self.unit = cashu, directory, mint, unit
        self.conversation = conversation

    def run(self, *arguments, answer=None):
        """Runs one command and returns what it printed; a wallet that fails or hangs is an AssertionError."""
        status, output = self.attempt(*arguments, answer=answer)
        assert status == 0, f"`{' '.join(arguments)}` ended with status {status}"
        return output

    def attempt(self, *arguments, answer=None):
        """Runs one command and returns its status and what it printed."""
        command = [self.cashu, "-h", self.mint, "-u", self.unit, "-y", *arguments]
        environment = {**os.environ, "TOR": "FALSE", "CASHU_DIR": str(self.directory), "NO_COLOR": "1"}
        # Outside the repository, so that no `.env` of the caller's is read.
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                command, env=environment, cwd=self.directory, timeout=SECONDS_MAX, text=True,
                input=answer or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as expired:
            output = (expired.stdout or b"").decode(errors="replace")
            status = f"'still running after {SECONDS_MAX} seconds'"
        said = " ".join(["cashu", *command[1:]])
        self.conversation.add(f"CASHU_DIR={self.directory.name} {said}", output)
        return status, output

    def balance(self):
        """What can be spent, in minor units."""
        return self.last_amount(r"Balance: (.+)$", self.run("balance"))

    def last_amount(self, pattern, output):
        found = re.findall(pattern, output, flags=re.MULTILINE)
        assert found, f"no {pattern!r} in the output"
        return self.minor(found[-1])

    def minor(self, text):
        """Minor units of an amount as Nutshell prints it: "$10.50 USD", "1050 sat"."""
        number = Decimal(re.search(r"\d+(\.\d+)?", text)[0])
        return int(number * 100) if self.unit == "usd" else int(number)

    def major(self, minor):
        """The same the other way, for an argument."""
        return f"{minor // 100}.{minor % 100:02}" if self.unit == "usd" else str(minor)

    def used(self):
        """Secrets of the proofs used up so far, each with the quote it paid, if any."""
        with sqlite3.connect(self.directory / "wallet" / "wallet.sqlite3") as database:
            return dict(database.execute("SELECT secret, COALESCE(melt_id, '') FROM proofs_used"))

    def proofs_in(self, token):
        """The proofs of a token."""
        return json.loads(self.run("decode", token))["t"][0]["p"]


class Story:
    """The steps for one unit. Names of steps are statements; each returns nothing and asserts."""

    def __init__(self, base, unit, cashu, directory, conversation):
        self.base, self.unit = base, unit
        self.mint = f"{base}/{unit}"
        self.conversation = conversation
        self.alice = Wallet(cashu, directory / "alice", self.mint, unit, conversation)
        self.bob = Wallet(cashu, directory / "bob", self.mint, unit, conversation)
        self.restored = Wallet(cashu, directory / "alice-restored", self.mint, unit, conversation)
        self.token = self.fee_ppk = None

    def steps(self):
        return [
            self.the_mint_charges_an_input_fee,
            self.a_paid_invoice_gives_its_amount,
            self.sending_costs_the_amount_and_the_swap,
            self.a_token_sent_is_pending_until_it_is_burnt,
            self.receiving_costs_the_input_fee,
            self.a_token_is_received_once,
            self.burning_clears_what_was_received,
            self.a_token_with_fees_arrives_whole,
            self.paying_an_invoice_gives_change,
            self.an_invoice_is_paid_once,
            self.a_locked_token_opens_for_its_key_alone,
            self.the_words_restore_the_balance,
            self.what_was_restored_can_be_spent,
        ]

    def call(self, path, body=None):
        """One request of our own to the server."""
        request = urllib.request.Request(self.base + path, headers={"content-type": "application/json"})
        request.data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read().decode()
        self.conversation.add(f"{request.get_method()} {path} {json.dumps(body) if body else ''}", answer)
        return json.loads(answer)

    def fee(self, proofs):
        """NUT-02: the sum of the inputs' fees in thousandths, rounded up."""
        return -(-proofs * self.fee_ppk // 1000)

    def cost(self, wallet, before):
        """Input fees of what `wallet` used up since `before`: one swap, one payment, or one after the other."""
        new = [quote for secret, quote in wallet.used().items() if secret not in before]
        swapped = sum(1 for quote in new if not quote)
        return self.fee(swapped) + self.fee(len(new) - swapped)

    def send(self, wallet, amount, *options):
        """Sends and returns the token, having checked what it cost."""
        balance, used = wallet.balance(), wallet.used()
        output = wallet.run("send", wallet.major(amount), *options)
        token = re.search(r"^cashuB\S+$", output, flags=re.MULTILINE)
        assert token, "no token was printed"
        value = sum(proof["a"] for proof in wallet.proofs_in(token[0]))
        assert amount <= value, f"the token is worth {value}, not {amount}"
        if "--include-fees" not in options:
            assert value == amount, f"the token is worth {value}, not {amount}"
        cost = self.cost(wallet, used)
        assert_balance(wallet, balance - value - cost, f"{balance} less {value} and a fee of {cost}")
        return token[0]

    def receive(self, wallet, token):
        """Receives and returns the amount, having checked what it cost."""
        proofs = wallet.proofs_in(token)
        balance = wallet.balance()
        amount = sum(proof["a"] for proof in proofs) - self.fee(len(proofs))
        received = wallet.last_amount(r"^Received (.+)$", wallet.run("receive", token))
        assert received == amount, f"received {received} of {len(proofs)} proofs, not {amount}"
        assert_balance(wallet, balance + amount, f"{balance} and {amount} received")
        return amount

    def refused(self, wallet, token, reason):
        """Receives a token that must be refused, for a `reason` that the wallet prints."""
        balance = wallet.balance()
        status, output = wallet.attempt("receive", token)
        assert status != 0 and "Received" not in output, "the token was not refused"
        assert re.search(reason, output, flags=re.IGNORECASE), f"refused, but not for {reason!r}"
        assert_balance(wallet, balance, "nothing received")

    def the_mint_charges_an_input_fee(self):
        active = [keyset for keyset in self.call(f"/{self.unit}/v1/keysets")["keysets"] if keyset["active"]]
        assert {keyset["unit"] for keyset in active} == {self.unit}, f"{active} are not of {self.unit} alone"
        assert all(keyset["id"].startswith("01") for keyset in active), "keyset ids are not of version 2"
        fees = {keyset.get("input_fee_ppk", 0) for keyset in active}
        assert len(fees) == 1, f"active keysets differ in their fee: {fees}"
        self.fee_ppk = fees.pop()
        assert 0 < self.fee_ppk, "a fee of nothing would leave fees untested"

    def a_paid_invoice_gives_its_amount(self):
        assert_balance(self.alice, 0, "a new wallet")
        output = self.alice.run("invoice", self.alice.major(1050))
        assert "Invoice paid." in output, "the invoice was not paid"
        assert_balance(self.alice, 1050, "minted")

    def sending_costs_the_amount_and_the_swap(self):
        self.token = self.send(self.alice, 250, "--force-swap")
        assert self.alice.used(), "the swap used no proof up"

    def a_token_sent_is_pending_until_it_is_burnt(self):
        output = self.alice.run("pending")
        assert self.alice.last_amount(r"Amount: (.+?) Time:", output) == 250
        self.alice.run("burn", "-a")
        assert "cashuB" in self.alice.run("pending"), "burning threw away what was not spent"

    def receiving_costs_the_input_fee(self):
        assert_balance(self.bob, 0, "a new wallet")
        self.receive(self.bob, self.token)

    def a_token_is_received_once(self):
        self.refused(self.bob, self.token, "already spent|11001")

    def burning_clears_what_was_received(self):
        balance = self.alice.balance()
        self.alice.run("burn", "-a")
        assert "cashuB" not in self.alice.run("pending"), "a spent token is still pending"
        assert_balance(self.alice, balance, "burning takes nothing that can be spent")

    def a_token_with_fees_arrives_whole(self):
        token = self.send(self.alice, 100, "--include-fees")
        arrived = self.receive(self.bob, token)
        assert arrived == 100, f"{arrived} arrived of a token that includes its fees"
        self.alice.run("burn", "-a")

    def paying_an_invoice_gives_change(self):
        self.request = self.call("/demo/invoice", {"unit": self.unit, "amount": 250})["request"]
        balance, used = self.alice.balance(), self.alice.used()
        output = self.alice.run("pay", self.request)
        assert "Invoice paid." in output, "the invoice was not paid"
        # The quote as the wallet wrote it down; `fee_paid` there is what it reckoned the rail to have charged.
        with sqlite3.connect(self.alice.directory / "wallet" / "wallet.sqlite3") as database:
            (amount, reserve, state) = database.execute(
                "SELECT amount, fee_reserve, state FROM bolt11_melt_quotes WHERE request = ?", [self.request]
            ).fetchone()
        assert (amount, state) == (250, "PAID"), f"the quote is {state} over {amount}"
        inputs = self.cost(self.alice, used)
        charged = balance - self.alice.balance() - amount - inputs
        assert 0 <= charged < reserve, f"the rail charged {charged} of a reserve of {reserve}: no change came back"
        shown = self.alice.last_amount(r"^Balance: (.+)$", output)
        assert_balance(self.alice, shown, "the balance shown after paying")

    def an_invoice_is_paid_once(self):
        balance = self.alice.balance()
        status, output = self.alice.attempt("pay", self.request)
        assert status != 0 or "Error" in output, "a paid invoice was paid again"
        assert_balance(self.alice, balance, "nothing paid")

    def a_locked_token_opens_for_its_key_alone(self):
        lock = re.search(r"P2PK:[0-9a-f]{66}", self.alice.run("lock", "p2pk"))
        assert lock, "no lock was printed"
        # Bob sends, because of a locked send Nutshell draws even the change at random: its words do not restore it.
        token = self.send(self.bob, 100, "--lock", lock[0])
        self.refused(self.bob, token, "witness|signature|private key")
        self.receive(self.alice, token)

    def the_words_restore_the_balance(self):
        balance = self.alice.balance()
        words = re.search(r"Mnemonic:\n - (.+)$", self.alice.run("info", "--mnemonic"), flags=re.MULTILINE)
        output = self.restored.run("restore", answer=words[1] + "\n")
        restored = self.restored.last_amount(r"Balance: (.+)$", output)
        assert restored == balance, f"{restored} restored of {balance}"
        assert_balance(self.restored, balance, "restored")

    def what_was_restored_can_be_spent(self):
        self.receive(self.bob, self.send(self.restored, 200))


def assert_balance(wallet, expected, why):
    balance = wallet.balance()
    assert balance == expected, f"the balance of {wallet.directory.name} is {balance}, not {expected} ({why})"


def tell(story):
    """Plays one story; returns how many of its steps passed and failed."""
    passed = failed = 0
    for step in story.steps():
        name = f"{story.unit}: {step.__name__.replace('_', ' ')}"
        if failed:
            print(f"not reached  {name}", flush=True)
            failed += 1
            continue
        try:
            step()
            print(f"ok           {name}", flush=True)
            passed += 1
        except Exception as error:
            print(f"FAILED       {name}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            story.conversation.show()
            failed += 1
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mint", required=True, help="address of the server, without the unit")
    parser.add_argument("--cashu", required=True, help="Nutshell's command")
    parser.add_argument("--unit", action="append", help="only this unit: usd or sat")
    arguments = parser.parse_args()
    units = arguments.unit or ["usd", "sat"]
    with tempfile.TemporaryDirectory(prefix="nutshell-") as directory, ThreadPoolExecutor() as pool:
        # Side by side: a wallet is a Python process, which takes a second to start and then mostly waits.
        stories = [
            Story(arguments.mint, unit, arguments.cashu, Path(directory) / unit, Conversation()) for unit in units
        ]
        counts = list(pool.map(tell, stories))
    total_passed, total_failed = (sum(column) for column in zip(*counts))
    print(f"nutshell: {total_passed} passed, {total_failed} failed")
    sys.exit(1 if total_failed else 0)


if __name__ == "__main__":
    main()
