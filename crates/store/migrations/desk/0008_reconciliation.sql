-- What daily reconciliation is made of: sums of everybody together, and nothing of anybody.

CREATE TABLE statement_file (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    day bigint NOT NULL,
    is_statement bigint NOT NULL CHECK (is_statement IN (0, 1)),
    new bigint NOT NULL CHECK (new >= 0),
    known bigint NOT NULL CHECK (known >= 0),
    unclear bigint NOT NULL CHECK (unclear >= 0),
    unbooked bigint NOT NULL CHECK (unbooked >= 0)
);
CREATE INDEX statement_file_by_day ON statement_file (day, hash);

CREATE TABLE statement_balance (
    account text NOT NULL,
    day bigint NOT NULL,
    statement text NOT NULL,
    unit text NOT NULL,
    opening bigint,
    closing bigint NOT NULL,
    adds_up bigint CHECK (adds_up IN (0, 1)),
    PRIMARY KEY (account, day, statement)
);
CREATE INDEX statement_balance_by_day ON statement_balance (unit, day);

CREATE TABLE safeguarding (
    unit text NOT NULL,
    day bigint NOT NULL,
    settlement bigint NOT NULL,
    ecash bigint NOT NULL,
    accounts bigint NOT NULL,
    unissued bigint NOT NULL,
    held bigint NOT NULL,
    refunds bigint NOT NULL,
    suspense bigint NOT NULL,
    PRIMARY KEY (unit, day)
);

CREATE TABLE explanation (
    unit text NOT NULL,
    day bigint NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    difference bigint,
    note text NOT NULL,
    staff bytea NOT NULL CHECK (length(staff) = 16),
    noted bigint NOT NULL,
    PRIMARY KEY (unit, day, number)
);
