-- Contracts of billers, and their bills. No payer: who has a contract's number sees its bills and pays them.

CREATE TABLE contract (
    id bytea NOT NULL PRIMARY KEY,
    holder text NOT NULL,
    unit text NOT NULL,
    begun bigint NOT NULL,
    ended bigint
);

CREATE TABLE bill (
    contract bytea NOT NULL,
    month bigint NOT NULL,
    amount bigint NOT NULL,
    due bigint NOT NULL,
    last bigint NOT NULL,
    state bigint NOT NULL,
    PRIMARY KEY (contract, month)
);

CREATE INDEX bill_month ON bill (month);
