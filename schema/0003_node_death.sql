-- Version 3: proof from outside that nothing of the orders up to a launch sequence runs on a node any
-- more, and the secret from which the keys of launches are derived.

ALTER TABLE node ADD COLUMN dead_below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN death_proof TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN death_ms INTEGER NOT NULL DEFAULT 0;

INSERT INTO meta (key, value) VALUES ('step_secret', lower(hex(randomblob(32))));

PRAGMA user_version = 3;
