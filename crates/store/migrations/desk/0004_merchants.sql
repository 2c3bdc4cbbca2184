-- Merchants: their shops, keys, orders on paper, and what is sent to them. Nothing here says who paid: no address, no
-- browser, no wallet, no moment of payment finer than its day.

CREATE TABLE merchant (
    -- The account's number in the vault, as it is written.
    account text PRIMARY KEY CHECK (length(account) = 12),
    name text NOT NULL,
    owner bytea NOT NULL UNIQUE CHECK (length(owner) = 16),
    unit text NOT NULL CHECK (length(unit) = 3),
    lock_key bytea NOT NULL CHECK (length(lock_key) = 33),
    naming_secret bytea NOT NULL CHECK (length(naming_secret) = 32),
    webhook_url text,
    webhook_secret bytea NOT NULL CHECK (length(webhook_secret) = 32),
    opened bigint NOT NULL,
    in_vault bigint NOT NULL CHECK (in_vault IN (0, 1))
);
CREATE INDEX merchant_not_in_vault ON merchant (in_vault, account);

CREATE TABLE api_key (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    merchant text NOT NULL,
    label text NOT NULL,
    scopes bigint NOT NULL CHECK (scopes BETWEEN 1 AND 7),
    added bigint NOT NULL,
    expires bigint NOT NULL,
    revoked bigint NOT NULL CHECK (revoked IN (0, 1))
);
CREATE INDEX api_key_by_merchant ON api_key (merchant, added, hash);

CREATE TABLE order_paper (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    merchant text NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    checkout bytea NOT NULL UNIQUE CHECK (length(checkout) = 16),
    request_key text NOT NULL,
    request_digest bytea NOT NULL CHECK (length(request_digest) = 32),
    reference text,
    description text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 1),
    unit text NOT NULL,
    created bigint NOT NULL,
    expiry bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('begun', 'open', 'paid', 'cancelled')),
    paid_day bigint,
    refunded bigint NOT NULL CHECK (refunded >= 0 AND refunded <= amount),
    UNIQUE (merchant, number),
    UNIQUE (merchant, request_key)
);
CREATE INDEX order_paper_by_state ON order_paper (state, id);
CREATE INDEX order_paper_by_day ON order_paper (merchant, paid_day);

CREATE TABLE refund_paper (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    order_id bytea NOT NULL CHECK (length(order_id) = 16),
    request_key text NOT NULL,
    request_digest bytea NOT NULL CHECK (length(request_digest) = 32),
    amount bigint NOT NULL CHECK (amount >= 1),
    way text NOT NULL CHECK (way IN ('blanks', 'code')),
    code_hash bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    created bigint NOT NULL,
    is_done bigint NOT NULL CHECK (is_done IN (0, 1)),
    UNIQUE (order_id, request_key)
);
CREATE INDEX refund_paper_by_state ON refund_paper (is_done, id);

CREATE TABLE webhook_delivery (
    event bytea PRIMARY KEY CHECK (length(event) = 16),
    merchant text NOT NULL,
    kind text NOT NULL,
    order_id bytea NOT NULL CHECK (length(order_id) = 16),
    amount bigint NOT NULL,
    day bigint NOT NULL,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    -- Empty once it has arrived or was given up; 0 means at once, anything else is a full minute.
    next_attempt bigint,
    state text NOT NULL CHECK (state IN ('waiting', 'arrived', 'given-up')),
    last_status text
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_attempt, event);
CREATE INDEX webhook_delivery_by_merchant ON webhook_delivery (merchant, day, event);
