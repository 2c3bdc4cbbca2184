#!/usr/bin/env python3
"""Runs the wallet cdk-cli against a mint in demo mode: `kes` by its own method `bank`, `usd` by `bolt11`.

    run.py --mint http://127.0.0.1:3338 --cdk-cli .tacit/tools/bin/cdk-cli
"""

import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import story


class Cdk(story.Wallet):
    """One wallet of cdk-cli's."""

    def command(self):
        return [self.binary, "--non-interactive", "--work-dir", str(self.directory), "--unit", self.unit]

    def balance(self):
        output = self.run("balance")
        found = re.search(rf"^Total balance across all wallets: (\d+) {self.unit}$", output, flags=re.MULTILINE)
        return int(found[1]) if found else 0

    def proofs(self, *states):
        """Id and amount of the proofs in one of these states, from the wallet's own database."""
        with closing(sqlite3.connect(self.directory / "cdk-cli.sqlite")) as database:
            rows = database.execute("SELECT y, amount, state FROM proof").fetchall()
        return {y: amount for y, amount, state in rows if state in states}


class CdkStory(story.Story):
    """Money comes in, is sent, received and restored."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.alice, self.bob, self.restored = (self.wallet(Cdk, name) for name in ["alice", "bob", "restored"])
        self.token = None

    def steps(self):
        return [
            self.the_mint_names_its_keysets_and_fee,
            self.a_paid_quote_gives_its_amount,
            self.a_token_arrives_less_the_input_fee,
            self.a_locked_token_opens_for_its_key_alone,
            self.a_token_is_received_once,
            self.the_seed_restores_the_balance,
        ]

    def mint_options(self):
        return ["--method", "bank"]

    def a_paid_quote_gives_its_amount(self):
        self.alice.run("mint", self.mint, "1050", *self.mint_options())
        self.alice.assert_balance(1050, "minted")

    def send(self, wallet, amount, *options):
        """Sends; returns token, count of its proofs and count of those swapped for it, having checked the balance."""
        balance, before, earlier = wallet.balance(), wallet.proofs("UNSPENT"), wallet.proofs("PENDING_SPENT")
        output = wallet.run("send", "--amount", str(amount), "--mint-url", self.mint, *options)
        token = re.search(r"^cashuB\S+$", output, flags=re.MULTILINE)
        assert token, "no token was printed"
        pending, kept = wallet.proofs("PENDING_SPENT"), wallet.proofs("UNSPENT")
        sent = {y: value for y, value in pending.items() if y not in earlier}
        assert sum(sent.values()) == amount, f"the token is worth {sum(sent.values())}"
        swapped = len([y for y in before if y not in sent and y not in kept])
        wallet.assert_balance(balance - amount - self.fee(swapped), f"{amount} sent, {swapped} proofs swapped")
        return token[0], len(sent), swapped

    def receive(self, wallet, token, proofs, amount):
        balance = wallet.balance()
        wallet.run("receive", "--allow-untrusted", token)
        wallet.assert_balance(balance + amount - self.fee(proofs), f"a token of {proofs} proofs")

    def a_token_arrives_less_the_input_fee(self):
        self.token, proofs, _ = self.send(self.alice, 201)
        self.receive(self.bob, self.token, proofs, 201)

    def a_locked_token_opens_for_its_key_alone(self):
        key = re.search(r"0[23][0-9a-f]{64}", self.alice.run("generate-public-key", "--mint-url", self.mint))
        assert key, "no key was printed"
        token, proofs, swapped = self.send(self.bob, 77, "--pubkey", key[0])
        assert 0 < swapped, "locking took no swap"
        balance = self.bob.balance()
        status, _ = self.bob.attempt("receive", token)
        assert status != 0, "a token locked to another's key was not refused"
        self.bob.assert_balance(balance, "nothing received")
        self.receive(self.alice, token, proofs, 77)

    def a_token_is_received_once(self):
        balance = self.bob.balance()
        status, output = self.bob.attempt("receive", self.token)
        assert status != 0 and "already spent" in output.lower(), "a spent token was not refused"
        self.bob.assert_balance(balance, "nothing received")

    def the_seed_restores_the_balance(self):
        balance = self.alice.balance()
        (self.restored.directory / "seed").write_text((self.alice.directory / "seed").read_text())
        self.restored.run("restore", self.mint)
        self.restored.assert_balance(balance, "restored")


class CdkPayingStory(CdkStory):
    """The same by bolt11, and money goes out again: the command line pays by no method of another name."""

    def steps(self):
        return [*super().steps(), self.paying_an_invoice_gives_change]

    def mint_options(self):
        return ["--method", "bolt11"]

    def paying_an_invoice_gives_change(self):
        balance = self.alice.balance()
        self.alice.run("melt", "--mint-url", self.mint, "--invoice", self.payable(250))
        with closing(sqlite3.connect(self.alice.directory / "cdk-cli.sqlite")) as database:
            query = "SELECT amount, fee_reserve, state FROM melt_quote"
            ((amount, reserve, state),) = database.execute(query).fetchall()
        assert (amount, state) == (250, "PAID"), f"the quote is {state} over {amount}"
        # Input fees stand beside what the rail charged: those of one swap and one payment, which only the wallet counts.
        fees = balance - self.alice.balance() - amount - self.rail_fee(reserve)
        assert 0 <= fees <= 2 * self.fee(30), f"beside amount and rail, paying took {fees}"


if __name__ == "__main__":
    story.main("cdk-cli", "--cdk-cli", {"kes": CdkStory, "usd": CdkPayingStory})
