#!/usr/bin/env python3
"""The web wallet in a real browser, with passkeys of a virtual authenticator and a camera that sees a film.

    run.py --tacitd PROGRAM --wallet DIRECTORY --cashu PROGRAM --cashu-ts DIRECTORY [--pictures DIRECTORY] [--axe SCRIPT] [--only STORY]

`--cashu` is Nutshell's wallet; `--cashu-ts` has the scripts of tests/interop/cashu-ts beside their modules. Starts a demonstration of its own. Ends with "web: N passed, N failed".
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "desk"))
import run as desk  # noqa: E402

import credit  # noqa: E402
import money  # noqa: E402
import others  # noqa: E402
import release  # noqa: E402
import safety  # noqa: E402
import trouble  # noqa: E402
from wallet import Wallet  # noqa: E402

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


class Server(desk.Server):
    """A demonstration that serves a packed wallet."""

    def __init__(self, program, data, wallet):
        super().__init__(program, data)
        self.packed = wallet
        self.wallet = f"http://wallet.localhost:{self.port}"
        self.mint = f"http://mint.localhost:{self.port}"
        self.local = f"http://localhost:{self.port}"

    def command(self):
        return [*super().command(), "--wallet", self.packed]


class Suite(desk.Suite):
    def wallet(self, camera=None, proxy=None):
        return Wallet(self.server.wallet, self.pictures, self.axe, camera, proxy)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tacitd", required=True)
    parser.add_argument("--wallet", required=True, help="the directory of a packed release")
    parser.add_argument("--cashu", required=True)
    parser.add_argument("--cashu-ts", required=True)
    parser.add_argument("--pictures")
    parser.add_argument("--axe")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    if arguments.pictures:
        pathlib.Path(arguments.pictures).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        server = Server(str(pathlib.Path(arguments.tacitd).resolve()), data, str(pathlib.Path(arguments.wallet).resolve()))
        try:
            link = server.start()
            suite = Suite(server, link, arguments.pictures, arguments.axe)
            suite.others = arguments
            started = time.monotonic()
            for story in money.STORIES + others.STORIES + safety.STORIES + trouble.STORIES + release.STORIES + credit.STORIES:
                if arguments.only in (None, story.__name__):
                    suite.check(story)
        finally:
            server.stop()
    print(f"in {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(f"web: {suite.passed} passed, {suite.failed} failed")
    sys.exit(1 if suite.failed or not suite.passed else 0)


if __name__ == "__main__":
    main()
