-- Billers: their licences, by two members of staff, and their contracts on paper. Bills are the vault's. Nothing here says whose
-- passport a contract is in; a reference is what the biller calls its own customer.

CREATE TABLE licence_proposal (
    merchant text PRIMARY KEY,
    floor bigint NOT NULL CHECK (floor >= 1),
    contracts_max bigint NOT NULL CHECK (contracts_max >= 1),
    staff bytea NOT NULL CHECK (length(staff) = 16),
    day bigint NOT NULL
);

CREATE TABLE licence (
    merchant text PRIMARY KEY,
    floor bigint NOT NULL CHECK (floor >= 1),
    contracts_max bigint NOT NULL CHECK (contracts_max >= 1),
    granted bigint NOT NULL,
    ended bigint
);

CREATE TABLE contract_paper (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    merchant text NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    request_key text NOT NULL,
    request_digest bytea NOT NULL CHECK (length(request_digest) = 32),
    reference text,
    description text NOT NULL,
    created bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('begun', 'open', 'ending', 'ended')),
    ended bigint,
    UNIQUE (merchant, number),
    UNIQUE (merchant, request_key)
);
CREATE INDEX contract_paper_by_state ON contract_paper (state, id);
CREATE INDEX contract_paper_ended ON contract_paper (ended);

-- More scopes than before.
CREATE TABLE api_key_of_today (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    merchant text NOT NULL,
    label text NOT NULL,
    scopes bigint NOT NULL CHECK (scopes BETWEEN 1 AND 255),
    added bigint NOT NULL,
    expires bigint NOT NULL,
    revoked bigint NOT NULL CHECK (revoked IN (0, 1))
);
INSERT INTO api_key_of_today (hash, merchant, label, scopes, added, expires, revoked)
SELECT hash, merchant, label, scopes, added, expires, revoked FROM api_key;
DROP TABLE api_key;
ALTER TABLE api_key_of_today RENAME TO api_key;
CREATE INDEX api_key_by_merchant ON api_key (merchant, added, hash);
