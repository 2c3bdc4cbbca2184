"""A wallet in a browser: one profile, with a passkey, and everything that went over its network."""

import json
import pathlib
import shutil
import sys
import tempfile

from selenium import webdriver

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "desk"))
from browser import PATIENCE, Browser  # noqa: E402

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB")
DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
          "isUserVerified": True, "hasPrf": True, "automaticPresenceSimulation": True}


class Wallet(Browser):
    """Opens the wallet origin. `camera`: a film of raw frames that the camera shows. `proxy`: what everything goes through."""

    def __init__(self, base, pictures=None, axe=None, camera=None, proxy=None):
        options = webdriver.ChromeOptions()
        self.profile = tempfile.TemporaryDirectory()
        flags = [*FLAGS, f"--user-data-dir={self.profile.name}"]
        if camera:
            flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
        if proxy:
            flags += [f"--proxy-server={proxy}", "--proxy-bypass-list=<-loopback>"]
        for flag in flags:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=shutil.which("chromedriver")))
        self.base, self.pictures, self.axe, self.seen = base, pictures, axe, []
        self.command("WebAuthn.enable", {})
        self.command("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def at(self, route):
        """Goes to a screen within the app, as a link does, and waits until the one before is gone."""
        script = """
            const [to, done] = arguments;
            if (location.hash === `#${to}`) return done();
            addEventListener('hashchange', () => setTimeout(done, 0), {once: true});
            location.hash = to;
        """
        self.driver.execute_async_script(script, f"/{route}")
        return self

    def button(self, text, within="main, .top", patience=PATIENCE):
        """Presses the button or link of a text, once it can be pressed."""
        script = """
            const [text, within] = arguments;
            const all = [...document.querySelectorAll(within)].flatMap((place) => [...place.querySelectorAll('button, a, summary')]);
            return all.find((one) => one.innerText.trim() === text && !one.disabled && one.offsetParent !== null) ?? null;
        """
        found = self.until(f"the button {text!r}", lambda b: b.driver.execute_script(script, text, within), patience)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()
        return self

    def fill(self, label, text):
        """Types into the field of a label."""
        script = """
            const found = [...document.querySelectorAll('label')].find((one) => one.innerText.trim().startsWith(arguments[0]));
            return found && (found.querySelector('input, textarea, select') ?? document.getElementById(found.htmlFor));
        """
        field = self.until(f"the field {label!r}", lambda b: b.driver.execute_script(script, label))
        field.clear()
        field.send_keys(text)
        return self

    def create(self, passphrase=None):
        """A new wallet, whose words are written down and asked for; gives the words. A passkey opens it unless a passphrase is to."""
        self.go("/")
        self.button("Make a wallet")
        self.until("the words", lambda b: len(b.all(".words li")) == 12)
        words = [item.text.strip() for item in self.all(".words li")]
        self.button("I have written them down")
        self.until("three fields", lambda b: len(b.all("label")) == 3)
        for label in [one.text.strip() for one in self.all("label")]:
            self.fill(label, words[int(label.split()[-1]) - 1])
        self.button("Next")
        if passphrase:
            self.button("Use a passphrase instead")
            self.fill("Passphrase", passphrase)
            self.fill("The same again", passphrase)
            self.button("Make a wallet")
        else:
            self.button("Protect with a passkey")
        self.until("the wallet", lambda b: b.all(".hero"))
        return words

    def restore(self, words):
        self.go("/")
        self.button("I have twelve words")
        self.fill("Your twelve words", " ".join(words))
        self.button("Next")
        self.button("Protect with a passkey")
        self.until("the wallet", lambda b: b.all(".hero"))

    def unlock(self, passphrase=None):
        if passphrase:
            self.fill("Passphrase", passphrase)
        self.button("Open")
        self.until("the wallet", lambda b: b.all("nav.tabs"))

    def reopen(self):
        """Opens it again, and waits for what it does then."""
        self.go("/")
        self.unlock()
        self.until("an answer", lambda b: not b.all("main .spin"))

    def give(self, amount):
        """Makes a token and stays at it; gives its text."""
        self.at("").at("send").fill("Amount", amount)
        self.button("Next")
        self.button("Make the code")
        self.until("a token", lambda b: len(b.all(".raw")) == 2)
        return self.find(".raw").text

    def until_stored(self):
        """Waits until the worker has the release, so that it opens without a network."""
        self.until("a stored release", lambda b: b.driver.execute_async_script(
            "caches.open('tacit-pointer').then((cache) => cache.match('/current')).then((found) => arguments[0](!!found), () => arguments[0](false))"))

    def cash_in(self, amount):
        """Puts money in, and takes it at once."""
        self.at("").at("cash").fill("Amount", amount)
        self.button("Next")
        self.button("Fetch it now")
        self.until_text("received")

    def balance(self):
        self.at("")
        self.until("the balance", lambda b: b.all(".hero .figure"))
        return self.find(".hero .figure").text

    def until_balance(self, text):
        self.at("")
        self.until(f"a balance of {text}", lambda b: b.find(".hero .figure").text == text)

    def requests(self):
        """Every request of the network log so far: method, address, whether a cookie went or came."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.requestWillBeSentExtraInfo", "Network.responseReceivedExtraInfo", "Network.webSocketCreated"):
                self.seen.append((message["method"], message["params"]))
        return self.seen

    def close(self):
        self.driver.quit()
        self.profile.cleanup()
