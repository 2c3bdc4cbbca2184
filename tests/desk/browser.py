"""A browser with a virtual authenticator: Chromium, driven by WebDriver."""

import pathlib
import shutil

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.ui import WebDriverWait

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
NARROWEST = 320  # Nothing is pushed out of the picture on the smallest telephone.
PATIENCE = 15  # seconds


class Browser:
    """One profile: its own cookies, and its own device to make passkeys on."""

    def __init__(self, base, pictures=None, axe=None):
        """`axe`: the script of axe-core, which every page that is pictured has to pass."""
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # Named, so that nothing looks for another one on the network.
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.base, self.pictures, self.axe = base, pictures, axe
        self.add_device()

    def add_device(self):
        device = VirtualAuthenticatorOptions()
        device.protocol = VirtualAuthenticatorOptions.Protocol.CTAP2
        device.transport = VirtualAuthenticatorOptions.Transport.INTERNAL
        device.has_resident_key = True
        device.has_user_verification = True
        device.is_user_verified = True
        self.driver.add_virtual_authenticator(device)

    def change_device(self):
        """The old device is in another room: its passkeys cannot be used."""
        self.driver.remove_virtual_authenticator()
        self.add_device()

    def lock_device(self):
        """Whoever holds it cannot unlock it."""
        self.driver.set_user_verified(False)

    def credentials(self):
        return self.driver.get_credentials()

    def go(self, path):
        self.driver.get(path if path.startswith("http") else self.base + path)

    def path(self):
        return self.driver.current_url.removeprefix(self.base)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self):
        return self.find("body").text

    def type(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def press(self, selector):
        button = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def until(self, what, holds, patience=PATIENCE):
        try:
            return WebDriverWait(self.driver, patience).until(lambda _: self.look(holds))
        except Exception as error:
            text = self.text()
            seen = text if len(text) <= 900 else f"{text[:400]} … {text[-500:]}"
            raise AssertionError(f"{what} did not come: {self.path()}: {seen!r}") from error

    def look(self, holds):
        try:
            return holds(self)
        except Exception:  # A page that is just being replaced.
            return False

    def until_at(self, path):
        self.until(path, lambda browser: browser.path().split("?")[0].split("#")[0] == path)

    def until_text(self, text):
        self.until(repr(text), lambda browser: text in browser.text())

    def send(self, path, fields, headers=None):
        """What a script on the page at hand gets for a form of its own making: status and text."""
        script = """
            const [path, fields, headers, done] = arguments;
            fetch(path, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
                          body: new URLSearchParams(fields), redirect: "manual" })
                .then(async (answer) => done([answer.status, await answer.text()]), (error) => done([0, String(error)]));
        """
        return self.driver.execute_async_script(script, path, fields, headers or {})

    def cookie(self, name):
        return self.driver.get_cookie(name)

    def complaints(self):
        """What the browser complained of: scripts, styles or requests that the policy forbids."""
        return [line["message"] for line in self.driver.get_log("browser")
                if "Content Security Policy" in line["message"] or "Uncaught" in line["message"]]

    def picture(self, name):
        """The page as it stands, on a phone and on a desk, in light and in dark; and whether everybody can use it."""
        if self.pictures is None:
            return
        self.command("Emulation.setDeviceMetricsOverride", {"width": NARROWEST, "height": 640, "deviceScaleFactor": 1, "mobile": True})
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= NARROWEST, f"{name} is {wide} pixels wide on a telephone of {NARROWEST}"
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                self.command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
                metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
                self.command("Emulation.setDeviceMetricsOverride", metrics)
                wide = self.driver.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} pixels wide on a {size} of {width}"
                tall = self.driver.execute_script("return document.documentElement.scrollHeight")
                self.command("Emulation.setDeviceMetricsOverride", {**metrics, "height": max(tall, height)})
                path = pathlib.Path(self.pictures) / f"{name}-{size}-{scheme}.png"
                self.driver.save_screenshot(str(path))
                self.check_access(f"{name} on a {size} in {scheme}")
        self.command("Emulation.clearDeviceMetricsOverride", {})
        self.command("Emulation.setEmulatedMedia", {"features": []})

    def check_access(self, what):
        """No serious problem for those who see, hear or move otherwise (WCAG 2.2, as far as a program can tell)."""
        if self.axe is None:
            return
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(self.axe)
        found = self.driver.execute_async_script("""
            axe.run(document, { resultTypes: ["violations"] }).then((said) => arguments[0](said.violations.map(
                (one) => [one.impact, one.id, one.nodes.map((node) => node.target.join(" ") + ": " + node.failureSummary)])));
        """)
        grave = [problem for problem in found if problem[0] in ("serious", "critical")]
        assert not grave, f"{what}: {grave}"

    def command(self, name, arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def close(self):
        self.driver.quit()
