//! Puts AWS-LC's headers and ours into one folder and tells `libsqlite3-sys` where it is (`DEP_OPENSSL_INCLUDE`).

use std::path::{Path, PathBuf};
use std::{env, fs, io};

type Told = Result<(), Box<dyn std::error::Error>>;

/// The last header of AWS-LC that SQLCipher includes; ours is included at its end.
const AFTER: &str = "openssl/hmac.h";

fn main() -> Told {
    let ours = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("include/evp_mac.h");
    println!("cargo:rerun-if-changed={}", ours.display());
    let theirs = aws_lc()?;
    println!("cargo:rerun-if-changed={}", theirs.display());

    let include = PathBuf::from(env::var("OUT_DIR")?).join("include");
    if include.exists() {
        fs::remove_dir_all(&include)?;
    }
    copy(&theirs, &include)?;
    fs::copy(&ours, include.join("openssl/evp_mac.h"))?;
    let host = include.join(AFTER);
    let text = fs::read_to_string(&host)?;
    fs::remove_file(&host)?;
    fs::write(&host, format!("{text}\n#include <openssl/evp_mac.h>\n"))?;

    println!("cargo:include={}", include.display());
    Ok(())
}

/// Where AWS-LC's own build script put the headers that belong to the library it built (symbols carry a prefix with its version).
fn aws_lc() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let found: Vec<PathBuf> = env::vars()
        .filter(|(name, _)| name.starts_with("DEP_AWS_LC_") && name.ends_with("_INCLUDE"))
        .map(|(_, folder)| PathBuf::from(folder))
        .collect();
    if env::vars().any(|(name, kind)| name.starts_with("DEP_AWS_LC_") && name.ends_with("_LINK_KIND") && kind != "static") {
        return Err("AWS-LC is not the one built from its sources".into());
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(format!("expected the headers of one AWS-LC, found {}", found.len()).into()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() { copy(&source, &target)? } else { fs::copy(&source, &target).map(drop)? }
    }
    Ok(())
}
