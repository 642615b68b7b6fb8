-- Members added at run time, and the state of all: a row without content is of a member that the
-- configuration declares. Times are RFC 3339, UTC.
CREATE TABLE members (
    id      TEXT NOT NULL PRIMARY KEY,
    content TEXT,                      -- JSON: name, class, attributes, subsystems, contact
    state   TEXT NOT NULL,             -- applied, active, suspended, ended
    changed TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Their keys and certificates; several may hold at once, so that one can follow another.
CREATE TABLE member_keys (
    hash        BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the key's text or the certificate's DER
    member      TEXT NOT NULL,
    kind        TEXT NOT NULL,         -- api-key, certificate
    valid_from  TEXT NOT NULL,
    valid_until TEXT NOT NULL,
    revoked     TEXT
) STRICT, WITHOUT ROWID;
