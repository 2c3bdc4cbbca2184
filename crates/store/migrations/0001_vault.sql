-- The vault as first laid down. Never edited: what changes later is a migration of its own.
--
-- Swap tables are clustered by key and hold no row id, no time and no request id, so that row order cannot join
-- what blinding separated. They are clustered by era first: the open one, and those that ended with a day that found a million rows.
-- A denomination is stored as its exponent: the amount is 2^exponent.

CREATE TABLE vault (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    mint BLOB NOT NULL,
    open_day INTEGER NOT NULL,
    commits INTEGER NOT NULL,
    filter_salt BLOB NOT NULL
) STRICT;

CREATE TABLE keyset (
    number INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    unit TEXT NOT NULL,
    unit_index INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    input_fee_ppk INTEGER NOT NULL,
    final_expiry INTEGER,
    state INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_keyset (
    keyset INTEGER NOT NULL PRIMARY KEY REFERENCES keyset (number),
    issued INTEGER NOT NULL,
    redeemed INTEGER NOT NULL,
    outstanding INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TABLE era (
    number INTEGER NOT NULL PRIMARY KEY,
    spent_filter BLOB,
    signed_filter BLOB
) STRICT;

INSERT INTO era (number) VALUES (0);

CREATE TABLE spent (
    era INTEGER NOT NULL,
    y BLOB NOT NULL,
    keyset INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    PRIMARY KEY (era, y)
) STRICT, WITHOUT ROWID;

CREATE TABLE spent_archive (
    era INTEGER NOT NULL,
    y BLOB NOT NULL,
    keyset INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    PRIMARY KEY (era, y)
) STRICT, WITHOUT ROWID;

CREATE TABLE signed (
    era INTEGER NOT NULL,
    b_ BLOB NOT NULL,
    keyset INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    PRIMARY KEY (era, b_)
) STRICT, WITHOUT ROWID;

CREATE TABLE preimage (
    y BLOB NOT NULL PRIMARY KEY,
    keyset INTEGER NOT NULL,
    preimage BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mint_quote (
    id BLOB NOT NULL PRIMARY KEY,
    unit TEXT NOT NULL,
    method TEXT NOT NULL,
    request TEXT NOT NULL,
    amount INTEGER NOT NULL,
    pubkey BLOB,
    expiry INTEGER NOT NULL,
    state INTEGER NOT NULL,
    outputs_digest BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX mint_quote_expiry ON mint_quote (expiry);
CREATE INDEX mint_quote_unpaid ON mint_quote (expiry) WHERE state = 0;

CREATE TABLE melt_quote (
    id BLOB NOT NULL PRIMARY KEY,
    unit TEXT NOT NULL,
    method TEXT NOT NULL,
    request TEXT NOT NULL,
    amount INTEGER NOT NULL,
    fee_reserve INTEGER NOT NULL,
    expiry INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state INTEGER NOT NULL,
    inputs BLOB,
    input_fee INTEGER,
    outputs BLOB,
    fee_paid INTEGER,
    evidence TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX melt_quote_expiry ON melt_quote (expiry);
CREATE INDEX melt_quote_pending ON melt_quote (id) WHERE state = 1;

CREATE TABLE held (
    y BLOB NOT NULL PRIMARY KEY,
    keyset INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    quote BLOB NOT NULL REFERENCES melt_quote (id),
    preimage BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX held_quote ON held (quote);

CREATE TABLE promised (
    b_ BLOB NOT NULL PRIMARY KEY,
    quote BLOB NOT NULL REFERENCES melt_quote (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX promised_quote ON promised (quote);

CREATE TABLE account (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    debits INTEGER NOT NULL,
    credits INTEGER NOT NULL
) STRICT;

CREATE TABLE transfer (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    debit INTEGER NOT NULL REFERENCES account (number),
    credit INTEGER NOT NULL REFERENCES account (number),
    amount INTEGER NOT NULL,
    day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE day_flow (
    keyset_from INTEGER NOT NULL,
    keyset_to INTEGER NOT NULL,
    value INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    PRIMARY KEY (keyset_from, keyset_to)
) STRICT, WITHOUT ROWID;
