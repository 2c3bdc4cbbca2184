-- The desk: people and paperwork. No money, no proof, no quote, nothing of who paid an order, no serial of a passport.
--
-- The same text makes it in SQLite and in PostgreSQL, so it holds what both know: bigint, text, bytea (a name that SQLite
-- takes for bytes as they come), keys, checks, indexes. No sequences, no triggers, no defaults: what is written is said.
-- Days are counted from 1970-01-01, moments in seconds from then. Identifiers are random bytes, drawn by whoever writes.

CREATE TABLE desk (
    one bigint PRIMARY KEY CHECK (one = 1),
    mint bytea NOT NULL CHECK (length(mint) = 33),
    trail_length bigint NOT NULL CHECK (trail_length >= 0),
    trail_hash bytea NOT NULL CHECK (length(trail_hash) = 32)
);

CREATE TABLE person (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    account text NOT NULL UNIQUE CHECK (length(account) = 12),
    name text NOT NULL,
    -- The name in lower case, as bytes: both databases order and compare those alike, whatever their language.
    name_key bytea NOT NULL,
    contact text,
    iban text,
    kyc bigint NOT NULL CHECK (kyc BETWEEN 0 AND 2),
    state text NOT NULL CHECK (state IN ('open', 'frozen', 'closed')),
    national_number bytea UNIQUE CHECK (length(national_number) = 32),
    opened bigint NOT NULL,
    in_vault bigint NOT NULL CHECK (in_vault IN (0, 1))
);
CREATE INDEX person_by_name ON person (name_key, id);
CREATE INDEX person_not_in_vault ON person (in_vault, id);

CREATE TABLE staff (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    name text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('teller', 'compliance', 'finance', 'auditor', 'admin')),
    active bigint NOT NULL CHECK (active IN (0, 1))
);

CREATE TABLE passkey (
    credential bytea PRIMARY KEY CHECK (length(credential) BETWEEN 1 AND 1023),
    owner_kind text NOT NULL,
    owner bytea NOT NULL CHECK (length(owner) = 16),
    record text NOT NULL,
    label text NOT NULL,
    added bigint NOT NULL,
    last_used bigint
);
CREATE INDEX passkey_by_owner ON passkey (owner, added, credential);

CREATE TABLE session (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    owner_kind text NOT NULL,
    owner bytea NOT NULL CHECK (length(owner) = 16),
    idle_until bigint NOT NULL,
    ends bigint NOT NULL
);
CREATE INDEX session_by_owner ON session (owner);

CREATE TABLE invitation (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    owner_kind text NOT NULL,
    owner bytea NOT NULL UNIQUE CHECK (length(owner) = 16),
    expires bigint NOT NULL
);

CREATE TABLE trail (
    number bigint PRIMARY KEY CHECK (number >= 1),
    moment bigint NOT NULL,
    staff bytea CHECK (length(staff) = 16),
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
