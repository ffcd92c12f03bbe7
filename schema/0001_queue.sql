-- The queue, version 1. Applied by the master in one transaction; never edited after a release:
-- changes go into the next numbered file.
--
-- job_event is the truth: replaying it gives the queue. The other columns of job are what the
-- events add up to, for listings. Checksums (FNV-1a, 64 bits) find damage inside of values.
-- Times are milliseconds since 1970-01-01T00:00Z; 0 means "not yet" or "never".
-- Texts that are not UTF-8 are kept byte for byte; inside JSON they are {"hex": "..."}.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,  -- cluster_id, created_ms, epoch, next_sequence
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused, not even after a deletion
  uid          INTEGER NOT NULL,
  token        TEXT,                               -- of the submission; NULL: none
  user         TEXT NOT NULL,
  name         TEXT NOT NULL,
  queue        TEXT NOT NULL,
  spec         TEXT NOT NULL,                      -- JSON; what is left out has its default
  submit_ms    INTEGER NOT NULL,
  checksum     INTEGER NOT NULL,                   -- of the columns above

  phase        TEXT NOT NULL DEFAULT 'PENDING'
               CHECK (phase IN ('PENDING', 'LAUNCHING', 'RUNNING', 'ENDED')),
  outcome      TEXT CHECK ((outcome IS NULL) = (phase <> 'ENDED')),
  held         INTEGER NOT NULL DEFAULT 0,
  reason       TEXT NOT NULL DEFAULT '',
  attempts     INTEGER NOT NULL DEFAULT 0,
  restarts     INTEGER NOT NULL DEFAULT 0,
  started      INTEGER NOT NULL DEFAULT 0,         -- 1: some attempt started
  start_ms     INTEGER NOT NULL DEFAULT 0,         -- of the current or last attempt
  end_ms       INTEGER NOT NULL DEFAULT 0,
  start_reason TEXT NOT NULL DEFAULT 'immediate',
  node_names   TEXT NOT NULL DEFAULT '',           -- of the current or last attempt
  node_count   INTEGER NOT NULL DEFAULT 0,
  cores        INTEGER NOT NULL DEFAULT 0,
  exit_code    INTEGER NOT NULL DEFAULT 0,
  signal       INTEGER NOT NULL DEFAULT 0,
  user_cpu_ms  INTEGER NOT NULL DEFAULT 0,
  system_cpu_ms INTEGER NOT NULL DEFAULT 0,
  max_rss_kib  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX job_by_token ON job (uid, token) WHERE token IS NOT NULL;
CREATE INDEX job_live ON job (id) WHERE phase <> 'ENDED';
CREATE INDEX job_by_user ON job (user);

-- What only the node that runs the job needs. Read one at a time, when the job is launched.
CREATE TABLE job_payload (
  job               INTEGER PRIMARY KEY,
  script            BLOB NOT NULL,
  arguments         BLOB NOT NULL,  -- netstrings: "3:abc,2:de,"
  environment       BLOB NOT NULL,  -- netstrings
  working_directory BLOB NOT NULL,
  stdin_path        BLOB NOT NULL,
  stdout_path       BLOB NOT NULL,
  stderr_path       BLOB NOT NULL,
  append_output     INTEGER NOT NULL,
  umask             INTEGER NOT NULL,
  comment           BLOB NOT NULL,
  command_line      BLOB NOT NULL,
  checksum          INTEGER NOT NULL
) STRICT;

CREATE TABLE job_event (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of commits
  job      INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  detail   TEXT NOT NULL,                      -- JSON; of "submitted": '', see job.spec
  epoch    INTEGER NOT NULL,                   -- of the master that wrote it
  checksum INTEGER NOT NULL                    -- of job, at_ms, kind, detail
) STRICT;

CREATE INDEX job_event_by_job ON job_event (job);

-- The last word about each node, in the order in which they were first seen.
CREATE TABLE node (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  inventory    TEXT,                          -- JSON; NULL: never reported
  inventory_ms INTEGER NOT NULL DEFAULT 0,
  drained      INTEGER,                       -- NULL: nobody ever drained or resumed it
  reason       TEXT NOT NULL DEFAULT '',
  changed_by   TEXT NOT NULL DEFAULT '',
  changed_ms   INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO meta (key, value) VALUES
  ('cluster_id', lower(hex(randomblob(16)))),
  ('created_ms', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  ('epoch', 0),
  ('next_sequence', 1);

PRAGMA application_id = 1213808964;  -- 'HYAD'
PRAGMA user_version = 1;
