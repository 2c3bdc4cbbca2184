"""What the suites of command-line wallets share: steps in order, and a conversation to print when one fails."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Wallets wait for ever where they wait at all, so nothing may take longer than this.
SECONDS_MAX = 60


class Conversation:
    """Everything said so far between us, the wallets and the mint."""

    def __init__(self):
        self.lines = []

    def add(self, command, output):
        self.lines.append(f"$ {command}\n{output.rstrip()}")

    def show(self):
        print("\n".join(["--- the whole conversation", *self.lines, "--- end of the conversation"]), flush=True)


class Wallet:
    """A wallet with a command line, in a directory of its own, bound to one mint and one unit."""

    def __init__(self, binary, directory, mint, unit, conversation):
        self.binary, self.directory, self.mint, self.unit = binary, directory, mint, unit
        self.conversation = conversation
        self.directory.mkdir(parents=True)

    def command(self):
        """The command and the arguments that come before every other."""
        raise NotImplementedError

    def environment(self):
        """Variables to set besides our own."""
        return {}

    def run(self, *arguments, answer=None):
        """Runs one command and returns what it printed; a wallet that fails or hangs is an AssertionError."""
        status, output = self.attempt(*arguments, answer=answer)
        assert status == 0, f"`{' '.join(arguments)}` ended with status {status}"
        return output

    def attempt(self, *arguments, answer=None):
        """Runs one command and returns its status and what it printed."""
        command = [*self.command(), *arguments]
        try:
            # In the wallet's directory, so that no settings of the caller's are read.
            done = subprocess.run(
                command, env={**os.environ, **self.environment()}, cwd=self.directory, timeout=SECONDS_MAX, text=True,
                input=answer or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as expired:
            status, output = "that it never ended", (expired.stdout or b"").decode(errors="replace")
        said = [f"{name}={value}" for name, value in self.environment().items()] + command
        self.conversation.add(f"({self.directory.name}) {' '.join(said)}", output)
        return status, output

    def balance(self):
        """What can be spent, in minor units."""
        raise NotImplementedError

    def assert_balance(self, expected, why):
        balance = self.balance()
        assert balance == expected, f"the balance of {self.directory.name} is {balance}, not {expected} ({why})"


class Story:
    """The steps for one unit. A step's name is a statement; it returns nothing and asserts."""

    def __init__(self, base, unit, binary, directory):
        self.base, self.unit, self.binary, self.directory = base, unit, binary, directory
        self.mint = f"{base}/{unit}"
        self.conversation = Conversation()
        self.fee_ppk = None

    def steps(self):
        raise NotImplementedError

    def wallet(self, kind, name):
        """A new wallet of this story."""
        return kind(self.binary, self.directory / name, self.mint, self.unit, self.conversation)

    def call(self, path, body=None):
        """One request of our own to the server."""
        request = urllib.request.Request(self.base + path, headers={"content-type": "application/json"})
        request.data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read().decode()
        self.conversation.add(f"{request.get_method()} {path} {json.dumps(body) if body else ''}", answer)
        return json.loads(answer)

    def payable(self, amount):
        """An invoice that the demo rail pays."""
        return self.call("/demo/invoice", {"unit": self.unit, "amount": amount})["request"]

    def fee(self, proofs):
        """NUT-02: the sum of the inputs' fees in thousandths, rounded up."""
        return -(-proofs * self.fee_ppk // 1000)

    def rail_fee(self, reserve):
        """What the demo rail charges of a reserve: half, in the payer's favour. The rest comes back as change."""
        assert 1 < reserve, f"a reserve of {reserve} leaves nothing to give back"
        return reserve // 2

    def the_mint_names_its_keysets_and_fee(self):
        active = [keyset for keyset in self.call(f"/{self.unit}/v1/keysets")["keysets"] if keyset["active"]]
        assert {keyset["unit"] for keyset in active} == {self.unit}, f"{active} are not of {self.unit} alone"
        assert all(keyset["id"].startswith("01") for keyset in active), "keyset ids are not of version 2"
        fees = {keyset.get("input_fee_ppk", 0) for keyset in active}
        assert len(fees) == 1, f"active keysets differ in their fee: {fees}"
        self.fee_ppk = fees.pop()
        # In demo mode satoshi cost what peers' suites expect; a fee of nothing everywhere would leave fees untested.
        assert self.unit != "sat" or self.fee_ppk == 100, f"the input fee is {self.fee_ppk} thousandths"

    def tell(self):
        """Takes the steps; after one that fails the others are not tried. Returns how many passed and failed."""
        passed = failed = 0
        for step in self.steps():
            name = f"{self.unit}: {step.__name__.replace('_', ' ')}"
            if failed:
                sys.stdout.write(f"not reached  {name}\n")
                failed += 1
                continue
            try:
                step()
                sys.stdout.write(f"ok           {name}\n")
                passed += 1
            except Exception as error:
                sys.stdout.write(f"FAILED       {name}: {error}\n")
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
                self.conversation.show()
                failed += 1
            sys.stdout.flush()
        return passed, failed


def main(suite, option, stories):
    """Tells the story of each unit: `stories` maps a unit to a kind of story, `option` names the wallet's command."""
    parser = argparse.ArgumentParser(prog=suite)
    parser.add_argument("--mint", required=True, help="address of the server, without the unit")
    parser.add_argument(option, dest="binary", required=True, help="the wallet's command")
    parser.add_argument("--unit", action="append", choices=list(stories), help="only this unit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=f"{suite}-") as directory, ThreadPoolExecutor() as pool:
        # Side by side: wallets mostly wait.
        told = [
            stories[unit](arguments.mint, unit, arguments.binary, Path(directory) / unit)
            for unit in arguments.unit or stories
        ]
        passed, failed = (sum(column) for column in zip(*pool.map(lambda story: story.tell(), told)))
    print(f"{suite}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
