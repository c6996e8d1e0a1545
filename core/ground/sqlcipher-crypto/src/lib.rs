//! SQLCipher's cryptography: AWS-LC, which the HTTP client brings anyway.
//!
//! Nothing here is called from Rust. `libsqlite3-sys` (feature `bundled-sqlcipher-vendored-openssl`) links a crate of this name and compiles
//! SQLCipher against the headers that its build script names. Ours names AWS-LC's, with `include/evp_mac.h` beside them: the one group of
//! functions of OpenSSL 3 that SQLCipher calls and AWS-LC does not have. The file format is unchanged (ADR 15).

// Links the code to the headers.
extern crate aws_lc_rs as _;
