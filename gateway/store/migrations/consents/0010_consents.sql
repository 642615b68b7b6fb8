-- The state of each consent, clustered by what the request path asks for: one descent of one tree. It
-- can be derived from `revisions` at any time.
CREATE TABLE consents (
    id         BLOB NOT NULL UNIQUE,   -- UUID
    reference  BLOB NOT NULL UNIQUE,   -- UUID by which the recipient knows it
    principal  BLOB NOT NULL,          -- pseudonym in the consent domain; no identifier is kept
    recipient  TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    state      TEXT NOT NULL,          -- JSON of the whole consent
    due        INTEGER NOT NULL,       -- when the sweep looks at it, milliseconds since 1970, UTC
    PRIMARY KEY (principal, recipient, purpose, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_by_recipient ON consents (recipient, id);
CREATE INDEX consents_due ON consents (due);

-- Who changed what when. Rows are added; only a receipt is filled in, and a whole chain removed when
-- the record's own retention is over. `sequence` also tells other processes what has changed.
CREATE TABLE revisions (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    consent    BLOB NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,          -- JSON of the revision, which names the hash before
    hash       BLOB NOT NULL,          -- SHA-256 of the body
    at         INTEGER NOT NULL,       -- milliseconds since 1970, UTC
    receipt    TEXT,                   -- once the evidence log holds it
    UNIQUE (consent, number)
) STRICT;

CREATE INDEX revisions_unrecorded ON revisions (sequence) WHERE receipt IS NULL;

-- Uses of consents that have a limit. `holders` are the exchanges under one key that rely on it.
CREATE TABLE uses (
    consent    BLOB NOT NULL,
    key        BLOB NOT NULL,
    at         INTEGER NOT NULL,       -- milliseconds since 1970, UTC
    holders    INTEGER NOT NULL,
    PRIMARY KEY (consent, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX uses_in_time ON uses (consent, at);
