-- What was signed last, so that a clock set back is noticed (`clock.rs`). One row.
CREATE TABLE latest_time (only INTEGER PRIMARY KEY CHECK (only = 1), at INTEGER NOT NULL);
INSERT INTO latest_time (only, at)
  SELECT 1, MAX(COALESCE((SELECT MAX(issued_at) FROM status_lists), 0), COALESCE((SELECT MAX(issued_at) FROM copies), 0),
                COALESCE((SELECT MAX(at) FROM evidence), 0));

-- A notice is told by a message as well; one that was not delivered is tried again.
ALTER TABLE notices ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN told_at INTEGER;
ALTER TABLE notices ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;
UPDATE notices SET told_at = at;
CREATE INDEX notices_untold ON notices (claimed_until) WHERE told_at IS NULL;

-- A desk that saw the person gives the day's tries again.
CREATE TABLE tries_given (citizen TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (citizen, at)) WITHOUT ROWID;

-- For the sweep of what expired.
CREATE INDEX sessions_opened ON sessions (opened_at);
CREATE INDEX accounts_account ON accounts (account);
CREATE INDEX offers_until ON offers (until);
CREATE INDEX tokens_until ON tokens (until);
CREATE INDEX challenges_until ON challenges (until);
CREATE INDEX staff_codes_until ON staff_codes (until);
