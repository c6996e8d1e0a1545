//! Display models at the border: ordered groups of labelled values; labels are keys of the catalogues.

use wallet_documents::display::{DisplayItem, DisplayModel, DisplayValue};
use wallet_documents::words::Language;

/// What stands beside a label.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DisplayValueView {
    /// Text of the document, already formatted.
    Text {
        /// The text.
        text: String,
    },
    /// A key of the catalogue.
    Key {
        /// The key.
        key: String,
    },
    /// A picture.
    Image {
        /// Media type.
        media_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayItemView {
    /// Field id, or empty for a remark.
    pub field: String,
    /// Catalogue key of the label.
    pub label: String,
    /// The value.
    pub value: DisplayValueView,
    /// How to show it: `plain`, `heading`, `secret`, `warning` or `portrait`.
    pub role: String,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayGroupView {
    /// Catalogue key of the title.
    pub title: String,
    /// The lines, in order.
    pub items: Vec<DisplayItemView>,
}

/// A document, or the disclosed part of one, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayView {
    /// Document type id.
    pub document: String,
    /// Catalogue key of the type's name.
    pub title: String,
    /// The groups, in order.
    pub groups: Vec<DisplayGroupView>,
}

impl From<&DisplayModel> for DisplayView {
    fn from(model: &DisplayModel) -> Self {
        let group = |group: &wallet_documents::display::DisplayGroup| DisplayGroupView {
            title: group.title.to_owned(),
            items: group.items.iter().map(DisplayItemView::from).collect(),
        };
        Self { document: model.document.to_owned(), title: model.title.to_owned(), groups: model.groups.iter().map(group).collect() }
    }
}

impl From<&DisplayItem> for DisplayItemView {
    fn from(item: &DisplayItem) -> Self {
        let value = match &item.value {
            DisplayValue::Text(text) => DisplayValueView::Text { text: text.clone() },
            DisplayValue::Key(key) => DisplayValueView::Key { key: (*key).to_owned() },
            DisplayValue::Image { media_type, bytes } => {
                DisplayValueView::Image { media_type: (*media_type).to_owned(), bytes: bytes.clone() }
            }
        };
        Self { field: item.field.to_owned(), label: item.label.to_owned(), value, role: item.role.as_str().to_owned() }
    }
}

/// The text of a catalogue key in a language (`vi`, `en` or a tag such as `vi-VN`); the key itself when the catalogue does not know it.
#[uniffi::export]
pub fn word(key: String, language: String) -> String {
    Language::from_tag(&language).text(&key)
}

/// A whole catalogue as JSON, for shells that render it themselves.
#[uniffi::export]
pub fn catalogue(language: String) -> String {
    Language::from_tag(&language).json().to_owned()
}
