-- Orders of merchants and their payable state, and what the desk has yet to be told. No payer and no proof.

CREATE TABLE sale (
    id BLOB NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL REFERENCES holder (id),
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    expiry INTEGER NOT NULL,
    state INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    blanks BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sale_expiry ON sale (expiry);

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    sale BLOB NOT NULL,
    amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
