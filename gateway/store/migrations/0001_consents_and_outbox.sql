-- Consents, clustered by what the request path asks for: one descent of one tree.
CREATE TABLE consents (
    id          BLOB NOT NULL UNIQUE,  -- UUID
    principal   BLOB NOT NULL,         -- pseudonym in the consent domain; no identifier is kept
    recipient   TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    items       TEXT NOT NULL,         -- JSON array
    valid_from  TEXT NOT NULL,         -- RFC 3339, UTC, as all times of consents
    valid_until TEXT NOT NULL,
    withdrawn   TEXT,
    PRIMARY KEY (principal, recipient, purpose, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_by_recipient ON consents (recipient, id);

-- Submits. `owner` is the process that works on it; `outcome` is set once and never changed.
CREATE TABLE outbox (
    number     INTEGER PRIMARY KEY,    -- the order in which they were begun
    key        BLOB NOT NULL UNIQUE,
    digest     BLOB NOT NULL,
    exchange   BLOB NOT NULL,          -- UUID
    sector     TEXT NOT NULL,
    code       TEXT NOT NULL,
    ticket     BLOB,
    owner      BLOB,                   -- UUID made at start-up
    outcome    TEXT,                   -- JSON
    settled_at INTEGER                 -- seconds since 1970, UTC
) STRICT;

CREATE INDEX outbox_unsettled ON outbox (number) WHERE outcome IS NULL AND ticket IS NOT NULL;
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;
