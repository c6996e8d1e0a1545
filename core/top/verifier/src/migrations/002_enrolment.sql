-- An enrolment under way: the key that was made for a code, before anybody hears of it. An answer that is lost is asked for again with it.
CREATE TABLE enrolment (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    code_hash  BLOB NOT NULL CHECK (length(code_hash) = 32),
    key_id     TEXT NOT NULL,
    public_key BLOB NOT NULL
) STRICT;
