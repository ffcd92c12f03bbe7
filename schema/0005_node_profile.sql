-- Version 5: what nodes were measured to do, or a file says that they do.

ALTER TABLE node ADD COLUMN profile TEXT NOT NULL DEFAULT '';      -- JSON; '': none is known
ALTER TABLE node ADD COLUMN profiled_by TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN profiled_ms INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 5;
