-- What stands beside the evidence log, in a file of its own. An entry's index is its row's number.
CREATE TABLE exchanges (
    number INTEGER PRIMARY KEY,
    exchange BLOB NOT NULL,
    kind TEXT NOT NULL,
    received INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    front TEXT NOT NULL,
    member TEXT,
    service TEXT,
    operation TEXT,
    purpose TEXT,
    outcome TEXT NOT NULL,
    decision TEXT,
    request_bytes INTEGER NOT NULL,
    reply_bytes INTEGER NOT NULL,
    consent_id TEXT,
    -- The committed parts, byte for byte.
    details BLOB NOT NULL,
    consent BLOB,
    ledger BLOB,
    certificate BLOB,
    -- The data key that the salts come from; none: the gateway's own.
    key BLOB
) STRICT;

CREATE INDEX exchanges_exchange ON exchanges (exchange);
CREATE INDEX exchanges_received ON exchanges (received);
CREATE INDEX exchanges_consent ON exchanges (consent_id) WHERE consent_id IS NOT NULL;

CREATE TABLE certificates (
    hash BLOB PRIMARY KEY,
    der BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Up to where the log has handed on its entries.
CREATE TABLE progress (next INTEGER NOT NULL) STRICT;
INSERT INTO progress VALUES (0);
