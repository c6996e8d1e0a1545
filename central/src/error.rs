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
    /// A stored key, certificate or configuration is unusable.
    #[error("stored data is damaged: {0}")]
    Damaged(&'static str),
    /// A signature, certificate or token could not be made.
    #[error("cannot make {0}")]
    Issue(&'static str),
    /// What an administrator asked for does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
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
        Self::Database(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "busy",
            Some(ErrorCode::ConstraintViolation) => "constraint",
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => "not a database or corrupt",
            Some(ErrorCode::DiskFull) => FULL,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => "cannot be opened",
            _ => "refused",
        })
    }
}

/// What the database says when there is no room.
const FULL: &str = "disk full";

impl CentralError {
    /// Whether the disk is full: nothing is wrong with the request, and it may be sent again.
    pub(crate) fn is_full(&self) -> bool {
        use std::io::ErrorKind;
        match self {
            Self::Database(what) => *what == FULL,
            Self::Io { kind, .. } => matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
            _ => false,
        }
    }
}

/// An answer other than success: status, RFC 6749-style code, safe description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `error` member.
    pub code: &'static str,
    /// `error_description` member.
    pub description: &'static str,
}

impl ApiError {
    /// An error answer.
    pub const fn new(status: u16, code: &'static str, description: &'static str) -> Self {
        Self { status, code, description }
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
        // RFC 4918, 11.5: insufficient storage. It passes once somebody made room, and the log says what to do.
        if error.is_full() { Self::new(507, "storage_full", "the service has no room") } else { Self::server() }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        CentralError::from(error).into()
    }
}
