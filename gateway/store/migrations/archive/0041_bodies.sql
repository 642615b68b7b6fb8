-- Bodies, sealed; keys, wrapped. Nothing here can be read without the root key, which is elsewhere.
CREATE TABLE shards (
    shard INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE keys (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    holder BLOB NOT NULL,
    purpose TEXT NOT NULL,
    shard INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;

CREATE INDEX keys_holder ON keys (holder, purpose);
CREATE INDEX keys_shard ON keys (shard);

CREATE TABLE bodies (
    entry INTEGER NOT NULL,
    part TEXT NOT NULL,
    exchange BLOB NOT NULL,
    key BLOB NOT NULL,
    keep_until INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (entry, part)
) STRICT;

CREATE INDEX bodies_key ON bodies (key);
CREATE INDEX bodies_keep_until ON bodies (keep_until);
CREATE INDEX bodies_exchange ON bodies (exchange);

CREATE TABLE holds (
    id BLOB PRIMARY KEY,
    hold TEXT NOT NULL
) STRICT;

-- What each hold covers, one row for each pseudonym or exchange.
CREATE TABLE held (
    hold BLOB NOT NULL REFERENCES holds (id),
    exchange BLOB,
    holder BLOB,
    purpose TEXT
) STRICT;

-- The erasure under way: one at most.
CREATE TABLE erasures (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    erasure TEXT NOT NULL
) STRICT;
