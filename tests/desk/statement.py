"""Statements as a bank would write them, for stories."""

import datetime


def camt053(account, opening, credits, debits=()):
    """One statement (camt.053.001.08) of an account: `credits` as (reference of the bank, cents, name, text), `debits` as
    (reference of the bank, cents, end-to-end id)."""
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    entries = [entry(day, "CRDT", own, cents, "NOTPROVIDED", f"<RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties>"
                     f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>") for own, cents, name, text in credits]
    entries += [entry(day, "DBIT", own, cents, end_to_end, "") for own, cents, end_to_end in debits]
    closing = opening + sum(one[1] for one in credits) - sum(one[1] for one in debits)
    balances = "".join(f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{euros(cents)}</Amt>"
                       f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
                       for code, cents in (("OPBD", opening), ("CLBD", closing)))
    return (f"<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>"
            f"<BkToCstmrStmt><GrpHdr><MsgId>M-{day}</MsgId><CreDtTm>{day}T06:00:00</CreDtTm></GrpHdr><Stmt><Id>S-{day}-{opening}</Id>"
            f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>")


def entry(day, direction, own, cents, end_to_end, rest):
    amount = f"<Amt Ccy='EUR'>{euros(cents)}</Amt><CdtDbtInd>{direction}</CdtDbtInd>"
    return (f"<Ntry>{amount}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{own}</AcctSvcrRef>"
            f"<NtryDtls><TxDtls><Refs><AcctSvcrRef>{own}</AcctSvcrRef><EndToEndId>{end_to_end}</EndToEndId></Refs>{amount}{rest}"
            f"</TxDtls></NtryDtls></Ntry>")


def euros(cents):
    return f"{cents // 100}.{cents % 100:02}"
