-- What nodes and jobs were measured to do: <state directory>/telemetry.db, apart from the queue so
-- that the queue stays small and is never waited for because of it. Nothing is decided by it, and it
-- may be deleted while the master is down. Times are milliseconds since 1970-01-01T00:00Z.

-- Names are written once.
CREATE TABLE metric (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  modelled INTEGER NOT NULL,
  UNIQUE (name, unit, modelled)
) STRICT;

CREATE TABLE node (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- figures: for each its metric's id (4 bytes) and its value (an IEEE double), little-endian.
CREATE TABLE node_minute (
  node    INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,  -- where the minute begins
  figures BLOB NOT NULL,
  PRIMARY KEY (node, at_ms)
) STRICT, WITHOUT ROWID;

-- One row a job: the last attempt, a message JobTelemetry of hyades.proto.
CREATE TABLE job (
  id        INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,  -- of the last report
  telemetry BLOB NOT NULL
) STRICT;

CREATE INDEX job_by_time ON job (at_ms);

-- What the learned policy was asked and what it answered, a message PolicyDecision of hyades.proto.
CREATE TABLE decision (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms    INTEGER NOT NULL,
  decision BLOB NOT NULL,
  shadow   INTEGER NOT NULL DEFAULT 0  -- 1: of a model that was only asked beside the one in use
) STRICT;

CREATE INDEX decision_by_time ON decision (at_ms);

-- How much each of these models has answered so far, whatever is kept of it.
CREATE TABLE model_tally (
  model     TEXT PRIMARY KEY,            -- SHA-256 of its file
  decisions INTEGER NOT NULL DEFAULT 0,  -- that held
  shadow    INTEGER NOT NULL DEFAULT 0,  -- as a shadow
  compared  INTEGER NOT NULL DEFAULT 0,  -- of these, with the answer of the one in use
  agreed    INTEGER NOT NULL DEFAULT 0   -- of those, on the rule
) STRICT;

PRAGMA application_id = 1213813837;  -- 'HYTM'
PRAGMA user_version = 3;
