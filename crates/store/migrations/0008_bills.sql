-- Contracts of billers, and their bills. No payer: who has a contract's number sees its bills and pays them.

CREATE TABLE contract (
    id BLOB NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL REFERENCES holder (id),
    unit TEXT NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE bill (
    contract BLOB NOT NULL REFERENCES contract (id),
    month INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    due INTEGER NOT NULL,
    last INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (contract, month)
) STRICT, WITHOUT ROWID;

CREATE INDEX bill_month ON bill (month);
