//! Display models of the core as lines of a terminal, in English.
use serde::{Deserialize, Serialize};
use wallet_bindings::display::{DisplayItemView, DisplayValueView, DisplayView};

/// The language of this program's own terminal.
const LANGUAGE: &str = "en";

/// The word for a key of the catalogue.
pub fn word(key: &str) -> String {
    wallet_bindings::display::word(key.to_owned(), LANGUAGE.to_owned())
}

/// One value of a field as it is shown. A field with several values has a line for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldLine {
    /// Field id, for example `privileges`.
    pub field: String,
    /// Its label in English.
    pub label: String,
    /// The value.
    pub value: String,
}

/// The label of a field id; the id itself when the catalogue has none.
pub fn label_of(field: &str) -> String {
    let key = format!("field.{field}");
    let label = word(&key);
    if label == key || label.is_empty() { field.to_owned() } else { label }
}

/// What an officer is told of fields that were asked for and not shown; nothing when all were.
pub fn not_shown(withheld: &[String]) -> Option<String> {
    let labels: Vec<String> = withheld.iter().map(|field| label_of(field)).collect();
    (!labels.is_empty()).then(|| format!("Not shown: {}", labels.join(", ")))
}

/// Labels and values, in order.
pub fn lines(view: &DisplayView) -> Vec<FieldLine> {
    view.groups.iter().flat_map(|group| &group.items).map(line).collect()
}

fn line(item: &DisplayItemView) -> FieldLine {
    let value = match &item.value {
        DisplayValueView::Text { text } => text.clone(),
        DisplayValueView::Key { key } => word(key),
        DisplayValueView::Image { media_type, bytes } => format!("({media_type}, {} bytes)", bytes.len()),
    };
    FieldLine { field: item.field.clone(), label: word(&item.label), value }
}
