-- What is used of daily and monthly quotas. `share` says for whom, as JSON; a person in it is a
-- pseudonym. `begun` is the first second of the day or month, since 1970, UTC.
CREATE TABLE quota_counts (
    policy TEXT NOT NULL,
    share  TEXT NOT NULL,
    begun  INTEGER NOT NULL,
    used   INTEGER NOT NULL,
    PRIMARY KEY (policy, share)
) STRICT, WITHOUT ROWID;
