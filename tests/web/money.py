"""Stories of money: in, between people, to a shop, and found again."""

import io
import pathlib
import tempfile

import segno
from shops import order, refund


def begin(suite):
    """a person makes a wallet, writes twelve words down, and puts money in by a usual amount"""
    wallet = suite.wallet()
    try:
        wallet.go("/")
        wallet.until_text("Make a wallet")
        wallet.picture("start")
        wallet.create()
        wallet.picture("home-empty")
        assert "0.00" in wallet.balance(), wallet.text()
        wallet.at("cash").until_text("Put money in")
        wallet.picture("cash")
        wallet.button("50")
        wallet.button("Next")
        wallet.until_text("Pay this")
        wallet.until_text("will be fetched after")
        wallet.picture("cash-to-pay")
        wallet.button("Fetch it now")
        wallet.until_text("50.00 USD received")
        wallet.picture("cash-done")
        wallet.until_balance("50.00 USD")
        wallet.picture("home")
        wallet.go("/")
        wallet.until("a closed wallet", lambda b: "Your money is in it" in b.text())
        wallet.picture("locked")
        wallet.unlock()
        wallet.until_balance("50.00 USD")
        assert not wallet.complaints(), wallet.complaints()
    finally:
        wallet.close()


def between(suite):
    """money goes from one person to another by a link, and what nobody has received is taken back"""
    ada, bob = suite.wallet(), suite.wallet()
    try:
        ada.create()
        ada.cash_in("50")
        bob.create()
        ada.at("send").fill("Amount", "12.50")
        ada.fill("Words for the receiver", "for the tea")
        ada.picture("send")
        ada.button("Next")
        ada.until_text("Fee")
        ada.button("Make the code")
        ada.until("a token", lambda b: len(b.all(".raw")) == 2)
        ada.picture("sent")
        link = ada.all(".raw")[1].text
        assert link.startswith(f"{suite.server.wallet}/#token/cashuB"), link[:80]
        bob.go(link)
        bob.until_text("Somebody gives you")
        bob.picture("receive-token")
        assert "for the tea" in bob.text()
        bob.button("Receive")
        bob.until_text("12.50 USD received")
        bob.until_balance("12.50 USD")
        ada.until_text("was received")
        ada.until_balance("37.50 USD")
        ada.at("send").fill("Amount", "7")
        ada.button("Next")
        ada.button("Make the code")
        ada.button("Take it back")
        ada.until_text("Taken back")
        ada.until_balance("37.50 USD")
        ada.at("history").until_text("for the tea")
        ada.picture("history")
        ada.at("months").until_text("Where your money went")
        ada.picture("months")
    finally:
        ada.close()
        bob.close()


