-- What staff decided of accounts and the vault has not carried out yet. Nothing stays here: the trail has the deed.

CREATE TABLE decision (
    person bytea PRIMARY KEY CHECK (length(person) = 16),
    id bytea NOT NULL CHECK (length(id) = 16),
    closing bigint NOT NULL CHECK (closing IN (0, 1))
);
CREATE INDEX trail_by_subject ON trail (subject, number);
