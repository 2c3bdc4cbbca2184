"""Stories of billers: a licence by two members of staff, contracts and bills, one by one and by file."""

import datetime
import pathlib
import tempfile

from run import sign_up
from people import staff

LONG = "The Municipal Waterworks and Electricity Board of Llanfairpwllgwyngyllgogerych"


def day(days):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days)).isoformat()


def propose(compliance, account, floor):
    compliance.go("/operator/billers")
    for field, text in (("account", account), ("floor", floor), ("max", "100"), ("reason", "saw the contracts of ten households")):
        compliance.type(f"#{field}", text)
    compliance.press("form[action='/operator/billers/propose'] button")


def upload(biller, text):
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write(text)
    biller.go("/merchant/contracts")
    biller.find("#file").send_keys(str(pathlib.Path(file.name)))
    biller.press("form[action='/merchant/contracts/file'] button")


def send(biller, due, amount):
    # A field for days is typed into in the order of the browser's language: it is set as a program would.
    biller.driver.execute_script("document.querySelector('#due').value = arguments[0]", due)
    biller.type("#amount", amount)
    biller.press("form[action$='/bill'] button")


def month_name(number):
    """Of a month of passports, as in 2026-11."""
    return f"{2020 + number // 12}-{number % 12 + 1:02}"


def licensed(biller, compliance, finance, name, months):
    """A biller with a licence and one contract, with bills of 41.20 due in these months: the code that the customer gets."""
    sign_up(biller, "Bella Biller")
    biller.go("/merchant")
    biller.type("#name", name)
    biller.press("form[action='/merchant/register'] button")
    biller.until_text("Keep this key")
    biller.go("/merchant")
    propose(compliance, biller.find("main code").text, "5.00")
    compliance.until_text("It is proposed")
    finance.go("/operator/billers")
    finance.press("button[value=grant]")
    finance.until_text("The licence is granted")
    biller.go("/merchant/contracts")
    biller.type("#description", "Electricity and water, Mill Lane 4")
    biller.press("form[action='/merchant/contracts'] button")
    biller.until_text("The contract is made")
    code = biller.find("#code").get_attribute("value")
    dues = [f"1,{month_name(month)}-20,41.20" for month in months]
    upload(biller, "contract,due,amount\n" + "\n".join(dues) + "\n")
    biller.until_text(f"{len(dues)} bills are with your customers")
    return code


def bills(suite):
    """one proposes a licence and another grants it, and the shop writes contracts and bills, of which a file is taken whole or not"""
    biller = suite.browser()
    compliance, finance = staff(suite, "Bella Compliance", "compliance"), staff(suite, "Fia Finance", "finance")
    try:
        sign_up(biller, "Bella Biller")
        biller.go("/merchant")
        biller.type("#name", LONG)
        biller.press("form[action='/merchant/register'] button")
        biller.until_text("Keep this key")  # Left before it came, it would come in the place of the next page.
        biller.go("/merchant")
        account = biller.find("main code").text
        biller.go("/merchant/contracts")
        biller.until_text("needs a licence")
        biller.picture("contracts-unlicensed")

        compliance.go("/operator/billers")
        compliance.until_text("No shop has a licence")
        compliance.picture("billers-empty")
        propose(compliance, "000000000000", "5.00")
        compliance.until_text("No shop has this account number")
        compliance.picture("billers-wrong")
        propose(compliance, account, "5.00")
        compliance.until_text("It is proposed. Somebody else has to grant it")
        assert not compliance.all("button[value=grant]")
        compliance.picture("billers-proposed")
        finance.go("/operator/billers")
        finance.picture("billers-to-grant")
        finance.press("button[value=grant]")
        finance.until_text("The licence is granted")
        finance.picture("billers-granted")
        assert not finance.all("form[action='/operator/billers/end']"), "finance grants, and does not end"

        biller.go("/merchant/contracts")
        biller.until_text("bills from 5.00 USD on")
        biller.picture("contracts-empty")
        for what, reference in (("Electricity and water, Mill Lane 4, second floor on the left", "customer 1024"), ("Water, Mill Lane 5", "")):
            biller.go("/merchant/contracts")
            biller.type("#description", what)
            biller.type("#reference", reference)
            biller.press("form[action='/merchant/contracts'] button")
            biller.until_text("The contract is made")
        contract = biller.path()
        biller.picture("contract-new")
        send(biller, day(2), "12.50")
        biller.until_text("less than seven days")
        biller.picture("contract-wrong")
        send(biller, day(9), "12.50")
        biller.until_text("The bill is with your customer")
        biller.picture("contract-billed")
        upload(biller, f"contract,due,amount\n1,{day(40)},41.20\n9,{day(40)},1.00\n2,soon,41.20\n")
        biller.until_text("Line 4: The due day is not written like 2026-12-15")
        upload(biller, f"contract,due,amount\n1,{day(40)},41.20\n9,{day(40)},8.00\n2,{day(9)},41.20\n")
        biller.until_text("Line 3: The contract is not one of yours")
        biller.picture("contracts-wrong-file")
        upload(biller, f"contract,due,amount\n1,{day(40)},4.20\n2,{day(40)},41.20\n")
        biller.until_text("Line 2: The amount is below 5.00 USD")
        upload(biller, f"contract,due,amount\n1,{day(40)},41.20\n2,{day(40)},41.20\n")
        biller.until_text("2 bills are with your customers")
        biller.picture("contracts")
        biller.go(contract)
        biller.press(f"form[action$='/withdraw'] button")
        biller.until_text("nothing is due that month")
        biller.press("form[action$='/end'] button")
        biller.until_text("The contract has ended")
        biller.picture("contract-ended")

        compliance.go("/operator/billers")
        compliance.type("input[id^=reason-]", "closed its doors")
        compliance.press("form[action='/operator/billers/end'] button")
        compliance.until_text("The licence is ended")
        compliance.picture("billers-ended")
        biller.go("/merchant/contracts")
        biller.until_text("needs a licence")
        assert not biller.complaints() and not compliance.complaints()
    finally:
        for browser in (biller, compliance, finance):
            browser.close()


STORIES = [bills]
