-- Version 4: the models of the learned policy that an admin has given to the master, and what was done
-- with them. Their files are <state directory>/models/<digest>.safetensors.

CREATE TABLE model (
  digest   TEXT PRIMARY KEY,   -- SHA-256 of the file, hexadecimal
  name     TEXT NOT NULL,      -- of the file that it came from
  facts    TEXT NOT NULL,      -- JSON: what the file says of how it was made
  added_ms INTEGER NOT NULL,
  added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Replaying it gives which model is in use and which is the shadow.
CREATE TABLE model_event (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms  INTEGER NOT NULL,
  by     TEXT NOT NULL,
  kind   TEXT NOT NULL CHECK (kind IN ('shadow', 'shadow_off', 'promoted', 'rolled_back')),
  digest TEXT NOT NULL         -- of what the event is about; '': the configured or installed one
) STRICT;

PRAGMA user_version = 4;
