"""Stories of people on the operator's console: found, frozen, closed, identified, let in again, screened, answered."""

import pathlib
import re
import subprocess
import tempfile

from selenium.webdriver.support.ui import Select

from run import accept, sign_up


def staff(suite, name, role):
    """Somebody of this role, signed in."""
    added = suite.server.staff("add", "--name", name, "--role", role)
    assert added.returncode == 0, added
    browser = suite.browser()
    accept(browser, added.stdout.strip(), "console")
    browser.until_at("/operator")
    return browser


def search(browser, words, why="served"):
    browser.go("/operator/people")
    browser.type("#query", words)
    Select(browser.find("#why")).select_by_value(why)
    browser.press("main form button")
    browser.until_text("Found")


def decide(browser, what, reason):
    browser.type("#reason", reason)
    browser.press(f"button[name=what][value={what}]")


def identify(teller, compliance, words, number):
    """A teller looks at somebody's document, and compliance sets their level."""
    search(teller, words, "identification")
    teller.press("tbody a")
    teller.type("#document-country", "de")
    teller.type("#document-number", number)
    teller.press("#document form button")
    teller.until_text("Compliance decides about the level")
    search(compliance, words, "identification")
    compliance.press("tbody a")
    Select(compliance.find("#level-number")).select_by_value("1")
    compliance.type("#level-reason", "The document is in order")
    compliance.press("#level form button")
    compliance.until_text("It is decided")


def judging(suite):
    """compliance finds somebody, freezes and thaws them, and closes an account once it is empty; each look is in the trail"""
    own, compliance = suite.browser(), staff(suite, "Cora Compliance", "compliance")
    try:
        name = "Wilhelmina Featherstonehaugh-Cholmondeley of Llanfairpwllgwyngyll"
        sign_up(own, name)
        own.press("form[action='/portal/demo-money'] button")
        own.until_text("100.00 USD")
        compliance.go("/operator/people")
        compliance.picture("people-empty")
        search(compliance, "Nobody at all")
        compliance.until_text("Nobody is called so")
        compliance.picture("people-none")
        search(compliance, "wilhel")
        compliance.until_text(name)
        compliance.picture("people-found")
        compliance.press("tbody a")
        compliance.until_text("the system does not know it")
        assert "100.00 of 500.00" in compliance.text(), compliance.text()
        compliance.picture("person")
        path = compliance.path().split("?")[0]
        compliance.go(path)
        compliance.until_text("A look is written down")
        compliance.picture("person-ask")
        compliance.go(path + "?why=served")
        decide(compliance, "freeze", "A list has somebody of this name")
        compliance.until_text("The account is frozen")
        assert "thaw it before its owner can empty it" in compliance.text()
        compliance.picture("person-frozen")
        own.go("/portal")
        own.until_text("This account is frozen")
        own.picture("portal-frozen")
        decide(compliance, "thaw", "It is somebody else")
        compliance.until_text("The account is open again")
        assert not compliance.all("button[value=close]"), "it holds something"
        sign_up(own, "Empty Account")
        search(compliance, "empty acc")
        compliance.press("tbody a")
        decide(compliance, "close", "They asked for it")
        compliance.until_text("The account is closed")
        compliance.picture("person-closed")
        own.go("/portal")
        own.until_at("/portal/sign-in")
        compliance.go("/operator/trail")
        for action in ("people-searched", "person-seen", "person-frozen", "person-thawed", "person-closing", "person-closed"):
            assert action in compliance.text(), action
        assert "Featherstonehaugh" not in compliance.text(), "the trail names nobody"
        assert not compliance.complaints(), compliance.complaints()
    finally:
        own.close()
        compliance.close()


def serving(suite):
    """a teller takes somebody in without a phone, sees a document, and gives a login by a code; compliance sets the level"""
    teller, compliance, own = staff(suite, "Tim Teller", "teller"), staff(suite, "Cleo Compliance", "compliance"), suite.browser()
    try:
        teller.go("/operator/people/new")
        teller.picture("take-in")
        teller.type("#name", "Emil Ohnefon")
        teller.type("#iban", "DE89370400440532013001")
        teller.press("main form button")
        teller.until_text("check digits do not fit")
        assert teller.find("#name").get_attribute("value") == "Emil Ohnefon"
        teller.picture("take-in-wrong")
        teller.type("#iban", "DE89370400440532013000")
        teller.press("main form button")
        teller.until_text("The account is open")
        teller.picture("person-teller")
        teller.press("#login form button")
        teller.until_text("Print this or let it be scanned")
        teller.picture("slip")
        link = re.search(r"http://\S+/invitation#\S+", teller.text()).group(0)
        accept(own, link, "borrowed phone")
        own.until_at("/portal")
        assert "Emil Ohnefon" in own.text()
        own.go("/portal/identify")
        own.picture("identify")
        own.press("main form button")
        own.until_text("Come to the desk")
        own.picture("identify-asked")
        teller.go("/operator/identification")
        teller.picture("identification")
        teller.press("tbody a")
        teller.type("#document-country", "de")
        teller.type("#document-number", "L01 X00 T47")
        teller.press("#document form button")
        teller.until_text("Compliance decides about the level")
        compliance.go("/operator/identification")
        compliance.until_text("passport seen")
        compliance.press("tbody a")
        Select(compliance.find("#level-number")).select_by_value("1")
        compliance.type("#level-reason", "The document is in order")
        compliance.press("#level form button")
        compliance.until_text("It is decided")
        assert "of 2000.00" in compliance.text(), compliance.text()
        compliance.picture("person-level")
        own.go("/portal")
        own.until_text("By a document that was seen")
        search(teller, "emil")
        teller.press("tbody a")
        teller.type("#login-country", "DE")
        teller.type("#login-number", "L01X00T48")
        teller.press("#login form button")
        teller.until_text("not the number on record")
        teller.picture("login-denied")
        teller.type("#login-number", "L01X00T47")
        teller.press("#login form button")
        teller.until_text("good once a second member of staff has confirmed it")
        teller.picture("slip-identified")
        for browser in (teller, compliance, own):
            assert not browser.complaints(), browser.complaints()
    finally:
        for browser in (teller, compliance, own):
            browser.close()


