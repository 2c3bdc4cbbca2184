#!/usr/bin/env python3
"""The web wallet in a real browser, with passkeys of a virtual authenticator and a camera that sees a film.

    run.py --tacitd PROGRAM --wallet DIRECTORY --cashu PROGRAM --cashu-ts DIRECTORY [--pictures DIRECTORY] [--axe SCRIPT] [--only STORY]

`--cashu` is Nutshell's wallet; `--cashu-ts` has the scripts of tests/interop/cashu-ts beside their modules. Starts a demonstration of its own.
Ends with "web: N passed, N failed".
"""

import pathlib
import sys
import time

from demo import parse, server_of  # First: it knows where the modules of the desk's stories are.

import credit
import money
import others
import release
import safety
import tour
import trouble


def main():
    arguments = parse("--cashu", "--cashu-ts", "--pictures", "--axe", "--only")
    if arguments.pictures:
        pathlib.Path(arguments.pictures).mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with server_of(arguments, arguments.pictures, arguments.axe) as suite:
        for story in money.STORIES + others.STORIES + safety.STORIES + trouble.STORIES + release.STORIES + credit.STORIES + tour.STORIES:
            if arguments.only in (None, story.__name__):
                suite.check(story)
    print(f"in {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(f"web: {suite.passed} passed, {suite.failed} failed")
    sys.exit(1 if suite.failed or not suite.passed else 0)


if __name__ == "__main__":
    main()
