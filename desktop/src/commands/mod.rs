//! The commands beside the demo.
pub mod central;
pub mod chip;
mod ledger;
pub mod officer;
mod officer_socket;
pub mod wallet;

use std::io::BufRead;

use zeroize::Zeroizing;

use crate::trouble::Trouble;

/// A secret of the command line: itself, or one line of standard input when it is `-`.
pub fn secret(given: &str, what: &str) -> Result<Zeroizing<String>, Trouble> {
    if given != "-" {
        return Ok(Zeroizing::new(given.to_owned()));
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Trouble::outside("reading standard input", e))?;
    let text = line.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Trouble::usage(format!("no {what} on standard input")));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Makes a folder that only its owner can read, unless it is there already.
pub fn make_folder(dir: &std::path::Path) -> Result<(), Trouble> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| Trouble::outside(&format!("making the folder {}", dir.display()), e))
}
