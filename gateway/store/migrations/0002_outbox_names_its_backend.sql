-- A submit is looked up where it was sent and read by the mapping it was said by, whatever its route
-- says today. Those begun before have neither; there was one backend for a service then.
ALTER TABLE outbox ADD COLUMN backend TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN mapping TEXT NOT NULL DEFAULT '';
