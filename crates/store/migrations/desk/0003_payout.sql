-- Money that people want at their bank. `id` names what the vault holds for it, too.

CREATE TABLE payout (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    account text NOT NULL CHECK (length(account) = 12),
    name text NOT NULL,
    iban text NOT NULL,
    unit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    text text NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'held', 'refused', 'rejecting', 'rejected', 'ordered')),
    payout_order bytea CHECK (length(payout_order) = 16)
);
CREATE INDEX payout_by_state ON payout (state, id);
CREATE INDEX payout_by_order ON payout (payout_order, id);

CREATE TABLE payout_approval (
    payout bytea NOT NULL CHECK (length(payout) = 16),
    staff bytea NOT NULL CHECK (length(staff) = 16),
    PRIMARY KEY (payout, staff)
);

CREATE TABLE payout_order (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    unit text NOT NULL,
    made bigint NOT NULL,
    execution bigint NOT NULL
);
