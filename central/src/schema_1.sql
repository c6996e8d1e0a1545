-- Times are Unix seconds. `citizen` is the personal number in the registry. Hashes are SHA-256.

CREATE TABLE accounts (
  citizen      TEXT PRIMARY KEY,
  account      TEXT,             -- opaque id of the latest completed activation
  level        INTEGER NOT NULL DEFAULT 0,
  device_epoch INTEGER NOT NULL DEFAULT 0,
  device_key   TEXT,             -- JWK
  thumbprint   BLOB,
  activated_at INTEGER
) WITHOUT ROWID;

CREATE TABLE documents (
  citizen  TEXT NOT NULL,
  document TEXT NOT NULL,
  state    TEXT NOT NULL,        -- valid, suspended, revoked
  as_of    INTEGER NOT NULL,
  PRIMARY KEY (citizen, document)
) WITHOUT ROWID;

CREATE TABLE changes (
  citizen  TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  document TEXT NOT NULL,
  kind     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (citizen, seq)
) WITHOUT ROWID;

CREATE TABLE notices (
  citizen    TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  thumbprint BLOB,               -- the device that is told
  at         INTEGER NOT NULL,
  PRIMARY KEY (citizen, seq)
) WITHOUT ROWID;

-- A session begins before the citizen is known; it is short-lived.
CREATE TABLE sessions (
  id            TEXT PRIMARY KEY,
  account       TEXT NOT NULL UNIQUE,
  nonce         BLOB NOT NULL,
  action        TEXT NOT NULL,
  device_key    TEXT NOT NULL,
  thumbprint    BLOB NOT NULL,
  opened_at     INTEGER NOT NULL,
  citizen       TEXT,
  epoch         INTEGER,         -- device_epoch seen when the chip was verified
  facts         TEXT NOT NULL DEFAULT '[]',
  face          BLOB,            -- picture of DG2, until the face was compared
  face_type     TEXT,
  chip_tries    INTEGER NOT NULL DEFAULT 0,
  chip_at       INTEGER,
  code_hash     BLOB,
  code_until    INTEGER,
  code_sends    INTEGER NOT NULL DEFAULT 0,
  code_tries    INTEGER NOT NULL DEFAULT 0,
  code_at       INTEGER,
  face_tries    INTEGER NOT NULL DEFAULT 0,
  face_at       INTEGER,
  completed_at  INTEGER,
  offer_number  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_citizen ON sessions (citizen);

CREATE TABLE evidence (
  citizen    TEXT NOT NULL,
  id         INTEGER NOT NULL,
  session    TEXT NOT NULL,
  account    TEXT NOT NULL,
  thumbprint BLOB NOT NULL,
  evidence   BLOB NOT NULL,
  sha256     BLOB NOT NULL UNIQUE,
  at         INTEGER NOT NULL,
  PRIMARY KEY (citizen, id)
);
CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TABLE offers (
  citizen TEXT NOT NULL,
  hash    BLOB NOT NULL UNIQUE,
  session TEXT NOT NULL,
  epoch   INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (citizen, hash)
) WITHOUT ROWID;

CREATE TABLE tokens (
  citizen    TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,
  kind       TEXT NOT NULL,      -- access, refresh
  epoch      INTEGER NOT NULL,
  thumbprint BLOB NOT NULL,      -- of the DPoP key
  until      INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (citizen, hash)
) WITHOUT ROWID;

CREATE TABLE dpop_seen (hash BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX dpop_seen_until ON dpop_seen (until);

CREATE TABLE challenges (
  citizen TEXT NOT NULL,
  hash    BLOB NOT NULL,
  until   INTEGER NOT NULL,
  PRIMARY KEY (citizen, hash)
) WITHOUT ROWID;

CREATE TABLE holder_keys (
  citizen       TEXT NOT NULL,
  thumbprint    BLOB NOT NULL UNIQUE,
  epoch         INTEGER NOT NULL,
  evidence_kind TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  document      TEXT,            -- set by the first credential for this key, for ever
  PRIMARY KEY (citizen, thumbprint)
) WITHOUT ROWID;

-- One issued credential. `credential` is kept so that a phone that died mid-issuance receives the same bytes again.
CREATE TABLE copies (
  citizen    TEXT NOT NULL,
  document   TEXT NOT NULL,
  thumbprint BLOB NOT NULL,
  format     TEXT NOT NULL,
  epoch      INTEGER NOT NULL,
  week       TEXT NOT NULL,
  idx        INTEGER NOT NULL,
  issued_at  INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  ended      INTEGER NOT NULL DEFAULT 0,
  credential BLOB NOT NULL,
  PRIMARY KEY (citizen, document, thumbprint, format)
) WITHOUT ROWID;
CREATE UNIQUE INDEX copies_index ON copies (document, week, idx);

CREATE TABLE status_lists (
  document  TEXT NOT NULL,
  week      TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  token     BLOB NOT NULL,
  PRIMARY KEY (document, week)
) WITHOUT ROWID;

-- Every index ever handed out; it stays taken for as long as its list exists.
CREATE TABLE status_entries (
  document TEXT NOT NULL,
  week     TEXT NOT NULL,
  idx      INTEGER NOT NULL,
  status   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (document, week, idx)
) WITHOUT ROWID;

CREATE TABLE staff_codes (
  hash         BLOB PRIMARY KEY,
  role         TEXT NOT NULL,
  organisation TEXT NOT NULL,
  place        TEXT NOT NULL,
  until        INTEGER NOT NULL,
  used_at      INTEGER
) WITHOUT ROWID;

CREATE TABLE staff_devices (
  certificate_hash BLOB PRIMARY KEY,
  role             TEXT NOT NULL,
  organisation     TEXT NOT NULL,
  place            TEXT NOT NULL,
  issued_at        INTEGER NOT NULL,
  expires          INTEGER NOT NULL
) WITHOUT ROWID;
