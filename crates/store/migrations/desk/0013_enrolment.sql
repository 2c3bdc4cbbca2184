-- Passports: who may have one, and which wallet asks for its income. Nothing of what is in them.

CREATE TABLE enrolment (
    person bytea PRIMARY KEY CHECK (length(person) = 16),
    number bigint NOT NULL CHECK (number >= 1),
    holder bytea CHECK (length(holder) = 32),
    access bytea UNIQUE CHECK (length(access) = 32),
    code bytea UNIQUE CHECK (length(code) = 32),
    expires bigint
);
