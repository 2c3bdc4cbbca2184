-- Proofs locked to a merchant that the merchant has let go: whoever has them may spend them.

CREATE TABLE released (
    y bytea NOT NULL PRIMARY KEY
);
