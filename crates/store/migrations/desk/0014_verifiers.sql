-- Who asks people for certificates under a name that staff have checked. Neither what is asked nor what is shown is kept.

CREATE TABLE verifier (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    name text NOT NULL UNIQUE,
    purpose text NOT NULL,
    owner bytea NOT NULL UNIQUE CHECK (length(owner) = 16),
    opened bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('working', 'stopped'))
);
