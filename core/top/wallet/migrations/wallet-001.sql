-- wallet.db, version 1: everything personal. Opened by the user only; the key is random and wrapped in key slots.

-- The account at central. One row. `key_id` names the account key inside the platform's key store; its private half never comes here.
CREATE TABLE account (
  only           INTEGER PRIMARY KEY CHECK (only = 1),
  key_id         TEXT NOT NULL,
  public_key     BLOB NOT NULL,             -- SEC1 point, P-256
  account        TEXT,                      -- opaque account id, from activation
  level          INTEGER,
  access_token   TEXT,
  refresh_token  TEXT,
  expires_at     INTEGER,                   -- Unix seconds, of the access token
  ended          INTEGER NOT NULL DEFAULT 0 -- another device took over
) STRICT;

-- The activation under way, or the last one. One row; every step is written before the next begins.
CREATE TABLE activation (
  only           INTEGER PRIMARY KEY CHECK (only = 1),
  step           TEXT NOT NULL,
  session        TEXT NOT NULL,
  account        TEXT NOT NULL,
  nonce          BLOB NOT NULL,             -- 32 bytes, from central
  opened_at      INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  evidence       BLOB,                      -- chip evidence, CBOR; erased when activation is complete
  wallet_facts   TEXT NOT NULL DEFAULT '[]',
  central_facts  TEXT NOT NULL DEFAULT '[]',
  tries_left     INTEGER,
  offer          TEXT                       -- OpenID4VCI credential offer, JSON
) STRICT;

-- Documents by type id. `attributes` is the JSON map field id -> value of the newest verified batch.
CREATE TABLE document (
  id             TEXT PRIMARY KEY,
  state          TEXT NOT NULL,
  as_of          INTEGER NOT NULL,
  attributes     TEXT,
  issued_at      INTEGER
) STRICT;

-- A batch being issued: the journal. The row lives from the moment the keys exist until their copy sets are stored, in one transaction.
CREATE TABLE batch (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  document       TEXT NOT NULL UNIQUE,
  challenge      TEXT NOT NULL,             -- wallet provider's, answered by the evidence
  evidence       BLOB NOT NULL,
  registered     INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL
) STRICT;
CREATE TABLE batch_key (
  batch          INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
  position       INTEGER NOT NULL,
  key_id         TEXT NOT NULL,
  public_key     BLOB NOT NULL,
  PRIMARY KEY (batch, position)
) STRICT;

-- One holder key, one mdoc, one SD-CWT. Showing either spends both; a spent row keeps no credential.
CREATE TABLE copy_set (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  document       TEXT NOT NULL REFERENCES document (id),
  key_id         TEXT NOT NULL UNIQUE,
  public_key     BLOB NOT NULL,
  mdoc           BLOB,
  sd_cwt         BLOB,
  valid_from     INTEGER NOT NULL,
  valid_until    INTEGER NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('fresh', 'reserved', 'spent')),
  CHECK (state = 'spent' OR (mdoc IS NOT NULL AND sd_cwt IS NOT NULL))
) STRICT;
CREATE INDEX copy_set_by_state ON copy_set (document, state, valid_until);

-- Keys whose copies are gone, until the platform's key store has deleted them.
CREATE TABLE dead_key (
  key_id         TEXT PRIMARY KEY
) STRICT;

-- Who was shown what. No disclosed values. `outcome` is NULL between the intent and the end of the act.
CREATE TABLE consent (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  at             INTEGER NOT NULL,
  request_hash   BLOB NOT NULL,
  request        BLOB NOT NULL,             -- the verifier's signed request, as it arrived
  organisation   TEXT NOT NULL,             -- empty when the request was not verified
  role           TEXT NOT NULL,
  device         TEXT NOT NULL,
  place          TEXT NOT NULL,
  purpose        TEXT NOT NULL,
  legal_basis    TEXT NOT NULL,
  retention_hours INTEGER NOT NULL,
  document       TEXT NOT NULL,
  fields         TEXT NOT NULL,             -- JSON list of field ids
  copy_set       INTEGER,
  outcome        TEXT CHECK (outcome IN ('shown', 'declined', 'failed')),
  reason         TEXT NOT NULL DEFAULT ''   -- name of the failed fact, or a static word
) STRICT;
CREATE INDEX consent_by_time ON consent (at);

-- Requests that had their one answer; kept until the request is stale anyway.
CREATE TABLE answered (
  request_hash   BLOB PRIMARY KEY,
  expires_at     INTEGER NOT NULL
) STRICT;

-- What the change feed told, for the citizen to read.
CREATE TABLE notice (
  seq            INTEGER PRIMARY KEY,       -- the feed's own number
  document       TEXT NOT NULL,
  kind           TEXT NOT NULL,
  at             INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
  name           TEXT PRIMARY KEY,
  value          TEXT NOT NULL
) STRICT;
