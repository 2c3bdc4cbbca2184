-- What one member of finance could hide alone wants two: who handed a file in, and who found an explanation right.

CREATE TABLE statement_handed (
    hash bytea NOT NULL CHECK (length(hash) = 32),
    staff bytea NOT NULL CHECK (length(staff) = 16),
    first bigint,
    last bigint,
    PRIMARY KEY (hash, staff)
);
CREATE INDEX statement_handed_by_staff ON statement_handed (staff, last);

ALTER TABLE statement_balance ADD COLUMN contradicted bigint NOT NULL DEFAULT 0 CHECK (contradicted IN (0, 1));

ALTER TABLE explanation ADD COLUMN approver bytea CHECK (length(approver) = 16);
ALTER TABLE explanation ADD COLUMN approved bigint;
