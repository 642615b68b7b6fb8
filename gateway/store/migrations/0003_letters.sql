-- Work taken now and done later. Content and outcome are sealed by the gateway; nothing else in a row
-- names a person. Times are milliseconds since 1970, UTC.
CREATE TABLE letters (
    number     INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they were posted
    id         BLOB NOT NULL UNIQUE,   -- UUID
    task       TEXT NOT NULL,          -- exchange, delivery
    member     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    lane       TEXT,
    key        BLOB UNIQUE,            -- claimed until the row is removed
    digest     BLOB,
    content    BLOB,                   -- none once it is done
    state      TEXT NOT NULL,          -- waiting, done, dead
    owner      BLOB,                   -- the process that works on it, as in outbox
    attempts   INTEGER NOT NULL,
    posted     INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    keep_until INTEGER,
    reason     TEXT,
    outcome    BLOB
) STRICT;

CREATE INDEX letters_due ON letters (due, number) WHERE state = 'waiting';
CREATE INDEX letters_lane ON letters (lane, number) WHERE state = 'waiting' AND lane IS NOT NULL;
CREATE INDEX letters_waiting ON letters (member, task) WHERE state = 'waiting';
CREATE INDEX letters_state ON letters (state, id);
CREATE INDEX letters_ended ON letters (keep_until) WHERE keep_until IS NOT NULL;
