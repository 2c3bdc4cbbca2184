#!/usr/bin/env python3
"""Gets a certificate by ACME from Pebble, Let's Encrypt's authority for tests, and serves with it.

    run.py --tacitd PATH

Wants `pebble` and `pebble-challtestsrv` (Debian: pebble) and `openssl`. Everything listens on this machine alone.
Ends with "acme: N passed, N failed".
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

NAMES = ["mint.tacit.test", "desk.tacit.test", "wallet.tacit.test"]
PATIENCE = 60


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def openssl(*arguments, directory):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_authority(directory):
    """A root and, by it, the certificate of Pebble's own address."""
    (directory / "leaf.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "root.key", "-out", "root.pem", "-days", "2", "-subj", "/CN=root",
            directory=directory)
    openssl("req", *new_key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost", directory=directory)
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
            "-days", "2", "-extfile", "leaf.ext", "-out", "leaf.pem", directory=directory)


class Scene:
    def __init__(self, tacitd, directory, stack):
        self.tacitd, self.directory, self.stack = tacitd, directory, stack
        self.port, self.ca_port, self.manage_port, self.dns_port = (free_port() for _ in range(4))

    def spawn(self, name, *command, environment=None):
        log = self.stack.enter_context(open(self.directory / f"{name}.log", "ab"))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **(environment or {})})
        self.stack.callback(end, process)
        return process

    def start_authority(self):
        make_authority(self.directory)
        config = {"pebble": {
            "listenAddress": f"127.0.0.1:{self.ca_port}", "managementListenAddress": f"127.0.0.1:{self.manage_port}",
            "certificate": str(self.directory / "leaf.pem"), "privateKey": str(self.directory / "leaf.key"),
            "httpPort": 1, "tlsPort": self.port, "ocspResponderURL": "", "externalAccountBindingRequired": False}}
        (self.directory / "pebble.json").write_text(json.dumps(config))
        # Every name is this machine.
        self.spawn("names", "pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                   "-dns01", f"127.0.0.1:{self.dns_port}", "-http01", "", "-https01", "", "-tlsalpn01", "",
                   "-management", f"127.0.0.1:{free_port()}")
        self.spawn("pebble", "pebble", "-config", str(self.directory / "pebble.json"),
                   "-dnsserver", f"127.0.0.1:{self.dns_port}",
                   environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
        until(lambda: answers(self.ca_port), "Pebble does not answer")
        self.trust = ssl.create_default_context(cafile=self.directory / "root.pem")

    def start_mint(self, port=None, terms="true"):
        text = f'listen = "127.0.0.1:{port or self.port}"\ndemo = true\n[origin]\n'
        text += "".join(f'{name.split(".")[0]} = "https://{name}"\n' for name in NAMES)
        text += f'[acme]\nterms_agreed = {terms}\ncontact = "mailto:ops@tacit.test"\n'
        text += f'directory = "https://localhost:{self.ca_port}/dir"\nroots = "{self.directory / "root.pem"}"\n'
        (self.directory / "tacit.toml").write_text(text)
        return self.spawn("tacitd", self.tacitd, "serve", "--config", str(self.directory / "tacit.toml"),
                          "--data", str(self.directory / "data"))

    def issuer_roots(self):
        """The root that Pebble made for itself when it started."""
        url = f"https://localhost:{self.manage_port}/roots/0"
        with urllib.request.urlopen(url, context=self.trust) as answer:
            return answer.read().decode()

    def shown(self, name):
        """The certificate that the mint shows, checked for this name against Pebble's root; None if there is none."""
        context = ssl.create_default_context(cadata=self.issuer_roots())
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname=name) as secure:
                    secure.sendall(f"GET /usd/v1/info HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                    return secure.getpeercert(), secure.recv(65536).decode()
        except OSError:
            return None

    def log(self):
        return (self.directory / "tacitd.log").read_text()


def end(process, how=signal.SIGKILL):
    if process.poll() is None:
        process.send_signal(how)
    return process.wait(PATIENCE)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def until(holds, otherwise):
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)
    return found


def terms_must_be_agreed_to(scene):
    mint = scene.start_mint(terms="false")
    assert mint.wait(PATIENCE) == 1
    assert "acme.terms_agreed must be true" in scene.log()


def a_certificate_is_got_for_all_names(scene):
    scene.mint = scene.start_mint()
    certificate, _ = until(lambda: scene.shown(NAMES[0]), f"no certificate came: {scene.log()}")
    found = sorted(value for kind, value in certificate["subjectAltName"] if kind == "DNS")
    assert found == sorted(NAMES), found
    scene.serial = certificate["serialNumber"]


def each_site_answers_over_it(scene):
    assert "HTTP/1.1 200" in scene.shown(NAMES[0])[1]
    assert "HTTP/1.1 404" in scene.shown(NAMES[1])[1], "the desk serves no mint path"


def what_is_kept_is_its_owners_alone(scene):
    directory = scene.directory / "data" / "acme"
    assert directory.stat().st_mode & 0o777 == 0o700
    names = sorted(path.name.split("-")[0] for path in directory.iterdir())
    assert names == ["account", "certificate.pem", "subject"], names
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in directory.iterdir())


def a_restart_asks_nobody(scene):
    assert end(scene.mint, signal.SIGTERM) == 0
    asked = (scene.directory / "pebble.log").read_text().count("POST /order-plz")
    scene.mint = scene.start_mint()
    certificate, _ = until(lambda: scene.shown(NAMES[2]), "no certificate after a restart")
    assert certificate["serialNumber"] == scene.serial
    assert (scene.directory / "pebble.log").read_text().count("POST /order-plz") == asked


def a_refusal_is_logged_and_the_mint_goes_on(scene):
    assert end(scene.mint, signal.SIGTERM) == 0
    (scene.directory / "data" / "acme" / "certificate.pem").unlink()
    elsewhere = free_port()  # Pebble looks at the other one, where nothing listens.
    scene.mint = scene.start_mint(port=elsewhere)
    until(lambda: "no certificate was got by ACME" in scene.log(), "a refusal was not logged")
    assert scene.mint.poll() is None and answers(elsewhere)


CASES = [terms_must_be_agreed_to, a_certificate_is_got_for_all_names, each_site_answers_over_it,
         what_is_kept_is_its_owners_alone, a_restart_asks_nobody, a_refusal_is_logged_and_the_mint_goes_on]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tacitd", required=True)
    tacitd = str(pathlib.Path(parser.parse_args().tacitd).resolve())
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        scene = Scene(tacitd, pathlib.Path(directory), stack)
        scene.start_authority()
        for case in CASES:
            try:
                case(scene)
                passed += 1
                print(f"ok      {case.__name__}", flush=True)
            except Exception as error:  # The next case may still tell something.
                failed += 1
                print(f"FAILED  {case.__name__}: {error!r}", flush=True)
    print(f"acme: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