def regaining(suite):
    """a new way into an account is announced to its holder, who stops it; another is confirmed by a second teller, and takes the place of what was lost"""
    teller, second, own = staff(suite, "Tom Teller", "teller"), staff(suite, "Tina Teller", "teller"), suite.browser()
    found = suite.browser()
    try:
        name = "Rosalinde Wiederkehr-Schlüsselbund"
        sign_up(own, name)

        def code():
            search(teller, "rosalinde")
            teller.press("tbody a")
            teller.press("#login form button")
            teller.until_text("It is not good yet")
            return re.search(r"http://\S+/invitation#\S+", teller.text()).group(0)

        link = code()
        teller.picture("slip-waits")
        accept(found, link, "a thief's")
        found.until_text("no other way in unseen")
        found.picture("invitation-early")
        for page in ("/portal/statement", "/merchant", "/portal"):
            own.go(page)
            own.until_text("Somebody asked for a new way into this account")
            own.picture("alarm-" + page.strip("/").replace("/", "-"))
        own.press(".alarm button")
        own.until_text("the code leads nowhere any more")
        assert not own.all(".alarm")
        link = code()
        teller.go(teller.find("main a.button").get_attribute("href"))
        teller.until_text("You made it: a colleague has to confirm it")
        teller.picture("waits-own")
        second.go("/operator/identification")
        second.until_text("Logins to confirm")
        second.picture("logins")
        # Others wait there, too.
        row = next(row for row in second.all("#logins tbody tr") if name in row.text)
        row.find_element("css selector", "a").click()
        second.until_text("Tom Teller made a code")
        second.picture("waits")
        second.press("#waits button")
        second.until_text("The code is good now")
        accept(found, link, "a new phone")
        found.until_at("/portal")
        assert name in found.text() and not found.all(".alarm")
        own.go("/portal")
        own.until_at("/portal/sign-in")
        for browser in (teller, second, own):
            assert not browser.complaints(), browser.complaints()
    finally:
        for browser in (teller, second, own, found):
            browser.close()


def screened(suite):
    """a list is imported, a hit waits for compliance, and is cleared"""
    compliance, own = staff(suite, "Clara Compliance", "compliance"), suite.browser()
    try:
        compliance.go("/operator/screening")
        compliance.until_text("No list was imported")
        compliance.picture("screening-empty")
        sign_up(own, "Ivan Petrovich Sample")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "targets.simple.csv"
            head = "id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,phones,emails,dataset,first_seen,last_seen,last_change"
            file.write_text(head + '\nQ1,Person,"Иван Сампле","Sample, Ivan;Someone Other",,,,,,,,Made up,,,\n')
            command = [suite.server.program, "screening", "import", suite.server.data, str(file)]
            done = subprocess.run(command, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (0, "opensanctions: 3 names\n"), done
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 1 and "opensanctions is in use: 3 names" in done.stderr, done
            done = subprocess.run([*command, "--replace"], capture_output=True, text=True)
            assert done.returncode == 0 and "in the place of 3 of" in done.stdout, done
            file.write_text("name\nIvan\n")
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 1 and "neither" in done.stderr, done

        def hit(browser):
            browser.go("/operator/screening")
            return "Ivan Petrovich Sample" in browser.text()

        compliance.until("a hit", hit)
        compliance.picture("screening")
        row = next(row for row in compliance.all("tbody tr") if "Ivan" in row.text)
        row.find_element("css selector", "input[name=reason]").send_keys("Twenty years younger")
        row.find_element("css selector", "button[value=clear]").click()
        compliance.until_text("The hit is cleared")
        assert "Ivan" not in compliance.text()
        assert not compliance.complaints(), compliance.complaints()
    finally:
        compliance.close()
        own.close()


def complaining(suite):
    """a person complains and gets a number; compliance sees the days left, answers, and the person reads it"""
    compliance, own = staff(suite, "Carl Compliance", "compliance"), suite.browser()
    try:
        sign_up(own, "Hedwig Beschwerde")
        own.go("/portal/complaints")
        own.picture("complaints-empty")
        own.type("#text", "The fee of yesterday was too high.\nPlease look into it.")
        own.press("main form button")
        own.until_text("Your complaint has number")
        own.picture("complaints")
        compliance.go("/operator/complaints")
        compliance.until_text("business days")
        compliance.picture("complaints-queue")
        compliance.press("tbody a")
        compliance.until_text("too high")
        compliance.picture("complaint")
        compliance.type("#text", "You are right, and have it back.")
        compliance.press("button[value=answer]")
        compliance.until_text("It is answered")
        compliance.until_text("No complaint waits")
        own.go("/portal/complaints")
        own.until_text("You are right, and have it back.")
        own.picture("complaints-answered")
        assert not own.complaints() and not compliance.complaints()
    finally:
        compliance.close()
        own.close()


STORIES = [judging, serving, regaining, screened, complaining]
