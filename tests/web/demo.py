"""A demonstration that serves a packed wallet, for the programs of this directory."""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "desk"))
import run as desk  # noqa: E402

from wallet import Wallet  # noqa: E402

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


class Server(desk.Server):
    """A demonstration that serves a packed wallet."""

    def __init__(self, program, data, wallet):
        super().__init__(program, data)
        self.log = pathlib.Path(data).with_suffix(".log")
        self.packed = wallet
        self.wallet = f"http://wallet.localhost:{self.port}"
        self.mint = f"http://mint.localhost:{self.port}"
        self.local = f"http://localhost:{self.port}"

    def command(self):
        return [*super().command(), "--wallet", self.packed]


class Suite(desk.Suite):
    def wallet(self, camera=None, proxy=None):
        return Wallet(self.server.wallet, self.pictures, self.axe, camera, proxy)


def parse(*more):
    """The arguments that all programs here take, and those of this one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tacitd", required=True)
    parser.add_argument("--wallet", required=True, help="the directory of a packed release")
    for name in more:
        parser.add_argument(name)
    return parser.parse_args()


@contextlib.contextmanager
def server_of(arguments, pictures=None, axe=None):
    """A demonstration, until the end."""
    with tempfile.TemporaryDirectory() as data:
        server = Server(str(pathlib.Path(arguments.tacitd).resolve()), data, str(pathlib.Path(arguments.wallet).resolve()))
        try:
            suite = Suite(server, server.start(), pictures, axe)
            suite.others = arguments
            yield suite
        finally:
            server.stop()
            # What an operator should look at, and nothing of the rest.
            sys.stderr.writelines(line for line in server.log.open() if '"level":"info"' not in line)
            server.log.unlink()
