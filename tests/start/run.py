#!/usr/bin/env python3
"""Follows docs/start to the letter: pastes its shell blocks, in order, into one shell in the clone.

    run.py            (TACIT_PROFILE=dev builds faster and is else the same)

The home directory is one that vanishes; everything else is as a newcomer has it. Ends with "start: N passed, N failed".
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/start/README.md"
MINUTES = 40  # For the build.

# What the steps must have led to, beside not failing.
AFTER = [
    ("the payment arrived", lambda home, said: said.count("2.50") >= 1),
    ("the books add up, before and after the move", lambda home, said: said.count("all hold") == 2),
    ("the token went back", lambda home, said: "9.00" in said),  # 10.50 - 2.50 + 1.00
    ("the seed is encrypted", lambda home, said: "tacit seed version 1" in (home / "tacit/mint/seed").read_text()),
    ("no request stands in the log", lambda home, said: "/v1/" not in (home / "tacit/log").read_text()),
]


def blocks(text):
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


def main():
    found = blocks(PAGE.read_text())
    assert len(found) >= 7, "the page's blocks cannot be read"
    # Each block tells that it was reached; the first failure ends the shell.
    script = "set -e\n" + "".join(f"{block}\nprintf 'block {number} done\\n'\n" for number, block in enumerate(found, 1))
    with tempfile.TemporaryDirectory() as directory:
        home = pathlib.Path(directory)
        kept = {name: os.environ.get(name, str(pathlib.Path.home() / default))
                for name, default in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"))}
        environment = {**os.environ, **kept, "HOME": str(home)}
        for name in list(environment):
            if name.startswith(("TACITD_", "TACIT_WALLET", "XDG_")) or name == "SSL_CERT_FILE":
                del environment[name]
        shell = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            said, _ = shell.communicate(timeout=MINUTES * 60)
        except subprocess.TimeoutExpired:
            said = "it took too long"
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)  # A mint that a failed step left behind.
            except ProcessLookupError:
                pass
        print(said)
        done = said.count("\nblock ") + said.startswith("block ")
        passed, failed = done, len(found) - done
        if failed:
            print(f"FAILED  block {done + 1}:\n{found[done]}")
        else:
            for name, holds in AFTER:
                if holds(home, said):
                    passed += 1
                else:
                    failed += 1
                    print(f"FAILED  {name}")
    print(f"start: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
