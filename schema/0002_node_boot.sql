-- Version 2: the boot in which each node was last heard. A launch that was ordered in an earlier one
-- and that the node does not know may have started: a power cut takes what was not synced.

ALTER TABLE node ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 2;
