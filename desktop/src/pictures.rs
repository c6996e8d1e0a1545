//! QR codes as pictures: drawn to PNG files and to the terminal, read back from pixels.
use std::path::Path;

use wallet_bindings::qr;

use crate::device::at_border;
use crate::screen::Screen;
use crate::trouble::Trouble;

/// Pictures larger than this are not read.
const MAX_PICTURE: u64 = 16 << 20;

/// Draws `text` into the PNG file `path` and onto the screen.
pub fn draw(text: &str, path: &Path, screen: Screen) -> Result<(), Trouble> {
    let symbol = qr::qr_draw(text.to_owned()).map_err(|e| at_border("drawing a QR code", e))?;
    write_whole(path, &symbol.png)?;
    screen.say(&symbol.terminal);
    Ok(())
}

/// Whoever waits for the file sees it whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).map_err(|e| Trouble::outside("writing the picture", e))
}

/// Reads the one QR code of ours in a PNG file.
pub fn read(path: &Path) -> Result<String, Trouble> {
    let failed = |e| Trouble::usage(format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_PICTURE {
        return Err(Trouble::usage(format!("{}: too large for a picture of a QR code", path.display())));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let texts = qr::qr_decode_png(bytes).map_err(|_| Trouble::usage(format!("{}: not a PNG picture", path.display())))?;
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
