#!/usr/bin/env python3
"""Has certificates judged by software that has never heard of us, and by `tacit verify-certificate`: those that are as they
were made are accepted, and those that somebody changed or presents elsewhere are refused.

    run.py --make target/debug/examples/certificates --tacit target/debug/tacit \
        --python .tacit/certificates/bin/python --node .tacit/certificates
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

here = Path(__file__).resolve().parent
SECONDS_MAX = 60
WHAT_IS_SHOWN = {"threshold": 600, "nothing_overdue": True}


def run(*command, **rest):
    """Runs a command to its end and returns its status, what it printed and what it complained of."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=SECONDS_MAX, **rest)
    return done.returncode, done.stdout, done.stderr


def asked(*command, **rest):
    """What a judge says, which must not fail itself."""
    status, out, err = run(*command, **rest)
    assert status == 0, f"{command[0]} ended with status {status}: {err}"
    return json.loads(out)


class Judges:
    def __init__(self, arguments, directory):
        self.make, self.tacit, self.python, self.node = arguments.make, arguments.tacit, arguments.python, arguments.node
        self.directory, self.now = directory, int(time.time())
        status, _, err = run(self.make, "cases", self.now, directory)
        assert status == 0, err
        self.issuer = json.loads((directory / "issuer.json").read_text())
        self.cases = json.loads((directory / "cases.json").read_text())
        self.keys = directory / "keys.json"
        self.keys.write_text(json.dumps(self.issuer["jwks"]))

    def question(self):
        return json.dumps({"issuer": self.issuer, "cases": self.cases, "now": self.now})

    def compare(self, verdicts):
        """Every case is judged as it should be, and what is accepted shows what the holder showed."""
        assert len(verdicts) == len(self.cases) == 7, verdicts
        for case, verdict in zip(self.cases, verdicts):
            assert verdict["accepted"] == case["accepted"], f"{case['name']}: {verdict}"
            if verdict["accepted"] and "claims" in verdict:
                claims = verdict["claims"]
                for name, value in WHAT_IS_SHOWN.items():
                    assert claims[name] == value, claims
                assert "tenure_months" not in claims, "nobody asked for it"

    def test_the_library_sd_jwt_vc_of_npm(self):
        self.compare(asked("node", self.node / "verify.mjs", input=self.question()))

    def test_the_library_sd_jwt_core_of_npm(self):
        """It knows no types of credentials and no end of theirs."""
        verdicts = asked("node", self.node / "verify.mjs", "--core", input=self.question())
        for case, verdict in zip(self.cases, verdicts):
            if case["name"] == "expired" and verdict["accepted"]:
                assert verdict["claims"]["exp"] <= self.now
                verdict["accepted"] = False
        self.compare(verdicts)

    def test_the_reference_code_sd_jwt_of_pypi(self):
        self.compare(asked(self.python, here / "verify.py", input=self.question()))

    def test_the_verdict_of_polaris(self):
        verdicts = []
        for case in self.cases:
            token = self.directory / "token.json"
            token.write_text(json.dumps({"certificate": [case["presentation"]]}))
            status, out, err = run(
                self.python, "-m", "polaris_oid4vp.cli", "verdict", "--request", self.directory / "request.json",
                "--vp-token", token, "--issuer-jwks", self.keys)
            assert status in (0, 1), f"{case['name']}: status {status}: {err}"
            verdicts.append({"accepted": status == 0, "why": out})
        self.compare(verdicts)

    def test_our_own_command(self):
        verdicts = []
        for case in self.cases:
            status, out, err = run(
                self.tacit, "verify-certificate", "--json", "--issuer", self.directory / "issuer.json",
                "--audience", case["audience"], "--nonce", case["nonce"], "-", input=case["presentation"])
            assert status in (0, 1), f"{case['name']}: status {status}: {err}"
            verdicts.append({"accepted": status == 0, "why": out + err})
            if status == 0:
                verdicts[-1]["claims"] = {name: value for name, value in json.loads(out).items() if value is not None}
        self.compare(verdicts)

    def test_a_verifier_that_has_never_heard_of_us(self):
        """The whole way with `polaris-oid4vp serve`: a link, a signed request, an encrypted answer; and answers that are refused."""
        pki = self.directory / "pki"
        host = "verifier.localhost"
        status, _, err = run(self.python, "-m", "polaris_oid4vp.cli", "keygen", "--out", pki, "--host", host)
        assert status == 0, err
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            self.python, "-u", "-m", "polaris_oid4vp.cli", "serve", "--pki", pki, "--host", host, "--bind", "127.0.0.1",
            "--port", port, "--no-local-tls", "--public-base-url", f"https://{host}", "--issuer-jwks", self.keys,
            "--vct", "urn:tacit:certificate:1", "--claim", "threshold", "--claim", "nothing_overdue=true", "--once"]
        log = (self.directory / "serve.log").open("w+")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=subprocess.STDOUT)
        try:
            link = self.link_in(log)
            query = dict(urllib.parse.parse_qsl(link.partition("?")[2]))
            base = f"http://127.0.0.1:{port}"
            local = query["request_uri"].replace(f"https://{host}", base)
            request = urllib.request.urlopen(local, timeout=SECONDS_MAX).read().decode()
            answer = asked(self.make, "answer", self.now, link, input=request)
            assert answer["host"] == host, answer
            # A request that somebody changed on the way is answered by nobody.
            head, body, signature = request.split(".")
            changed = ".".join([head, body[:-2] + ("AA" if body[-2:] != "AA" else "BB"), signature])
            assert "refused" in asked(self.make, "answer", self.now, link, input=changed)
            # Nor is one that names another client than the link did.
            other = link.replace("x509_hash%3A", "x509_hash%3AA")
            assert "refused" in asked(self.make, "answer", self.now, other, input=request)
            # An answer that was encrypted to somebody else, or changed.
            assert self.post(base, answer["body"][:-4] + "AAAA") == 400
            assert self.post(base, answer["body"]) == 200, "accepted"
            assert self.post(base, answer["body"]) == 400, "once"
        finally:
            process.terminate()
            process.wait(timeout=SECONDS_MAX)
            log.close()

    @staticmethod
    def link_in(log):
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            log.seek(0)
            text = log.read()
            found = re.search(r"openid4vp://\S+", text)
            if found:
                return found.group()
            time.sleep(0.1)
        raise AssertionError(f"no link: {text}")

    @staticmethod
    def post(base, body):
        try:
            return urllib.request.urlopen(base + "/response", data=body.encode(), timeout=SECONDS_MAX).status
        except urllib.error.HTTPError as error:
            return error.code


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("make", "tacit", "python", "node"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    passed = failed = 0
    for name in [name for name in dir(Judges) if name.startswith("test_")]:
        with tempfile.TemporaryDirectory() as directory:
            try:
                getattr(Judges(arguments, Path(directory)), name)()
                passed += 1
                print(f"ok      {name[5:].replace('_', ' ')}", flush=True)
            except Exception:
                failed += 1
                traceback.print_exc()
                print(f"FAILED  {name[5:].replace('_', ' ')}", flush=True)
    print(f"certificates: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
