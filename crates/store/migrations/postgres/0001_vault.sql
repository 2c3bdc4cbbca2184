-- The vault on PostgreSQL as first laid down. Never edited: what changes later is a migration of its own.
--
-- Standard SQL that engines with PostgreSQL's wire protocol share: no sequences, triggers, advisory locks or LISTEN.
-- A proof that a payment holds and one that is spent stand in one table, and so do outputs promised and signed: two
-- servers that decide at once about the same one then meet at the same key.
-- A denomination is stored as its exponent: the amount is 2^exponent.

CREATE TABLE vault (
    one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    mint bytea NOT NULL,
    open_day bigint NOT NULL,
    epoch bigint NOT NULL
);

CREATE TABLE writer (
    id bytea NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    commits bigint NOT NULL,
    day bigint NOT NULL
);

CREATE TABLE keyset (
    number bigint NOT NULL PRIMARY KEY,
    id bytea NOT NULL UNIQUE,
    unit text NOT NULL,
    unit_index bigint NOT NULL,
    orders bigint NOT NULL,
    input_fee_ppk bigint NOT NULL,
    final_expiry bigint,
    state bigint NOT NULL
);

CREATE TABLE sealed_keyset (
    keyset bigint NOT NULL PRIMARY KEY,
    issued bigint NOT NULL,
    redeemed bigint NOT NULL,
    outstanding bigint NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE proof (
    y bytea NOT NULL PRIMARY KEY,
    keyset bigint NOT NULL,
    exponent bigint NOT NULL,
    quote bytea
);

CREATE INDEX proof_quote ON proof (quote) WHERE quote IS NOT NULL;

CREATE TABLE output (
    b_ bytea NOT NULL PRIMARY KEY,
    keyset bigint,
    exponent bigint,
    quote bytea
);

CREATE INDEX output_quote ON output (quote) WHERE quote IS NOT NULL;

CREATE TABLE preimage (
    y bytea NOT NULL PRIMARY KEY,
    keyset bigint NOT NULL,
    preimage bytea NOT NULL
);

CREATE TABLE mint_quote (
    id bytea NOT NULL PRIMARY KEY,
    unit text NOT NULL,
    method text NOT NULL,
    request text NOT NULL,
    amount bigint NOT NULL,
    pubkey bytea,
    expiry bigint NOT NULL,
    state bigint NOT NULL,
    outputs_digest bytea
);

CREATE INDEX mint_quote_expiry ON mint_quote (expiry);
CREATE INDEX mint_quote_unpaid ON mint_quote (expiry) WHERE state = 0;

CREATE TABLE melt_quote (
    id bytea NOT NULL PRIMARY KEY,
    unit text NOT NULL,
    method text NOT NULL,
    request text NOT NULL,
    amount bigint NOT NULL,
    fee_reserve bigint NOT NULL,
    expiry bigint NOT NULL,
    attempt bigint NOT NULL,
    state bigint NOT NULL,
    inputs bytea,
    input_fee bigint,
    outputs bytea,
    fee_paid bigint,
    evidence text
);

CREATE INDEX melt_quote_expiry ON melt_quote (expiry);
CREATE INDEX melt_quote_pending ON melt_quote (id) WHERE state = 1;

CREATE TABLE transfer (
    id bytea NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL,
    day bigint NOT NULL
);

CREATE TABLE balance (
    writer bytea NOT NULL,
    account text NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    PRIMARY KEY (writer, account)
);

CREATE TABLE day_flow (
    writer bytea NOT NULL,
    keyset_from bigint NOT NULL,
    keyset_to bigint NOT NULL,
    value bigint NOT NULL,
    fee bigint NOT NULL,
    PRIMARY KEY (writer, keyset_from, keyset_to)
);
