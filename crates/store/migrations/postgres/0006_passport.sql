-- What the passport desk answered: once for each thing shown, and to the same bytes again. No holder and no counter.

CREATE TABLE shown (
    name bytea NOT NULL PRIMARY KEY,
    request bytea NOT NULL,
    keys bigint NOT NULL
);

CREATE TABLE answer (
    request bytea NOT NULL PRIMARY KEY,
    bucket bigint NOT NULL,
    keys bigint NOT NULL,
    reply bytea NOT NULL,
    sealed bytea NOT NULL
);

CREATE INDEX shown_keys ON shown (keys);
CREATE INDEX answer_bucket ON answer (bucket, request);
CREATE INDEX answer_keys ON answer (keys);
