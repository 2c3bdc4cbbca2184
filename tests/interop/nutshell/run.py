#!/usr/bin/env python3
"""Runs the wallet Nutshell, as its users do, against a mint in demo mode, and checks every balance to the last cent.

What a step should cost is reckoned from the proofs it used up, which the wallet's own database lists.

    run.py --mint http://127.0.0.1:3338 --cashu .tacit/nutshell/bin/cashu
"""

import re
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import story


class Nutshell(story.Wallet):
    """One wallet of Nutshell's."""

    # What the last command said can be spent; None if it said nothing. Only its own commands move a wallet.
    shown = None

    def command(self):
        return [self.binary, "-h", self.mint, "-u", self.unit, "-y"]

    def environment(self):
        return {"TOR": "FALSE", "CASHU_DIR": str(self.directory)}

    def attempt(self, *arguments, answer=None):
        status, output = super().attempt(*arguments, answer=answer)
        said = re.findall(r"^.*Balance: (.+)$", output, flags=re.MULTILINE)
        self.shown = self.minor(said[-1]) if status == 0 and said else None
        return status, output

    def balance(self):
        if self.shown is None:
            self.run("balance")
        assert self.shown is not None, "the wallet shows no balance"
        return self.shown

    def amount(self, pattern, output):
        """The amount that `pattern` finds, in minor units."""
        found = re.search(pattern, output, flags=re.MULTILINE)
        assert found, f"no {pattern!r} in the output"
        return self.minor(found[1])

    def minor(self, text):
        """Minor units of an amount as Nutshell prints it: "$10.50 USD", "1050 sat"."""
        number = Decimal(re.search(r"\d+(\.\d+)?", text)[0])
        return int(number * 100) if self.unit == "usd" else int(number)

    def major(self, minor):
        """The same the other way, for an argument."""
        return f"{minor // 100}.{minor % 100:02}" if self.unit == "usd" else str(minor)

    def rows(self, query, *values):
        """Rows of the wallet's own database."""
        path = self.directory / "wallet" / "wallet.sqlite3"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as database:
            return database.execute(query, values).fetchall()

    def used(self):
        """Secrets of the proofs used up so far, each with the quote it paid, if any."""
        return dict(self.rows("SELECT secret, COALESCE(melt_id, '') FROM proofs_used"))

    def sent(self):
        """Secrets and amounts of the proofs that were sent and not burnt yet."""
        return dict(self.rows("SELECT secret, amount FROM proofs WHERE send_id IS NOT NULL"))


class Token:
    """A token sent: its text and the amounts of its proofs."""

    def __init__(self, text, amounts):
        self.text, self.amounts, self.value = text, amounts, sum(amounts)


