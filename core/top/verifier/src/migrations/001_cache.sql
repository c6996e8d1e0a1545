-- cache.db of a verifier: signed public lists and this device's own papers. Nothing of any citizen.
CREATE TABLE staff (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    key_id      TEXT NOT NULL,
    certificate BLOB NOT NULL,
    place       TEXT NOT NULL
) STRICT;

-- Whole status lists as they arrived, verified before they were stored.
CREATE TABLE status_list (
    uri        TEXT PRIMARY KEY,
    token      BLOB NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER,
    fetched_at INTEGER NOT NULL
) STRICT;

-- SHA-256 of requests that had their answer: an answer is taken once, also across restarts.
CREATE TABLE consumed_request (
    request_hash BLOB PRIMARY KEY CHECK (length(request_hash) = 32),
    consumed_at  INTEGER NOT NULL
) STRICT;

-- The clock's anchor.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
