//! QR codes: drawing, decoding, and saying what a text is.

use wallet_exchange::Scanned;
use wallet_exchange::qr_decode;

use crate::error::WalletError;
use crate::wipe;

/// A QR code symbol.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QrSymbol {
    /// Modules of one side, without the quiet zone.
    pub width: u32,
    /// Row by row, true for dark; `width * width` of them.
    pub modules: Vec<bool>,
    /// A PNG picture with its quiet zone.
    pub png: Vec<u8>,
    /// Lines of text for a terminal.
    pub terminal: String,
}

const PIXELS_PER_MODULE: usize = 6;

/// What a scanned text is, by its beginning alone; nothing is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ScannedKind {
    /// A checker's request.
    Request,
    /// A wallet's encrypted answer.
    Answer,
    /// A one-way code.
    OneWay,
    /// One of several frames.
    Frame,
    /// The unsigned text printed on a citizen card; it proves nothing.
    VneidCardQr,
    /// Anything else.
    Foreign,
}

/// Says what a text is.
#[uniffi::export]
pub fn classify(text: String) -> ScannedKind {
    match wipe::after(|| wallet_exchange::classify(&text)) {
        Scanned::Request => ScannedKind::Request,
        Scanned::Answer => ScannedKind::Answer,
        Scanned::OneWay => ScannedKind::OneWay,
        Scanned::Frame => ScannedKind::Frame,
        Scanned::VneidCardQr => ScannedKind::VneidCardQr,
        Scanned::Foreign => ScannedKind::Foreign,
    }
}

/// Draws a request or an answer as a symbol in alphanumeric mode.
#[uniffi::export]
pub fn qr_draw(text: String) -> Result<QrSymbol, WalletError> {
    let symbol = wallet_exchange::draw(&text)?;
    let width = u32::try_from(symbol.width()).map_err(|_| WalletError::Internal)?;
    Ok(QrSymbol { width, modules: symbol.modules().to_vec(), png: symbol.to_png(PIXELS_PER_MODULE)?, terminal: symbol.to_terminal() })
}

/// The texts of all QR codes in a PNG picture.
#[uniffi::export]
pub fn qr_decode_png(bytes: Vec<u8>) -> Result<Vec<String>, WalletError> {
    Ok(wipe::after(|| qr_decode::decode_png(&bytes))?)
}

/// The texts of all QR codes in a camera frame: luminance, row by row.
#[uniffi::export]
pub fn qr_decode_luma(width: u32, height: u32, luma: Vec<u8>) -> Result<Vec<String>, WalletError> {
    let side = |pixels: u32| usize::try_from(pixels).map_err(|_| WalletError::invalid("picture"));
    let (width, height) = (side(width)?, side(height)?);
    Ok(wipe::after(|| qr_decode::decode_luma(width, height, &luma))?)
}
