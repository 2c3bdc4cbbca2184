-- Proofs locked to a merchant that the merchant has let go: whoever has them may spend them.

CREATE TABLE released (
    y BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
