//! Display models of the core as lines of a terminal, in English.
use wallet_bindings::display::{DisplayItemView, DisplayValueView, DisplayView};

/// The language of this program's own terminal.
const LANGUAGE: &str = "en";

/// The word for a key of the catalogue.
pub fn word(key: &str) -> String {
    wallet_bindings::display::word(key.to_owned(), LANGUAGE.to_owned())
}

/// Labels and values, in order.
pub fn lines(view: &DisplayView) -> Vec<(String, String)> {
    view.groups.iter().flat_map(|group| &group.items).map(line).collect()
}

fn line(item: &DisplayItemView) -> (String, String) {
    let value = match &item.value {
        DisplayValueView::Text { text } => text.clone(),
        DisplayValueView::Key { key } => word(key),
        DisplayValueView::Image { media_type, bytes } => format!("({media_type}, {} bytes)", bytes.len()),
    };
    (word(&item.label), value)
}