def film(text, directory):
    """A film of one frame: a code, as the camera sees it (YUV4MPEG2)."""
    rows = [list(row) for row in segno.make(text, error="l").matrix_iter(scale=4, border=4)]
    side = max(len(rows), 480)
    width, height = side + side % 2, side + side % 2
    luma = bytearray(b"\xff" * (width * height))
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            luma[(y + (height - len(rows)) // 2) * width + x + (width - len(rows)) // 2] = 16 if dark else 235
    path = pathlib.Path(directory) / "code.y4m"
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (width * height // 2)
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3)
    return path


def scanned(suite):
    """a request is shown by one person, seen by the camera of another, and paid"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.at("receive").fill("Amount", "3.20")
        ada.fill("What for", "half the pizza")
        ada.button("Show a code")
        ada.until("the request", lambda b: b.all(".raw"))
        ada.picture("ask")
        asked = ada.find(".raw").text
        with tempfile.TemporaryDirectory() as directory:
            bob = suite.wallet(film(asked, directory))
            try:
                bob.create()
                bob.cash_in("20")
                bob.at("scan").until_text("half the pizza")
                bob.picture("pay")
                bob.button("Pay 3.20 USD")
                bob.until("a token", lambda b: len(b.all(".raw")) == 2)
                token = bob.find(".raw").text
                ada.at("receive").fill("Or paste a text or a link", token)
                ada.button("Read it")
                ada.button("Receive")
                ada.until_text("3.20 USD received")
                bob.until_text("was received")
                bob.until_balance("16.80 USD")
            finally:
                bob.close()
    finally:
        ada.close()


def pictured(suite):
    """codes are read from pictures that somebody took of a screen; of what is no picture, or has no code, it says so"""
    ada, bob = suite.wallet(), suite.wallet()
    try:
        ada.create()
        ada.cash_in("20")
        bob.create()
        with tempfile.TemporaryDirectory() as directory:
            def taken(of, name):
                path = pathlib.Path(directory) / name
                of.driver.execute_script("document.querySelector('.code').scrollIntoView({block: 'center'})")
                path.write_bytes(of.driver.get_screenshot_as_png())
                return str(path)

            def on_phone(of):
                """As sharp as telephones are: their screenshots are long, and a code is a small part of them."""
                of.command("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": True})

            def pick(by, path):
                by.at("").at("scan").until_text("The camera cannot be used")
                by.find("input[type=file]").send_keys(path)

            bob.at("receive").fill("Amount", "3.20")
            bob.button("Show a code")
            bob.until("the code", lambda b: b.all(".code svg"))
            request = taken(bob, "request.png")
            pick(ada, request)
            ada.button("Pay 3.20 USD")
            ada.until("a token's code", lambda b: b.all(".code svg"))
            pick(bob, taken(ada, "token.png"))
            bob.button("Receive")
            bob.until_text("3.20 USD received")
            on_phone(ada)
            ada.give("15.99")
            pick(bob, taken(ada, "long.png"))
            bob.button("Receive")
            bob.until_text("15.99 USD received")
            ada.until_balance("0.81 USD")
            bad = {"nothing.png": b"", "words.png": b"good evening", "cut.png": pathlib.Path(request).read_bytes()[:200],
                   "other.png": segno_png("good evening"), "blank.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"}
            for name, content in bad.items():
                path = pathlib.Path(directory) / name
                path.write_bytes(content)
                pick(bob, str(path))
                bob.until_text("This is nothing the wallet knows")
            bob.picture("scan")
        assert not bob.complaints(), bob.complaints()
    finally:
        ada.close()
        bob.close()


def segno_png(text):
    out = io.BytesIO()
    segno.make(text, error="l").save(out, kind="png", scale=4)
    return out.getvalue()


def shop(suite):
    """the order of a shop is paid from its checkout page, by a link into the wallet, and what the shop gives back arrives by itself"""
    ada = suite.wallet()
    try:
        ada.create()
        ada.cash_in("20")
        number, page = order(suite, 475, "Coffee and cake")
        ada.go(page)
        ada.until("the way into the wallet", lambda b: b.all("a[href*='#pay/']"))
        link = ada.find("a[href*='#pay/']").get_attribute("href")
        ada.go(link)
        ada.until("a closed wallet", lambda b: "Your money is in it" in b.text())
        ada.unlock()
        ada.until_text("Coffee and cake")
        ada.picture("pay-shop")
        ada.button("Pay 4.75 USD")
        ada.until_text("4.75 USD paid")
        ada.picture("paid")
        ada.until_balance("15.25 USD")
        ada.go(page)
        ada.until_text("Paid")
        for amount, gained, balance in ((400, "4.00", "19.25"), (75, "0.75", "20.00")):
            assert refund(suite, number, amount) == "blanks"
            ada.go(suite.server.wallet)
            ada.unlock()
            ada.until_text(f"A shop gave back {gained} USD")
            ada.picture("refunded")
            ada.until_balance(f"{balance} USD")
        ada.at("history").until_text("Refund")
        assert "Coffee and cake" in ada.text() and "open" not in ada.find("main .list").text, ada.text()
        ada.picture("history-refunded")
    finally:
        ada.close()


def restored(suite):
    """a fresh profile finds everything again from twelve words, and an unknown text or wrong words are told as such"""
    ada, later = suite.wallet(), suite.wallet()
    try:
        words = ada.create()
        ada.cash_in("20")
        ada.at("settings").until_text("If this device is lost")
        ada.picture("settings")
        ada.close()
        later.go("/")
        later.button("I have twelve words")
        later.fill("Your twelve words", " ".join(words[:11] + ["zoo"]))
        later.button("Next")
        later.until_text("These are not the words of a wallet")
        later.fill("Your twelve words", "  ".join(words).upper())
        later.button("Next")
        later.button("Protect with a passkey")
        later.until_text("Found again: 20.00 USD")
        later.until_balance("20.00 USD")
        later.at("pay").fill("Or paste a text or a link", "good evening")
        later.button("Read it")
        later.until_text("This is nothing the wallet knows")
    finally:
        later.close()


STORIES = [begin, between, scanned, pictured, shop, restored]
