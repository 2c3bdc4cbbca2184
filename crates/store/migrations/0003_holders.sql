-- Accounts of people and firms, by number and without a name, and how much of theirs has passed the edge.
-- Statements are read by account, so transfers are found by theirs.

CREATE TABLE holder (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    level INTEGER NOT NULL,
    state INTEGER NOT NULL,
    key BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE edge_usage (
    holder TEXT NOT NULL REFERENCES holder (id),
    unit TEXT NOT NULL,
    day INTEGER NOT NULL,
    in_day INTEGER NOT NULL,
    out_day INTEGER NOT NULL,
    in_month INTEGER NOT NULL,
    out_month INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (holder, unit)
) STRICT, WITHOUT ROWID;

CREATE INDEX transfer_debit ON transfer (debit, day);
CREATE INDEX transfer_credit ON transfer (credit, day);
