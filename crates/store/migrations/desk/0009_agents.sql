-- Agents, who take and give cash, and what people ask of them. A code is kept as a keyed hash, until it has ended; of what
-- was done, the agent and the day are kept, and never an hour.

CREATE TABLE agent (
    -- The float's number in the vault, as it is written.
    account text PRIMARY KEY CHECK (length(account) = 12),
    name text NOT NULL,
    owner bytea NOT NULL UNIQUE CHECK (length(owner) = 16),
    unit text NOT NULL CHECK (length(unit) = 3),
    opened bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('working', 'stopped')),
    in_vault bigint NOT NULL CHECK (in_vault IN (0, 1))
);
CREATE INDEX agent_not_in_vault ON agent (in_vault, account);

CREATE TABLE cash (
    -- Names it in the vault, too.
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    kind text NOT NULL CHECK (kind IN ('out', 'in', 'card')),
    account text NOT NULL CHECK (length(account) = 12),
    unit text,
    amount bigint NOT NULL CHECK (amount >= 0),
    fee bigint NOT NULL CHECK (fee >= 0),
    code_hash bytea UNIQUE CHECK (length(code_hash) = 32),
    expires bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'ready', 'dealing', 'ending', 'done')),
    agent text,
    day bigint
);
CREATE INDEX cash_by_account ON cash (account, state, day);
CREATE INDEX cash_by_agent ON cash (agent, state, day);
CREATE INDEX cash_by_state ON cash (state, expires, id);
