//! The tables of a ledger (format version 2), and what refuses a change to them.
//!
//! Version 1 had neither tiles nor checkpoints: [`TREE_TABLES`] and [`TREE_TRIGGERS`] are what version 2
//! adds.

/// `PRAGMA application_id` of a ledger: "MTRL".
pub(super) const APPLICATION_ID: i32 = 0x4d54_524c;

/// `PRAGMA user_version`: the format that this program writes.
pub(super) const FORMAT_VERSION: u32 = 2;

/// The oldest format that this program reads; one opened for writing is brought to
/// [`FORMAT_VERSION`].
pub(super) const FORMAT_VERSION_MIN: u32 = 1;

/// Tables.
///
/// `leaves` and `contents`/`parts` are apart because leaves are never changed and parts can be
/// erased. Columns of `lookups` that would be long random texts are 64-bit keys (the first eight
/// bytes of a SHA-256): their indexes are a third of the size, and on an embedded store the pages of
/// random indexes are what a commit costs. What nearly every entry is (a prediction, a success) has
/// no index of its own: the index of times serves. A key that happens to be another's is told apart by the
/// part itself. Names, versions, users and labels are `terms`, so that rows and indexes stay narrow.
/// `parts.erased` holds the commitments of parts that were erased, `parts.salts` the salts of those
/// that were left when the secret went with them; both are NULL where nothing was erased.
/// `lookups_by_model` covers what usage reports read; it names `idx`, four bytes for each entry, so
/// that queries by model come in order without a sort.
pub(super) const TABLES: &str = "
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE head (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  size      INTEGER NOT NULL,
  root      BLOB NOT NULL,
  last_leaf BLOB NOT NULL,
  time_us   INTEGER NOT NULL,
  frontier  BLOB NOT NULL
);

CREATE TABLE leaves (
  idx  INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL,
  hash BLOB NOT NULL
);

