-- Orders of merchants and their payable state, and what the desk has yet to be told. No payer and no proof.

CREATE TABLE sale (
    id bytea NOT NULL PRIMARY KEY,
    holder text NOT NULL,
    unit text NOT NULL,
    amount bigint NOT NULL,
    expiry bigint NOT NULL,
    state bigint NOT NULL,
    refunded bigint NOT NULL,
    blanks bytea NOT NULL
);

CREATE INDEX sale_expiry ON sale (expiry);

CREATE TABLE outbox (
    id bytea NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    sale bytea NOT NULL,
    amount bigint NOT NULL
);
