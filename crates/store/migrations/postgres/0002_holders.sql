-- Accounts of people and firms, by number and without a name, and how much of theirs has passed the edge. Whoever debits
-- an account writes its row here from the version that was read, so that of two servers one looks again.
-- Statements are read by account, so transfers and balances are found by theirs.

CREATE TABLE holder (
    id text NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    level bigint NOT NULL,
    state bigint NOT NULL,
    key bytea
);

CREATE TABLE edge_usage (
    holder text NOT NULL,
    unit text NOT NULL,
    day bigint NOT NULL,
    in_day bigint NOT NULL,
    out_day bigint NOT NULL,
    in_month bigint NOT NULL,
    out_month bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (holder, unit)
);

CREATE INDEX transfer_debit ON transfer (debit, day);
CREATE INDEX transfer_credit ON transfer (credit, day);
CREATE INDEX balance_account ON balance (account);
