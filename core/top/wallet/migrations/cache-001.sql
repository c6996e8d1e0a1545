-- cache.db, version 1: signed public lists only; usable while the wallet is locked. Nothing in it names a citizen.

CREATE TABLE setting (
  name           TEXT PRIMARY KEY,
  value          TEXT NOT NULL
) STRICT;
