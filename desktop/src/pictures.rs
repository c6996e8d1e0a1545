//! QR codes as pictures: drawn to PNG files and to the terminal, read back from pixels.
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use wallet_bindings::qr;

use crate::device::at_border;
use crate::screen::Screen;
use crate::trouble::Trouble;

/// Pictures larger than this are not read.
const MAX_PICTURE: u64 = 16 << 20;

/// A picture that is going to be written: its place is tried before anything is spent on its content, and whoever waits for the file sees it
/// whole or not at all.
pub struct Place {
    path: PathBuf,
    part: NamedTempFile,
}

impl Place {
    /// Opens a file beside `path`. Fails when nothing can be written there.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        let failed = |e: &dyn std::fmt::Display| Trouble::outside(&format!("writing {}", path.display()), e);
        if path.is_dir() {
            return Err(failed(&"this is a folder; name a file"));
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let part = tempfile::Builder::new().prefix(".picture-").suffix(".part").tempfile_in(folder);
        // What the system said, without the passing name of the part.
        let part = part.map_err(|e| failed(&std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string)))?;
        Ok(Self { path: path.to_owned(), part })
    }

    /// Draws `text` into the file as PNG and onto the screen.
    pub fn draw(mut self, text: &str, screen: Screen) -> Result<(), Trouble> {
        let symbol = qr::qr_draw(text.to_owned()).map_err(|e| at_border("drawing a QR code", e))?;
        let failed = |e: std::io::Error| Trouble::outside(&format!("writing {}", self.path.display()), e);
        self.part.write_all(&symbol.png).map_err(failed)?;
        self.part.persist(&self.path).map_err(|e| failed(e.error))?;
        screen.say(&symbol.terminal);
        Ok(())
    }
}

/// Draws `text` into the PNG file `path` and onto the screen.
pub fn draw(text: &str, path: &Path, screen: Screen) -> Result<(), Trouble> {
    Place::open(path)?.draw(text, screen)
}

/// Reads the one QR code of ours in a PNG file.
pub fn read(path: &Path) -> Result<String, Trouble> {
    let failed = |e| Trouble::usage(format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_PICTURE {
        return Err(Trouble::usage(format!("{}: too large for a picture of a QR code", path.display())));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let is_png = bytes.starts_with(b"\x89PNG");
    let texts = qr::qr_decode_png(bytes).map_err(|_| {
        Trouble::usage(format!(
            "{}: {}",
            path.display(),
            if is_png { "the PNG picture is too large or damaged" } else { "not a PNG picture" }
        ))
    })?;
    let mut texts = texts.into_iter();
    match (texts.next(), texts.next()) {
        (Some(text), None) => Ok(text),
        (None, _) => Err(Trouble::usage(format!("{}: no QR code can be read in this picture", path.display()))),
        (Some(_), Some(_)) => Err(Trouble::usage(format!("{}: several QR codes in one picture", path.display()))),
    }
}

/// Draws `text` and gives back what was read from the pixels of the file.
pub fn draw_and_read(text: &str, path: &Path, screen: Screen) -> Result<String, Trouble> {
    draw(text, path, screen)?;
    read(path)
}
