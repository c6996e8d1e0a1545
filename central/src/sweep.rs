//! Deletes what expired and proves nothing: offers, challenges, used proofs, tokens, codes, sessions. Evidence, accounts, documents, changes, notices
//! and staff devices stay. Each transaction deletes a bounded number of rows, so that nobody waits long for it.

use rusqlite::{Connection, params};
use wallet_base::time::Timestamp;

use crate::activation::KEEP;
use crate::config::DAY;
use crate::db;
use crate::error::CentralError;
use crate::tokens::REFRESH_LIFE;

/// Rows of one table that one transaction deletes.
const ROWS: i64 = 500;
/// Transactions of one sweep; the rest waits for the next.
const ROUNDS: usize = 40;

/// `?1` is now, `?2` the number of rows, `?3` the end of what is kept.
const STATEMENTS: [(&str, i64); 7] = [
    // `iat` refuses the proof from here on.
    ("DELETE FROM dpop_seen WHERE hash IN (SELECT hash FROM dpop_seen WHERE until < ?1 - ?3 LIMIT ?2)", 0),
    ("DELETE FROM challenges WHERE (citizen, hash) IN (SELECT citizen, hash FROM challenges WHERE until < ?1 - ?3 LIMIT ?2)", 0),
    ("DELETE FROM tokens WHERE (citizen, hash) IN (SELECT citizen, hash FROM tokens WHERE until < ?1 - ?3 LIMIT ?2)", 0),
    ("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE opened_at < ?1 - ?3 AND completed_at IS NULL LIMIT ?2)", KEEP),
    // The session of the present device stays: with it, a phone that lost its tokens asks for a new offer. That of a device that was replaced
    // stays as long as its tokens could have lived: it is what tells that phone that it was, however late it asks.
    (
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE completed_at < ?1 - ?3 AND NOT EXISTS (SELECT 1 FROM accounts
         WHERE accounts.citizen = sessions.citizen AND (accounts.account = sessions.account OR accounts.activated_at >= ?1 - ?3)) LIMIT ?2)",
        REFRESH_LIFE,
    ),
    // As long as sessions, so that a code that was used is told apart from one that never was.
    (
        "DELETE FROM offers WHERE (citizen, hash) IN (SELECT citizen, hash FROM offers WHERE until < ?1 - ?3 LIMIT ?2)",
        KEEP,
    ),
    // A week: who asks why a code is refused is told by what is in the database.
    ("DELETE FROM staff_codes WHERE hash IN (SELECT hash FROM staff_codes WHERE until < ?1 - ?3 LIMIT ?2)", 7 * DAY),
];

/// One sweep. `take` gives the connection for one transaction at a time, so that requests come in between.
pub(crate) fn sweep<G: std::ops::DerefMut<Target = Connection>>(now: Timestamp, take: impl Fn() -> G) -> Result<usize, CentralError> {
    let mut all = 0;
    for _ in 0..ROUNDS {
        let mut connection = take();
        let transaction = db::write(&mut connection)?;
        let mut most = 0;
        for (sql, keep) in STATEMENTS {
            let gone = transaction.prepare_cached(sql)?.execute(params![now.unix(), ROWS, keep])?;
            most = most.max(gone);
            all += gone;
        }
        transaction.commit()?;
        if i64::try_from(most).is_ok_and(|most| most < ROWS) {
            break;
        }
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn what_expired_goes_and_what_proves_stays() {
        let dir = tempfile::tempdir().unwrap();
        crate::keys::create_secret(dir.path(), "service", &wallet_base::random::OsRandom).unwrap();
        let connection = db::open(dir.path()).unwrap();
        let now = Timestamp::from_unix(1_790_000_000);
        let old = now.unix() - 30 * DAY;
        connection
            .execute_batch(&format!(
                "BEGIN;
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700) INSERT INTO dpop_seen SELECT i, {old} FROM n;
                 INSERT INTO dpop_seen VALUES (x'aa', {fresh});
                 INSERT INTO challenges VALUES ('c', x'01', {old}), ('c', x'02', {fresh});
                 INSERT INTO tokens VALUES ('c', x'01', 'access', 1, x'00', {old}, NULL), ('c', x'02', 'refresh', 1, x'00', {fresh}, NULL);
                 INSERT INTO offers VALUES ('c', x'01', 's', 1, {old}, NULL), ('c', x'02', 's', 1, {fresh}, NULL);
                 INSERT INTO staff_codes (hash, role, organisation, place, until, used_at) VALUES (x'01', 'r', 'o', 'p', {old}, NULL), (x'02', 'r', 'o', 'p', {fresh}, NULL);
                 INSERT INTO accounts (citizen, account, activated_at) VALUES ('c', 'present', {old}), ('d', 'later', {ancient} + 60);
                 INSERT INTO sessions (id, citizen, account, nonce, action, device_key, thumbprint, opened_at, completed_at) VALUES
                   ('1', 'c', 'present', x'00', 'a', '', x'00', {ancient}, {ancient}), ('2', 'c', 'former', x'00', 'a', '', x'00', {ancient}, {ancient}),
                   ('3', NULL, 'never', x'00', 'a', '', x'00', {old}, NULL), ('4', NULL, 'now', x'00', 'a', '', x'00', {fresh}, NULL),
                   ('5', 'd', 'forgotten', x'00', 'a', '', x'00', {ancient}, {ancient}), ('6', 'd', 'later', x'00', 'a', '', x'00', {ancient}, {ancient});
                 INSERT INTO evidence VALUES ('c', 1, '2', 'former', x'00', x'00', x'00', {old});
                 INSERT INTO notices (citizen, seq, kind, at) VALUES ('c', 1, 'device-replaced', {old});
                 INSERT INTO changes VALUES ('c', 1, 'd', 'issued', {old});
                 INSERT INTO staff_devices VALUES (x'00', 'r', 'o', 'p', {old}, {old});
                 COMMIT;",
                fresh = now.unix() + 60,
                ancient = now.unix() - 2 * REFRESH_LIFE,
            ))
            .unwrap();
        let connection = Mutex::new(connection);
        assert_eq!(sweep(now, || connection.lock().unwrap()).unwrap(), 1700 + 4 + 2);
        assert_eq!(sweep(now, || connection.lock().unwrap()).unwrap(), 0);
        let connection = connection.into_inner().unwrap();
        for (table, left) in [
            ("dpop_seen", 1),
            ("challenges", 1),
            ("tokens", 1),
            ("offers", 1),
            ("staff_codes", 1),
            ("sessions", 4),
            ("accounts", 2),
            ("evidence", 1),
            ("notices", 1),
            ("changes", 1),
            ("staff_devices", 1),
        ] {
            let count = connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(count, left, "{table}");
        }
    }
}
