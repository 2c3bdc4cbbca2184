#!/usr/bin/env python3
"""Hands tokens between `tacit wallet`, Nutshell and cashu-ts, in every direction, and checks every balance.

    run.py --mint http://127.0.0.1:3338 --tacit target/debug/tacit --cashu .tacit/nutshell/bin/cashu \
        --cross .tacit/cashu-ts/cross.mjs
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
import story

spec = importlib.util.spec_from_file_location("nutshell", here.parent / "nutshell" / "run.py")
nutshell = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nutshell)


class Tacit(story.Wallet):
    """One wallet of ours. What it prints to stderr is not what is passed on."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.words = self.act("init")

    def environment(self):
        return {"TACIT_WALLET": str(self.directory / "wallet"), "TACIT_WALLET_PASSPHRASE": "correct horse battery",
                "XDG_CONFIG_HOME": str(self.directory)}

    def act(self, *arguments, answer=None, status=0):
        """Runs a command and returns what it printed to stdout; another exit code is an AssertionError."""
        command = [self.binary, "wallet", *arguments, "--yes"]
        done = subprocess.run(
            command, env={**os.environ, **self.environment()}, cwd=self.directory, timeout=story.SECONDS_MAX,
            text=True, input=answer or "", capture_output=True,
        )
        self.conversation.add(f"({self.directory.name}) {' '.join(command)}", done.stdout + done.stderr)
        assert done.returncode == status, f"`{' '.join(arguments)}` ended with status {done.returncode}"
        return done.stdout.strip()

    def result(self, *arguments, answer=None):
        return json.loads(self.act(*arguments, "--json", answer=answer))

    def balance(self):
        return sum(row["amount"] for row in self.result("balance") if row["unit"] == self.unit)

    def major(self, minor):
        return f"{minor // 100}.{minor % 100:02}" if self.unit == "usd" else str(minor)

    def mint_money(self, minor):
        self.act("mint", self.major(minor), self.unit, "--mint", self.mint)

    def send(self, minor, *how):
        token = self.act("send", self.major(minor), self.unit, *how)
        assert token.startswith("cashuB"), "no token was printed"
        return token

    def receive(self, token):
        """How much came in, having checked the balance."""
        before = self.balance()
        amount = self.result("receive", "--trust", "-", answer=token)["amount"]
        self.assert_balance(before + amount, f"{before} and {amount} received")
        return amount

    def refused(self, token):
        before = self.balance()
        self.act("receive", "--trust", "-", answer=token, status=1)
        self.assert_balance(before, "nothing received")


class CrossStory(story.Story):
    """Tokens go round, and everybody gets what the one before gave."""

    def __init__(self, arguments, unit, directory):
        super().__init__(arguments.mint, unit, arguments.tacit, directory)
        self.cross, self.cashu = arguments.cross, arguments.cashu
        self.alice, self.bob = self.wallet(Tacit, "alice"), self.wallet(Tacit, "bob")
        self.carol = nutshell.Nutshell(self.cashu, directory / "carol", self.mint, unit, self.conversation)

    def steps(self):
        return [
            self.the_mint_names_its_keysets_and_fee,
            self.money_comes_in,
            self.nutshell_receives_what_tacit_sends,
            self.tacit_receives_what_nutshell_sends,
            self.cashu_ts_receives_what_tacit_sends,
            self.tacit_receives_what_cashu_ts_sends,
            self.a_token_goes_from_tacit_over_cashu_ts_to_nutshell_and_back,
            self.a_token_is_received_once_whoever_has_it,
            self.an_invoice_is_paid,
            self.nutshell_restores_nothing_that_tacit_has_spent,
            self.the_words_restore_the_balance,
        ]

    def typescript(self, *act, answer=None):
        done = subprocess.run(
            ["node", self.cross, self.mint, self.unit, *act], timeout=story.SECONDS_MAX, text=True,
            input=answer or "", capture_output=True,
        )
        self.conversation.add(f"(cashu-ts) {' '.join(act)}", done.stdout + done.stderr)
        assert done.returncode == 0, f"cashu-ts ended with status {done.returncode}"
        return done.stdout.strip()

    def money_comes_in(self):
        self.alice.mint_money(1050)
        self.alice.assert_balance(1050, "minted")

    def nutshell_receives_what_tacit_sends(self):
        # What was typed arrives: the token holds the fee for receiving it.
        said = self.carol.run("receive", self.alice.send(250))
        received = self.carol.amount(r"^Received (.+)$", said)
        assert received == 250, f"Nutshell received {received}"

    def tacit_receives_what_nutshell_sends(self):
        said = self.carol.run("send", self.carol.major(100), "--include-fees")
        token = next(line for line in said.splitlines() if line.startswith("cashuB"))
        received = self.bob.receive(token)
        assert received == 100, f"received {received}"
        self.bob_has = token

    def cashu_ts_receives_what_tacit_sends(self):
        for act, *how in (("receive",), ("insist", "--dleq")):
            received = int(self.typescript(act, answer=self.alice.send(100, *how)))
            assert received == 100, f"cashu-ts received {received}"

    def tacit_receives_what_cashu_ts_sends(self):
        received = self.bob.receive(self.typescript("send", "150"))
        assert received == 150, f"received {received}"

    def a_token_goes_from_tacit_over_cashu_ts_to_nutshell_and_back(self):
        passed = self.typescript("pass", answer=self.alice.send(64, "--dleq"))
        self.carol.run("receive", passed)
        said = self.carol.run("send", self.carol.major(32), "--include-fees")
        token = next(line for line in said.splitlines() if line.startswith("cashuB"))
        received = self.alice.receive(token)
        assert received == 32, f"received {received}"

    def a_token_is_received_once_whoever_has_it(self):
        self.bob.refused(self.bob_has)
        token = self.alice.send(16)
        self.carol.run("receive", token)
        self.bob.refused(token)
        assert self.alice.result("pending") == [], "what was received is not pending"

    def an_invoice_is_paid(self):
        balance = self.alice.balance()
        paid = self.alice.result("pay", self.payable(100), "--unit", self.unit)
        self.alice.assert_balance(balance - 100 - paid["fee"], f"100 paid for {paid['fee']}")

    def nutshell_restores_nothing_that_tacit_has_spent(self):
        # Both derive their secrets by NUT-13: the words of one open the money in the other.
        balance = self.bob.balance()
        dave = nutshell.Nutshell(self.cashu, self.directory / "dave", self.mint, self.unit, self.conversation)
        dave.run("restore", answer=self.bob.words + "\n")
        dave.assert_balance(balance, "restored from the words of another program")

    def the_words_restore_the_balance(self):
        balance = self.alice.balance()
        file = str(self.directory / "again")
        self.alice.act("--wallet", file, "init", "--words", "-", answer=self.alice.words)
        found = self.alice.result("--wallet", file, "restore", "--mint", self.mint)
        assert sum(row["amount"] for row in found) == balance, f"{found} is not {balance}"


def main():
    parser = argparse.ArgumentParser(prog="tacit-wallet")
    parser.add_argument("--mint", required=True, help="address of the server, without the unit")
    parser.add_argument("--tacit", required=True, help="our program")
    parser.add_argument("--cashu", required=True, help="Nutshell's command")
    parser.add_argument("--cross", required=True, help="cross.mjs beside an installed cashu-ts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tacit-wallet-") as directory, ThreadPoolExecutor() as pool:
        told = [CrossStory(arguments, unit, Path(directory) / unit) for unit in ["usd", "sat"]]
        passed, failed = (sum(column) for column in zip(*pool.map(lambda one: one.tell(), told)))
    print(f"tacit-wallet: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
