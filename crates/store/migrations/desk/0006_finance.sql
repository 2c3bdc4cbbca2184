-- Payouts know who asked for them and when, and may be of money that goes back to its sender and is no account's. What a
-- person said of a booking is kept until the vault has it.

CREATE TABLE payout_asked (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    account text CHECK (length(account) = 12),
    booking bytea CHECK (length(booking) = 32),
    asked_by text NOT NULL,
    asked bigint NOT NULL,
    name text NOT NULL,
    iban text NOT NULL,
    unit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    text text NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'releasing', 'held', 'refused', 'rejecting', 'rejected', 'ordered')),
    payout_order bytea CHECK (length(payout_order) = 16),
    CHECK ((account IS NULL) <> (booking IS NULL))
);
INSERT INTO payout_asked (id, account, booking, asked_by, asked, name, iban, unit, amount, text, state, payout_order)
SELECT id, account, NULL, 'machine', 0, name, iban, unit, amount, text, state, payout_order FROM payout;
DROP TABLE payout;
ALTER TABLE payout_asked RENAME TO payout;
CREATE INDEX payout_by_state ON payout (state, asked, id);
CREATE INDEX payout_by_order ON payout (payout_order, id);
CREATE INDEX payout_by_account ON payout (account, asked);
CREATE INDEX payout_by_amount ON payout (unit, amount);

CREATE TABLE booking_resolution (
    booking bytea PRIMARY KEY CHECK (length(booking) = 32),
    purpose text NOT NULL,
    about text
);

CREATE INDEX booking_by_day ON booking (unit, day, id);
CREATE INDEX booking_by_amount ON booking (unit, amount);
CREATE INDEX booking_by_return ON booking (day, id) WHERE returned IS NOT NULL;
