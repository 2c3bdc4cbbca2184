-- What the bank booked on the operator's accounts, with its paper. `id` is its name in the vault, too; `entry` that of the
-- bank's booking it is a part of. What it was for stands in the vault.

CREATE TABLE booking (
    id bytea PRIMARY KEY CHECK (length(id) = 32),
    entry bytea NOT NULL CHECK (length(entry) = 32),
    day bigint,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    unit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    name text,
    account text,
    end_to_end text,
    text text NOT NULL,
    reference text,
    returned text,
    state text NOT NULL CHECK (state IN ('unclear', 'noted', 'open', 'done')),
    why text
);
CREATE INDEX booking_by_entry ON booking (entry);
CREATE INDEX booking_by_state ON booking (state, id);
