//! Errors: [`CentralError`] inside and for the admin functions, [`ApiError`] at the HTTP border. Neither carries personal data or keys.

use thiserror::Error;

/// What can go wrong in the service or in an admin function.
#[derive(Debug, Error)]
pub enum CentralError {
    /// A file of the service's directory cannot be read or written.
    #[error("cannot {action} {file}: {kind}")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// Name of the file inside the service's directory.
        file: String,
        /// Kind of the operating system's error.
        kind: std::io::ErrorKind,
    },
    /// The database refused.
    #[error("database: {0}")]
    Database(&'static str),
    /// The database was made by a newer version of the service.
    #[error("the database is of a newer version")]
    NewerDatabase,
    /// The directory holds no service, or is already one.
    #[error("{0}")]
    Directory(&'static str),
    /// A ceremony with offline keys cannot be held like this; the text says what is missing. It names files and key ids, no secrets.
    #[error("{0}")]
    Ceremony(String),
    /// A stored key, certificate or configuration is unusable.
    #[error("stored data is damaged: {0}")]
    Damaged(&'static str),
    /// A signature, certificate or token could not be made.
    #[error("cannot make {0}")]
    Issue(&'static str),
    /// What an administrator asked for does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A word that is not in its table.
    #[error("no such {what}; there are {known}")]
    Unknown {
        /// What the word should be.
        what: &'static str,
        /// The words of the table.
        known: String,
    },
    /// The clock of this machine is behind what the service signed before.
    #[error(
        "the clock is {minutes} minutes behind what this service signed last; set the clock of this machine right (by network time) and start again; if it is right and was ahead before: central believe-clock"
    )]
    ClockBehind {
        /// By how much.
        minutes: i64,
    },
    /// An argument cannot be used.
    #[error("invalid {0}")]
    Invalid(&'static str),
    /// The TLS listener could not start.
    #[error("cannot listen: {0}")]
    Listen(std::io::ErrorKind),
}

impl From<rusqlite::Error> for CentralError {
    fn from(error: rusqlite::Error) -> Self {
        // The text of an SQLite error may hold a value of the statement; only its kind leaves.
        use rusqlite::ErrorCode;
        let Some(code) = error.sqlite_error_code() else {
            // A value of another type or form than was written.
            return Self::Database("a damaged row");
        };
        Self::Database(match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "busy",
            ErrorCode::ConstraintViolation => CONSTRAINT,
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => crate::db::DAMAGED,
            ErrorCode::DiskFull => "disk full: make room, and the service goes on by itself",
            ErrorCode::ReadOnly => "read-only: check the rights of the file and its folder",
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => "cannot be opened: check the rights of the file and its folder",
            ErrorCode::SystemIoFailure => "cannot be read or written: disk full, or failing",
            ErrorCode::OutOfMemory => "out of memory",
            _ => REFUSED,
        })
    }
}

/// A rule of the schema was broken: an error of the service, not of the disk.
const CONSTRAINT: &str = "constraint";
/// A statement was refused: an error of the service, not of the disk.
const REFUSED: &str = "refused";

/// An answer other than success: status, RFC 6749-style code, safe description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `error` member.
    pub code: &'static str,
    /// `error_description` member.
    pub description: &'static str,
    /// `Retry-After` in seconds, where trying again can help.
    pub retry_after: Option<u32>,
}

impl ApiError {
    /// An error answer.
    pub const fn new(status: u16, code: &'static str, description: &'static str) -> Self {
        Self { status, code, description, retry_after: None }
    }

    /// 503: nothing was done, and the same call is good later.
    pub const fn later(code: &'static str, description: &'static str, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(503, code, description) }
    }

    /// 429 `too_many_requests`.
    pub const fn too_many(seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(429, "too_many_requests", "too many requests from this address; try again later") }
    }

    /// 400 `invalid_request`.
    pub const fn invalid(description: &'static str) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// 400 `invalid_proof`.
    pub const fn proof(description: &'static str) -> Self {
        Self::new(400, "invalid_proof", description)
    }

    /// 500 `server_error`.
    pub const fn server() -> Self {
        Self::new(500, "server_error", "the service failed")
    }
}

impl From<CentralError> for ApiError {
    fn from(error: CentralError) -> Self {
        tracing::error!(%error, "request failed");
        match error {
            CentralError::Database(CONSTRAINT | REFUSED) => Self::server(),
            CentralError::Database(_) | CentralError::Io { .. } => {
                Self::later("storage", "the service cannot store or read at the moment; nothing was done", 30)
            }
            CentralError::ClockBehind { .. } => Self::later("clock_behind", "the clock of the service is wrong; nothing was done", 600),
            _ => Self::server(),
        }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        CentralError::from(error).into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn sqlite(code: std::ffi::c_int) -> ApiError {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some("secret".to_owned())).into()
    }

    #[test]
    fn bad_input_a_disk_that_fails_is_storage_and_a_rule_that_broke_is_not() {
        use rusqlite::ffi;
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_BUSY,
        ] {
            let error = sqlite(code);
            assert_eq!((error.status, error.code), (503, "storage"), "{code}");
            assert!(error.retry_after.is_some());
        }
        for code in [ffi::SQLITE_CONSTRAINT, ffi::SQLITE_ERROR] {
            assert_eq!((sqlite(code).status, sqlite(code).code), (500, "server_error"), "{code}");
        }
    }
}