CREATE TABLE contents (
  id    INTEGER PRIMARY KEY,
  key   INTEGER NOT NULL,
  hash  BLOB NOT NULL,
  form  INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE INDEX contents_by_key ON contents (key);

CREATE TABLE parts (
  idx      INTEGER PRIMARY KEY,
  secret   BLOB NOT NULL,
  checks   BLOB NOT NULL,
  raw      INTEGER NOT NULL,
  zstd     INTEGER NOT NULL,
  header   BLOB,
  input    INTEGER REFERENCES contents (id),
  output   BLOB,
  parties  BLOB,
  metadata BLOB,
  pipeline BLOB,
  error    BLOB,
  control  BLOB,
  erased   BLOB,
  salts    BLOB
);

CREATE TABLE terms (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);

CREATE TABLE lookups (
  idx           INTEGER PRIMARY KEY,
  time_ns       INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  status        INTEGER,
  model         INTEGER,
  version       INTEGER,
  user          INTEGER,
  label         INTEGER,
  latency_us    INTEGER,
  input         INTEGER,
  request_key   INTEGER,
  subject_key   INTEGER,
  session_key   INTEGER,
  input_mac_key INTEGER
);
CREATE INDEX lookups_by_time    ON lookups (time_ns);
CREATE INDEX lookups_by_kind    ON lookups (kind, time_ns) WHERE kind <> 1;
CREATE INDEX lookups_by_status  ON lookups (status, time_ns) WHERE status > 1;
CREATE INDEX lookups_by_model
  ON lookups (model, time_ns, idx, version, user, label, latency_us, kind) WHERE model IS NOT NULL;
CREATE INDEX lookups_by_version ON lookups (version, time_ns) WHERE version IS NOT NULL;
CREATE INDEX lookups_by_user    ON lookups (user, time_ns) WHERE user IS NOT NULL;
CREATE INDEX lookups_by_label   ON lookups (label, time_ns) WHERE label IS NOT NULL;
CREATE INDEX lookups_by_input   ON lookups (input, time_ns) WHERE input IS NOT NULL;
CREATE INDEX lookups_by_request ON lookups (request_key) WHERE request_key IS NOT NULL;
CREATE INDEX lookups_by_subject ON lookups (subject_key, time_ns) WHERE subject_key IS NOT NULL;
CREATE INDEX lookups_by_session ON lookups (session_key, time_ns) WHERE session_key IS NOT NULL;
CREATE INDEX lookups_by_mac     ON lookups (input_mac_key) WHERE input_mac_key IS NOT NULL;

CREATE TABLE producers (
  id       BLOB PRIMARY KEY,
  next_seq INTEGER NOT NULL,
  ended    INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What brings the table `parts` of a version 1 file to version 2.
pub(super) const ERASURE_COLUMNS: &str = "
ALTER TABLE parts ADD COLUMN erased BLOB;
ALTER TABLE parts ADD COLUMN salts BLOB;
";

/// Tables of proofs.
///
/// `root` is the root over the tile's hashes, and stands before them: the rows of a level are then
/// read without the pages that the hashes spill onto. A checkpoint's signature lines are rows of
/// their own because cosignatures come later; `n` is their order.
pub(super) const TREE_TABLES: &str = "
CREATE TABLE tiles (
  level  INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  root   BLOB NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (level, n)
) WITHOUT ROWID;

CREATE TABLE checkpoints (
  size INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE checkpoint_signatures (
  size INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (size, n)
) WITHOUT ROWID;
";

/// Append-only by trigger. Whoever can drop a trigger can edit a row all the same; `verify` finds it.
pub(super) const TRIGGERS: &str = "
CREATE TRIGGER leaves_no_update BEFORE UPDATE ON leaves BEGIN
  SELECT RAISE(ABORT, 'leaves are append-only'); END;
CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves BEGIN
  SELECT RAISE(ABORT, 'leaves are append-only'); END;
CREATE TRIGGER parts_no_update BEFORE UPDATE ON parts BEGIN
  SELECT RAISE(ABORT, 'parts are append-only'); END;
CREATE TRIGGER parts_no_delete BEFORE DELETE ON parts BEGIN
  SELECT RAISE(ABORT, 'parts are append-only'); END;
CREATE TRIGGER contents_no_update BEFORE UPDATE ON contents BEGIN
  SELECT RAISE(ABORT, 'contents are append-only'); END;
CREATE TRIGGER contents_no_delete BEFORE DELETE ON contents BEGIN
  SELECT RAISE(ABORT, 'contents are append-only'); END;
CREATE TRIGGER lookups_no_update BEFORE UPDATE ON lookups BEGIN
  SELECT RAISE(ABORT, 'lookups are append-only'); END;
CREATE TRIGGER lookups_no_delete BEFORE DELETE ON lookups BEGIN
  SELECT RAISE(ABORT, 'lookups are append-only'); END;
CREATE TRIGGER terms_no_update BEFORE UPDATE ON terms BEGIN
  SELECT RAISE(ABORT, 'terms are append-only'); END;
CREATE TRIGGER terms_no_delete BEFORE DELETE ON terms BEGIN
  SELECT RAISE(ABORT, 'terms are append-only'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN
  SELECT RAISE(ABORT, 'the head is never deleted'); END;
CREATE TRIGGER head_only_grows BEFORE UPDATE ON head WHEN NEW.size < OLD.size BEGIN
  SELECT RAISE(ABORT, 'the head only grows'); END;
";

/// As [`TRIGGERS`], for [`TREE_TABLES`].
pub(super) const TREE_TRIGGERS: &str = "
CREATE TRIGGER tiles_no_update BEFORE UPDATE ON tiles BEGIN
  SELECT RAISE(ABORT, 'tiles are append-only'); END;
CREATE TRIGGER tiles_no_delete BEFORE DELETE ON tiles BEGIN
  SELECT RAISE(ABORT, 'tiles are append-only'); END;
CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints BEGIN
  SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints BEGIN
  SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoint_signatures_no_update BEFORE UPDATE ON checkpoint_signatures BEGIN
  SELECT RAISE(ABORT, 'checkpoint signatures are append-only'); END;
CREATE TRIGGER checkpoint_signatures_no_delete BEFORE DELETE ON checkpoint_signatures BEGIN
  SELECT RAISE(ABORT, 'checkpoint signatures are append-only'); END;
";

/// The view for people's own SQL, with the seed document's columns. It runs in any SQLite from 3.38
/// on; where a part is stored compressed (`input_form`, `output_form` = 'zstd') its column is NULL
/// and `modeltrail show` gives the bytes.
pub(super) const VIEW: &str = "
CREATE VIEW ai_audit_logs AS
SELECT
  k.idx AS id,
  json_extract(CAST(p.parties AS TEXT), '$.request_id') AS request_id,
  json_extract(CAST(p.header AS TEXT), '$.occurred_at') AS timestamp,
  m.text AS model_name,
  v.text AS model_version,
  lower(hex(c.hash)) AS input_hash,
  CASE WHEN c.form = 0 THEN CAST(c.bytes AS TEXT) END AS input_data,
  CASE WHEN p.zstd & 8 = 0 THEN CAST(p.output AS TEXT) END AS output_data,
  u.text AS user_id,
  k.latency_us / 1000.0 AS latency_ms,
  CASE WHEN p.zstd & 32 = 0 THEN CAST(p.metadata AS TEXT) END AS metadata,
  l.text AS label,
  CASE k.status WHEN 1 THEN 'success' WHEN 2 THEN 'failure' WHEN 3 THEN 'unknown' END AS status,
  CASE WHEN c.form = 1 THEN 'zstd' WHEN c.form = 0 THEN 'plain' END AS input_form,
  CASE WHEN p.output IS NULL THEN NULL WHEN p.zstd & 8 THEN 'zstd' ELSE 'plain' END AS output_form
FROM lookups k
JOIN parts p ON p.idx = k.idx
LEFT JOIN contents c ON c.id = p.input
LEFT JOIN terms m ON m.id = k.model
LEFT JOIN terms v ON v.id = k.version
LEFT JOIN terms u ON u.id = k.user
LEFT JOIN terms l ON l.id = k.label
WHERE k.kind = 1;
";

/// Settings of every connection. `synchronous=FULL` fsyncs the write-ahead log at each commit;
/// `secure_delete` overwrites what is deleted; the cache is bounded so that memory stays flat at any
/// number of entries (negative: KiB).
pub(super) const SETTINGS: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA busy_timeout = 5000;
";
