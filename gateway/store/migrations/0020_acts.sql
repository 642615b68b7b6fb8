-- Administrative acts that wait for a second operator, and what became of them. Persons appear in the
-- content of an act only as pseudonyms. Times are RFC 3339, UTC.
CREATE TABLE acts (
    id       BLOB NOT NULL PRIMARY KEY, -- UUID, ordered in time
    name     TEXT NOT NULL,             -- e.g. member.activate
    target   TEXT,
    content  TEXT NOT NULL,             -- JSON
    proposer TEXT NOT NULL,
    proposed TEXT NOT NULL,
    expires  TEXT NOT NULL,
    state    TEXT NOT NULL,             -- proposed, approved, done, failed, rejected
    decider  TEXT,
    decided  TEXT,
    reason   TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX acts_open ON acts (id) WHERE state IN ('proposed', 'approved');
