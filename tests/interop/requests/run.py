#!/usr/bin/env python3
"""Has payment requests (NUT-18, NUT-26) of our wallet paid by Nutshell and cashu-ts, and theirs by ours.

Our wallet does no I/O: it runs as `crates/wallet/examples/steps.rs`, and this suite sends what it asks to be sent. What
`tacit wallet` has commands for is done with these, too.
Nutshell 0.20 pays requests and makes none.

    run.py --mint http://127.0.0.1:3338 --steps target/debug/examples/steps --tacit target/debug/tacit \
        --cashu .tacit/nutshell/bin/cashu --request .tacit/cashu-ts/request.mjs
"""

import argparse
import http.server
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent))
import story


def suite(name):
    """The module of another suite, for its wallet."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), here.parent / name / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nutshell, tacit = suite("nutshell"), suite("tacit-wallet")


class Steps:
    """Our wallet as a process."""

    def __init__(self, binary, mint, unit, conversation):
        self.mint, self.unit, self.conversation, self.asked = mint, unit, conversation, 0
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.do("words", entropy=list(os.urandom(16)))
        self.do("learn", mint=mint)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=story.SECONDS_MAX)
        self.process.stdout.close()

    def do(self, what, **arguments):
        """Follows one order to its end and returns what was done; a failure is an AssertionError."""
        self.write({"do": what, **arguments})
        while True:
            line = self.process.stdout.readline()
            self.conversation.add(f"(steps) {what} {arguments}", line)
            said = json.loads(line)
            if "send" in said:
                self.write(self.send(**said["send"]))
                continue
            assert "failed" not in said, f"{what} failed: {said['failed']}"
            return said["done"]

    def refused(self, what, **arguments):
        """Why an order was not followed."""
        try:
            done = self.do(what, **arguments)
        except AssertionError as error:
            return str(error)
        raise AssertionError(f"{what} was followed: {done}")

    def write(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    @staticmethod
    def send(url, body):
        request = urllib.request.Request(url, headers={"content-type": "application/json"})
        request.data = body.encode() if body is not None else None
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return {"status": response.status, "body": response.read().decode()}
        except urllib.error.HTTPError as error:
            return {"status": error.code, "body": error.read().decode()}
        except OSError:
            return None

    def mint_money(self, amount):
        quoted = self.do("quote", mint=self.mint, method="bolt11", amount=amount, unit=self.unit)
        assert quoted["key"], "the mint locks quotes to keys (NUT-20)"
        for _ in range(50):
            self.write({"do": "issue", "operation": quoted["operation"]})
            while "send" in (said := json.loads(self.process.stdout.readline())):
                self.write(self.send(**said["send"]))
            if said.get("done") == amount:
                return
            time.sleep(0.2)
        raise AssertionError("the quote was not paid within ten seconds")

    def ask(self, amount, version, url=None, lock=None):
        self.asked += 1
        return self.do(
            "ask", id=f"request{self.asked}", mint=self.mint, amount=amount, unit=self.unit, url=url, lock=lock,
            version=version,
        )

    def pay(self, request):
        return self.do("pay", request=request, random=list(os.urandom(32)))


class Box:
    """Where payments are sent to: the bodies of every POST, in their order."""

    def __init__(self):
        self.bodies, box = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                box.bodies.append(self.rfile.read(int(self.headers["content-length"])).decode())
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/pay"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        assert len(self.bodies) == 1, f"{len(self.bodies)} payments came, not one"
        return self.bodies.pop()


class RequestStory(story.Story):
    """Everybody who can ask is paid by everybody who can pay."""

    def __init__(self, arguments, unit, directory):
        super().__init__(arguments.mint, unit, arguments.steps, directory)
        self.script, self.box = arguments.request, Box()
        self.ours = Steps(arguments.steps, self.mint, unit, self.conversation)
        self.alice = tacit.Tacit(arguments.tacit, directory / "alice", self.mint, unit, self.conversation)
        self.carol = nutshell.Nutshell(arguments.cashu, directory / "carol", self.mint, unit, self.conversation)

    def steps(self):
        return [
            self.money_comes_in,
            self.nutshell_pays_our_request_by_post,
            self.nutshell_pays_our_request_by_a_token,
            self.nutshell_pays_our_request_under_a_lock,
            self.cashu_ts_pays_our_requests,
            self.cashu_ts_pays_our_requests_under_locks,
            self.we_pay_requests_of_cashu_ts_by_post,
            self.we_pay_requests_of_cashu_ts_under_a_lock,
            self.a_request_for_one_payment_is_paid_once,
            self.the_command_line_pays_requests_of_cashu_ts,
            self.nutshell_pays_a_request_of_the_command_line,
        ]

    def typescript(self, *act, answer=""):
        done = subprocess.run(
            ["node", self.script, self.mint, self.unit, *act], timeout=story.SECONDS_MAX, text=True, input=answer,
            capture_output=True,
        )
        self.conversation.add(f"(cashu-ts) {' '.join(act)}", done.stdout + done.stderr)
        assert done.returncode == 0, f"cashu-ts ended with status {done.returncode}"
        return done.stdout.strip()

    def received(self, amount, **payment):
        """The receiver has what was asked for, and a unit more at most, where a carry saves proofs."""
        what = "payment" if "json" in payment else "receive"
        got = self.ours.do(what, **payment)
        assert amount <= got <= amount + 1, f"{got} came of {amount} asked"

    def money_comes_in(self):
        self.ours.mint_money(3000)
        quoted = self.carol.run("invoice", self.carol.major(2000))
        assert "Balance" in quoted, "Nutshell minted nothing"

    def nutshell_pays_our_request_by_post(self):
        for amount, version in ((101, "A"), (57, "B")):
            self.carol.run("pay", self.ours.ask(amount, version, url=self.box.url))
            self.received(amount, json=self.box.take())

    def nutshell_pays_our_request_by_a_token(self):
        said = self.carol.run("pay", self.ours.ask(33, "B"))
        token = next(line for line in said.splitlines() if line.startswith("cashuB"))
        self.received(33, token=token.strip())

    def nutshell_pays_our_request_under_a_lock(self):
        # It follows no lock with tags, so not SIG_ALL.
        self.carol.run("pay", self.ours.ask(64, "A", url=self.box.url, lock="inputs"))
        body = self.box.take()
        assert "P2PK" in body, "the payment is not locked"
        if self.unit == "usd":
            self.received(64, json=body)
        else:
            # Under a lock it does not add the receiver's fee, which only satoshi have here.
            why = self.ours.refused("payment", json=body)
            assert "short" in why, why

    def cashu_ts_pays_our_requests(self):
        for amount, version in ((120, "A"), (99, "B")):
            payload = self.typescript("pay", answer=self.ours.ask(amount, version, url=self.box.url))
            self.received(amount, json=payload)

    def cashu_ts_pays_our_requests_under_locks(self):
        for lock in ("inputs", "all"):
            payload = self.typescript("pay", answer=self.ours.ask(77, "B", lock=lock))
            assert "P2PK" in payload, "the payment is not locked"
            self.received(77, json=payload)

    def we_pay_requests_of_cashu_ts_by_post(self):
        for version in ("A", "B"):
            request = self.typescript("ask", version, "150", self.box.url)
            assert self.ours.pay(request)["is_delivered"], "the payment was not delivered"
            received = int(self.typescript("receive", request, answer=self.box.take()))
            assert 150 <= received <= 151, f"{received} came of 150"

    def we_pay_requests_of_cashu_ts_under_a_lock(self):
        private = "00" * 31 + "03"
        public = "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
        for version in ("A", "B"):
            request = self.typescript("ask", version, "45", self.box.url, public)
            self.ours.pay(request)
            body = self.box.take()
            assert public in body, "the payment is not locked"
            received = int(self.typescript("receive", request, private, answer=body))
            assert 45 <= received <= 46, f"{received} came of 45"

    def a_request_for_one_payment_is_paid_once(self):
        request = self.ours.ask(20, "A", url=self.box.url)
        first, second = (self.typescript("pay", answer=request) for _ in range(2))
        self.received(20, json=first)
        why = self.ours.refused("payment", json=second)
        assert "paid already" in why, why

    def the_command_line_pays_requests_of_cashu_ts(self):
        self.alice.mint_money(1000)
        for version in ("A", "B"):
            request = self.typescript("ask", version, "150", self.box.url)
            self.alice.act("pay", request)
            received = int(self.typescript("receive", request, answer=self.box.take()))
            assert 150 <= received <= 151, f"{received} came of 150"

    def nutshell_pays_a_request_of_the_command_line(self):
        request = self.alice.act("request", self.alice.major(33), self.unit, "--mint", self.mint)
        said = self.carol.run("pay", request.splitlines()[0])
        received = self.alice.receive(next(line for line in said.splitlines() if line.startswith("cashuB")).strip())
        assert 33 <= received <= 34, f"{received} came of 33"


def main():
    parser = argparse.ArgumentParser(prog="requests")
    parser.add_argument("--mint", required=True, help="address of the server, without the unit")
    parser.add_argument("--steps", required=True, help="the example `steps` of crates/wallet")
    parser.add_argument("--tacit", required=True, help="our program")
    parser.add_argument("--cashu", required=True, help="Nutshell's command")
    parser.add_argument("--request", required=True, help="request.mjs beside an installed cashu-ts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="requests-") as directory, ThreadPoolExecutor() as pool:
        told = [RequestStory(arguments, unit, Path(directory) / unit) for unit in ["usd", "sat"]]
        passed, failed = (sum(column) for column in zip(*pool.map(lambda one: one.tell(), told)))
        for one in told:
            one.ours.close()
    print(f"requests: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
