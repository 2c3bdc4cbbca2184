-- Who people are: requests to be identified, screening, complaints. A request is forgotten once a level was set; of screening
-- stays who is on the lists and who was found to be called alike, and nothing of anybody else.

CREATE TABLE identification (
    person bytea PRIMARY KEY CHECK (length(person) = 16),
    id bytea NOT NULL UNIQUE CHECK (length(id) = 16),
    state text NOT NULL CHECK (state IN ('asked', 'seen', 'refused')),
    document text CHECK (document IN ('passport', 'identity-card', 'residence-permit', 'other')),
    since bigint NOT NULL
);
CREATE INDEX identification_by_state ON identification (state, since, person);

CREATE TABLE screening_list (
    name text PRIMARY KEY,
    import bytea NOT NULL CHECK (length(import) = 16),
    names bigint NOT NULL CHECK (names > 0),
    imported bigint NOT NULL
);

CREATE TABLE listed_name (
    import bytea NOT NULL CHECK (length(import) = 16),
    number bigint NOT NULL CHECK (number >= 0),
    entry text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (import, number)
);

-- Whoever stands here waits to be screened; `occasion` tells a new one from the one that is being screened for.
CREATE TABLE screening_due (
    person bytea PRIMARY KEY CHECK (length(person) = 16),
    occasion bytea NOT NULL CHECK (length(occasion) = 16)
);

CREATE TABLE screening_hit (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    person bytea NOT NULL CHECK (length(person) = 16),
    list text NOT NULL,
    entry text NOT NULL,
    name text NOT NULL,
    likeness bigint NOT NULL CHECK (likeness BETWEEN 0 AND 1000),
    found bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'cleared', 'frozen')),
    UNIQUE (person, list, entry, name)
);
CREATE INDEX screening_hit_by_state ON screening_hit (state, likeness, id);

CREATE TABLE complaint (
    number bigint PRIMARY KEY CHECK (number >= 1),
    id bytea NOT NULL UNIQUE CHECK (length(id) = 16),
    person bytea NOT NULL CHECK (length(person) = 16),
    topic text NOT NULL CHECK (topic IN ('payment', 'account', 'fee', 'service', 'other')),
    text text NOT NULL,
    came bigint NOT NULL,
    due bigint NOT NULL,
    holding text,
    answer text,
    answered bigint
);
CREATE INDEX complaint_by_person ON complaint (person, number);
CREATE INDEX complaint_by_deadline ON complaint (answered, due, number);
CREATE INDEX trail_by_staff ON trail (staff, action, moment);

INSERT INTO screening_due (person, occasion) SELECT id, id FROM person WHERE state <> 'closed';
