"""Stories with wallets that nobody here wrote: Nutshell and cashu-ts."""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile

INTEROP = pathlib.Path(__file__).resolve().parent.parent / "interop"
SECONDS_MAX = 60


def nutshell(suite, directory):
    """Nutshell's wallet, at the demonstration's mint of US dollars."""
    sys.path.insert(0, str(INTEROP))
    import story  # noqa: PLC0415
    spec = importlib.util.spec_from_file_location("nutshell", INTEROP / "nutshell" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Nutshell(suite.others.cashu, pathlib.Path(directory) / "carol", f"{suite.server.local}/usd", "usd", story.Conversation())


def typescript(suite, script, *act, answer=""):
    """One act of a cashu-ts wallet; gives what it printed."""
    command = ["node", str(pathlib.Path(suite.others.cashu_ts) / script), f"{suite.server.local}/usd", "usd", *act]
    done = subprocess.run(command, timeout=SECONDS_MAX, text=True, input=answer, capture_output=True)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.strip()


def token_of(said):
    return next(line for line in said.splitlines() if line.startswith("cashuB")).strip()


def receive(wallet, token, amount):
    wallet.at("").at("receive").fill("Or paste a text or a link", token)
    wallet.button("Read it")
    wallet.button("Receive")
    wallet.until_text(f"{amount} USD received")


def ask(wallet, amount):
    """The text of a request (NUT-18)."""
    wallet.at("").at("receive").fill("Amount", amount)
    wallet.button("Show a code")
    wallet.until("the request", lambda b: b.all(".raw"))
    return wallet.find(".raw").text


def other_wallets(suite):
    """money goes to Nutshell and cashu-ts and comes back, and both pay what is asked for here"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("50")
        with tempfile.TemporaryDirectory() as directory:
            carol = nutshell(suite, directory)
            carol.run("receive", ada.give("12"))
            carol.assert_balance(1200, "received from our wallet")
            receive(ada, token_of(carol.run("send", "5.00")), "5.00")
            receive(ada, token_of(carol.run("pay", ask(ada, "3"))), "3.00")
            carol.assert_balance(400, "sent 5.00 and paid 3.00")
        assert typescript(suite, "cross.mjs", "receive", answer=ada.give("6")) == "600"
        receive(ada, typescript(suite, "cross.mjs", "send", "250"), "2.50")
        receive(ada, typescript(suite, "request.mjs", "pay-token", answer=ask(ada, "1.50")), "1.50")
        ada.until_balance("44.00 USD")
    finally:
        ada.close()


STORIES = [other_wallets]
