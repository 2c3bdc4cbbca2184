"""Whether what an operator keeps joins one thing to another: all rows of all databases, all log lines, all metrics.

A seizure reads everything at once, so everything is one graph here: two rows are joined if they share a value. Values are compared
as they stand, as they stand inside texts, and as the program hashes them. Two people who did the same things are followed at once:
what both lead to tells nobody from the other, and is not followed further.
"""

import hashlib
import pathlib
import re
import sqlite3

# An identifier inside a text: long enough to be one, and not a plain word.
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}")

# Smaller numbers are amounts, days, counters: they name nothing unless the schema says what row they point at.
LEAST_NUMBER = 1_000_000

# Roundings as docs/reference/inventory.md has them, in seconds. A column that holds moments and is not here is a fault.
MOMENTS = {
    "keyset.unit_index": 1,  # Of a keyset, and public.
    "mint_quote.expiry": 1,  # Of one that was issued an hour: see `moments`.
    "melt_quote.expiry": 1,
    "sale.expiry": 60,
    "order_paper.expiry": 60,
    "session.idle_until": 300,
    "session.ends": 300,
    "invitation.expires": 1,  # Of who has no passkey yet.
    "invitation.opens": 1,  # The same.
    "trail.moment": 1,  # Of staff.
    "payout_order.made": 1,  # Of an order to the bank.
    "webhook_delivery.next_attempt": 60,
}


class Row:
    """One row, log line or metric: where it stands, and every value that it could be joined by."""

    def __init__(self, place, columns):
        self.place, self.columns, self.values = place, columns, set()

    def __repr__(self):
        return f"{self.place} {self.columns}"


def hashes_in(source):
    """What the program's source puts before a value that it hashes to make another name of it."""
    prefixes = set()
    for path in sorted(pathlib.Path(source).rglob("*.rs")):
        text = path.read_text()
        prefixes.update(re.findall(r'b"(tacit/[^"\\]+)"', text))
        prefixes.update(f"tacit/transfer/v1/once|{topic}|" for topic in re.findall(r'once\("([a-z-]+)"', text))
    assert len(prefixes) > 10, prefixes
    return sorted(prefix.encode() for prefix in prefixes)


def hashes_of_books(rows):
    """What is put before the fact that a transfer is named by: its kind and its two accounts."""
    accounts = sorted({row.columns["name"] for row in rows if row.place == "account"})
    kinds = sorted({row.columns["kind"] for row in rows if row.place == "transfer"})
    return [f"tacit/transfer/v1|{kind}|{debit}|{credit}|".encode() for kind in kinds for debit in accounts for credit in accounts]


def spellings(value):
    """A value, and what is written inside it: each in one spelling, whatever it was stored as."""
    if isinstance(value, int):
        return {str(value)} if value >= LEAST_NUMBER else set()
    if isinstance(value, bytes):
        whole = value.hex()
        try:
            return ({whole} if len(value) >= 8 else set()) | spellings(value.decode("ascii"))
        except UnicodeDecodeError:
            return {whole} if len(value) >= 8 else set()
    if not isinstance(value, str):
        return set()
    found = {value} if len(value) >= 8 else set()
    for token in TOKEN.findall(value):
        if any(letter.isdigit() for letter in token) or token.isupper():
            found.update({token, token.replace("-", "")})
            # What is put before a number: an account's reference is "RF", two digits and the number.
            found.update(token[len(token) - length:] for length in (12,) if len(token) > length)
    # A printed word of the program's own tells nobody from another; a name does.
    return {one for one in found if not re.fullmatch(r"[a-z][a-z -]*", one)}


def derived(value, prefixes):
    """Names that the program makes of a value by hashing it."""
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raw = value.encode()
    for prefix in [b"", *prefixes]:
        digest = hashlib.sha256(prefix + raw).hexdigest()
        yield digest
        yield digest[:32]


def rows_of(path):
    """All rows of an SQLite file, each with numbers that point at other rows made into names of these."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    rows = []
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        points = {column: f"{to}.{key or column}" for _, _, to, column, key, *_ in
                  database.execute(f"PRAGMA foreign_key_list({table})")}
        for found in database.execute(f"SELECT * FROM {table}"):
            row = Row(table, dict(found))
            for column, value in row.columns.items():
                row.values |= spellings(value)
                if isinstance(value, int):
                    row.values.add(f"{points.get(column, f'{table}.{column}')}={value}" if is_key(table, column, points) else "")
            row.values.discard("")
            rows.append(row)
    database.close()
    assert rows, path
    return rows


def is_key(table, column, points):
    return column in points or (table, column) in {("account", "number"), ("keyset", "number")}


def rows_of_text(place, text):
    rows = []
    for line in text.splitlines():
        row = Row(place, line)
        row.values = spellings(line)
        rows.append(row)
    return rows


def ordered(path):
    """Tables of a file whose rows keep the order that they came in: those that have row ids."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = {table for table, without in database.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
             if not without and not table.startswith("sqlite_")}
    database.close()
    return found


class Graph:
    """Everything that is kept, by value."""

    def __init__(self, rows, prefixes):
        self.rows, self.by_value = rows, {}
        known = set().union(*(row.values for row in rows))
        for row in rows:
            for value in list(row.values):
                row.values.update(name for name in derived(value, prefixes) if name in known)
        for row in rows:
            for value in row.values:
                self.by_value.setdefault(value, []).append(row)

    def reach(self, starts, common=frozenset()):
        """For each of the values begun with: what it leads to and none of the others does, and by which row from which value. And
        what is common to several, which is followed no more than what was known to be."""
        found = [{start: None} for start in starts]
        edge = [{start} for start in starts]
        common = set(common)
        while any(edge):
            following = [self.step(values, found[place]) for place, values in enumerate(edge)]
            for value in set().union(*following):
                if sum(value in values or value in found[place] for place, values in enumerate(following)) > 1:
                    common.add(value)
            for place, values in enumerate(following):
                found[place].update({value: way for value, way in values.items() if value not in common})
            edge = [values.keys() - common for values in following]
        return [{value: way for value, way in values.items() if value not in common} for values in found], common

    def step(self, values, known):
        return {value: (row, by) for by in values for row in self.by_value.get(by, ()) for value in row.values if value not in known}

    def between(self, some, others):
        """What each of some leads to, and each of the others, where both kinds are told apart by what is not common to their own."""
        _, common = self.reach(some)
        reached, common = self.reach(others, common)
        return self.reach(some, common)[0], reached

    def rows_with(self, values):
        return [row for row in self.rows if row.values & values.keys()]


def way(found, value):
    """How a value was come to, from the first on."""
    steps = []
    while found.get(value):
        row, by = found[value]
        steps.append(f"{value!r} in {row.place} with {by!r}")
        value = by
    return "; ".join(reversed(steps))


def moments(rows):
    """Moments that are kept finer than the inventory says, or where it says nothing of one."""
    faults = []
    for row in rows:
        if not isinstance(row.columns, dict):
            continue
        for column, value in row.columns.items():
            if not isinstance(value, int) or not 1_600_000_000 < value < 2_600_000_000:
                continue
            name = f"{row.place}.{column}"
            step = MOMENTS.get(name)
            if name == "mint_quote.expiry" and row.columns["state"] == "issued":
                step = 3600
            if step is None or value % step:
                faults.append(f"{name} = {value}")
    return faults
