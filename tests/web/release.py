"""The story of an update: another release is taken whole, and only when the person says so."""

import contextlib
import hashlib
import json
import pathlib
import shutil
import tempfile

from trouble import BALANCE, through

STYLE = b"\n/* A later release. */\n"


def style_of(directory):
    return next(pathlib.Path(directory).glob("style-*.css"))


def repack(packed, directory):
    """A later release: the same but for its style sheet."""
    later = pathlib.Path(directory) / "later"
    shutil.copytree(packed, later)
    style = style_of(later)
    content = style.read_bytes() + STYLE
    style.write_bytes(content)
    listed = json.loads((later / "release.json").read_bytes())
    listed["files"][style.name] = {"sha256": hashlib.sha256(content).hexdigest(), "length": len(content)}
    (later / "release.json").write_text(json.dumps(listed))
    for name in (style.name, "release.json"):
        for ending in (".br", ".gz"):
            later.joinpath(name + ending).unlink(missing_ok=True)
    return later


def digest(directory):
    return hashlib.sha256(pathlib.Path(directory, "release.json").read_bytes()).hexdigest()


@contextlib.contextmanager
def served(suite, directory):
    """The server has another release."""
    before = suite.server.packed
    suite.server.stop()
    suite.server.packed = str(directory)
    suite.server.start()
    try:
        yield
    finally:
        suite.server.stop()
        suite.server.packed = before
        suite.server.start()


def running(wallet):
    """Whether the style sheet is that of the later release."""
    return wallet.driver.execute_async_script(
        "const sheet = document.querySelector('link[rel=stylesheet]').href;"
        "fetch(sheet).then((answer) => answer.text()).then((text) => arguments[0](text.includes('A later release')))")


def updated(suite):
    """a later release is offered once all of it is there, is taken when the person agrees, loses nothing, and one that is not what it lists is never run"""
    with through(suite) as (ada, proxy):
        first, style = digest(suite.server.packed), style_of(suite.server.packed).name
        ada.at("settings").until_text(first)
        ada.button("Look for an update")
        ada.until_text("This is the latest release")
        with tempfile.TemporaryDirectory() as directory:
            later = repack(suite.server.packed, directory)
            with served(suite, later):
                # Not what the list says: it is not even offered.
                proxy.rule = lambda _, host, path: (lambda content: content + b" ") if path.endswith(style) and "wallet" in host else None
                ada.reopen()
                ada.at("settings").button("Look for an update")
                ada.until_text("No later release could be fetched whole")
                assert proxy.struck and not running(ada), proxy.struck
                # Broken off in the middle: neither.
                proxy.rule = lambda _, host, path: "lose" if path.endswith(style) and "wallet" in host else None
                ada.at("").at("settings").button("Look for an update")
                ada.until_text("No later release could be fetched whole")
                proxy.rule = lambda *_: None
                ada.at("").at("settings").button("Look for an update")
                ada.until_text("A new release is ready")
                ada.until_text(digest(later))
                ada.picture("release")
                assert not running(ada), "nothing changes before the person agrees"
                ada.reopen()
                assert not running(ada), "nor by opening it again"
                ada.until_text("A new release is ready")
                ada.button("Update")
                ada.until("a closed wallet", lambda b: "Your money is in it" in b.text())
                ada.unlock()
                ada.at("settings").until_text(digest(later))
                assert running(ada)
                ada.until_balance(BALANCE)


STORIES = [updated]
