//! A staff device among synthetic authorities: trust by a real TUF repository on disk, lists and credentials by the credential crate, the
//! citizen's side by hand.

mod answers;
mod carried;
mod checks;
mod kept_trust;
mod lists;
mod papers;
mod trust_files;
mod world;
