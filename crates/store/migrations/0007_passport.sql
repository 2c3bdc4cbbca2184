-- What the passport desk answered: once for each thing shown, and to the same bytes again. No holder and no counter.

CREATE TABLE shown (
    name BLOB NOT NULL PRIMARY KEY,
    request BLOB NOT NULL,
    keys INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    request BLOB NOT NULL PRIMARY KEY,
    bucket INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    reply BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX shown_keys ON shown (keys);
CREATE INDEX answer_bucket ON answer (bucket, request);
CREATE INDEX answer_keys ON answer (keys);