class NutshellStory(story.Story):
    """A week in small: money comes in, is sent, received, paid out, locked, and restored from twelve words."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.alice, self.bob, self.restored = (self.wallet(Nutshell, name) for name in ["alice", "bob", "restored"])
        self.token = self.request = None

    def steps(self):
        return [
            self.the_mint_names_its_keysets_and_fee,
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

    def cost(self, wallet, before):
        """Input fees of what `wallet` used up since `before`: one swap, one payment, or one after the other."""
        new = [quote for secret, quote in wallet.used().items() if secret not in before]
        swapped = sum(1 for quote in new if not quote)
        return self.fee(swapped) + self.fee(len(new) - swapped)

    def send(self, wallet, amount, *options):
        """Sends and returns the token, having checked its value and what it cost."""
        balance, used, sent = wallet.balance(), wallet.used(), wallet.sent()
        output = wallet.run("send", wallet.major(amount), *options)
        text = re.search(r"^cashuB\S+$", output, flags=re.MULTILINE)
        assert text, "no token was printed"
        token = Token(text[0], [value for secret, value in wallet.sent().items() if secret not in sent])
        fee = self.fee(len(token.amounts)) if "--include-fees" in options else 0
        assert token.value == amount + fee, f"the token is worth {token.value}, not {amount} and a fee of {fee}"
        cost = self.cost(wallet, used)
        wallet.assert_balance(balance - token.value - cost, f"{balance} less {token.value} and a fee of {cost}")
        return token

    def receive(self, wallet, token):
        """Receives a token, having checked what it cost."""
        balance, amount = wallet.balance(), token.value - self.fee(len(token.amounts))
        received = wallet.amount(r"^Received (.+)$", wallet.run("receive", token.text))
        assert received == amount, f"received {received} of {len(token.amounts)} proofs, not {amount}"
        wallet.assert_balance(balance + amount, f"{balance} and {amount} received")

    def refused(self, wallet, token, reason):
        """Receives a token that must be refused, for a `reason` that the wallet prints."""
        balance = wallet.balance()
        status, output = wallet.attempt("receive", token.text)
        assert status != 0 and "Received" not in output, "the token was not refused"
        assert re.search(reason, output, flags=re.IGNORECASE), f"refused, but not for {reason!r}"
        wallet.assert_balance(balance, "nothing received")

    def a_paid_invoice_gives_its_amount(self):
        self.alice.assert_balance(0, "a new wallet")
        output = self.alice.run("invoice", self.alice.major(1050))
        assert "Invoice paid." in output, "the invoice was not paid"
        self.alice.assert_balance(1050, "minted")

    def sending_costs_the_amount_and_the_swap(self):
        self.token = self.send(self.alice, 250, "--force-swap")
        assert self.alice.used(), "the swap used no proof up"

    def a_token_sent_is_pending_until_it_is_burnt(self):
        assert self.alice.amount(r"Amount: (.+?) Time:", self.alice.run("pending")) == 250
        self.alice.run("burn", "-a")
        assert "cashuB" in self.alice.run("pending"), "burning threw away what was not spent"

    def receiving_costs_the_input_fee(self):
        self.bob.assert_balance(0, "a new wallet")
        self.receive(self.bob, self.token)

    def a_token_is_received_once(self):
        self.refused(self.bob, self.token, "already spent|11001")

    def burning_clears_what_was_received(self):
        balance = self.alice.balance()
        self.alice.run("burn", "-a")
        self.alice.assert_balance(balance, "burning takes nothing that can be spent")
        assert "cashuB" not in self.alice.run("pending"), "a spent token is still pending"

    def a_token_with_fees_arrives_whole(self):
        balance = self.bob.balance()
        self.receive(self.bob, self.send(self.alice, 100, "--include-fees"))
        self.bob.assert_balance(balance + 100, "the sender paid the fees")

    def paying_an_invoice_gives_change(self):
        self.request = self.payable(250)
        balance, used = self.alice.balance(), self.alice.used()
        output = self.alice.run("pay", self.request)
        assert "Invoice paid." in output and "(Preimage: " in output, "the invoice was not paid"
        assert "Invalid preimage" not in output, "the preimage is not the invoice's"
        query = "SELECT amount, fee_reserve, state FROM bolt11_melt_quotes WHERE request = ?"
        ((amount, reserve, state),) = self.alice.rows(query, self.request)
        assert (amount, state) == (250, "PAID"), f"the quote is {state} over {amount}"
        charged = balance - self.alice.balance() - amount - self.cost(self.alice, used)
        assert charged == self.rail_fee(reserve), f"the rail charged {charged} of a reserve of {reserve}"

    def an_invoice_is_paid_once(self):
        balance = self.alice.balance()
        status, output = self.alice.attempt("pay", self.request)
        assert status != 0 or "Error" in output, "a paid invoice was paid again"
        self.alice.assert_balance(balance, "nothing paid")

    def a_locked_token_opens_for_its_key_alone(self):
        lock = re.search(r"P2PK:[0-9a-f]{66}", self.alice.run("lock", "p2pk"))
        assert lock, "no lock was printed"
        # Bob sends, because of a locked send Nutshell draws even the change at random: its words do not restore it.
        token = self.send(self.bob, 100, "--lock", lock[0])
        self.refused(self.bob, token, "witness|signature|condition|10001")
        self.receive(self.alice, token)

    def the_words_restore_the_balance(self):
        words = self.alice.run("info", "--mnemonic").split("Mnemonic:\n - ")[1].splitlines()[0]
        # What was sent and received elsewhere is not Alice's any more, and a restored wallet sees that.
        balance = self.alice.balance()
        self.restored.run("restore", answer=words + "\n")
        self.restored.assert_balance(balance, "restored")

    def what_was_restored_can_be_spent(self):
        self.receive(self.bob, self.send(self.restored, 200))


if __name__ == "__main__":
    story.main("nutshell", "--cashu", {"usd": NutshellStory, "sat": NutshellStory})
