-- What no program can set right waits for a person, and money goes back to its sender once.

CREATE TABLE money_exception (
    kind text NOT NULL CHECK (kind IN ('payout', 'gone')),
    subject text NOT NULL,
    raised bigint NOT NULL,
    is_open bigint NOT NULL CHECK (is_open IN (0, 1)),
    PRIMARY KEY (kind, subject)
);
CREATE INDEX money_exception_open ON money_exception (is_open, raised, subject);

CREATE UNIQUE INDEX payout_of_booking ON payout (booking) WHERE state NOT IN ('refused', 'rejected');

-- What is said of a booking and takes two people waits for the second.
ALTER TABLE booking_resolution ADD COLUMN staff bytea CHECK (length(staff) = 16);
ALTER TABLE booking_resolution ADD COLUMN is_approved bigint NOT NULL DEFAULT 1 CHECK (is_approved IN (0, 1));
