//! Display models: what a shell shows, without knowing what it is about.
//!
//! Groups of items in order; every title and label is a catalogue key ([`crate::words`]), every value a text, a key or a picture. Documents
//! ([`display()`]), verdicts ([`verdict()`]), steps of long work ([`steps()`]) and problems ([`problem()`]) all have this one shape, so that a shell draws
//! each of them with one renderer and a fifth document type needs no new screen.

mod document;
mod problem;
mod steps;
mod verdict;

use std::borrow::Cow;

pub use document::{GROUPS, VALUE_KEYS, display, format_date, format_moment, warnings};
pub use problem::{Action, Detail, PROBLEM_IDS, ProblemModel, problem};
pub use steps::{StepState, steps};
pub use verdict::verdict;

/// A catalogue key.
pub type Key = Cow<'static, str>;

/// How an item is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemRole {
    /// A label and a value.
    Plain,
    /// The first thing to read.
    Title,
    /// Covered until the holder asks for it.
    Secret,
    /// Something is wrong: over, used up, no longer valid, refused.
    Warning,
    /// The picture to compare a face with.
    Portrait,
    /// A step that is behind.
    Done,
    /// The step at hand.
    Current,
    /// A step to come.
    Todo,
}

/// What stands beside a label.
#[derive(Clone, PartialEq, Eq)]
pub enum DisplayValue {
    /// Text of the document, already formatted.
    Text(String),
    /// A catalogue key.
    Key(Key),
    /// A picture.
    Image {
        /// Media type.
        media_type: &'static str,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl std::fmt::Debug for DisplayValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
            Self::Image { media_type, .. } => f.debug_tuple("Image").field(media_type).finish(),
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayItem {
    /// Field id, fact name or step; empty for a remark.
    pub field: Key,
    /// Catalogue key of the label; empty when the value speaks for itself.
    pub label: Key,
    /// The value.
    pub value: DisplayValue,
    /// How to show it.
    pub role: ItemRole,
}

impl DisplayItem {
    /// A label and a text.
    pub fn text(label: impl Into<Key>, text: impl Into<String>) -> Self {
        Self { field: Key::default(), label: label.into(), value: DisplayValue::Text(text.into()), role: ItemRole::Plain }
    }

    /// A label and a word of the catalogue.
    pub fn key(label: impl Into<Key>, key: impl Into<Key>) -> Self {
        Self { field: Key::default(), label: label.into(), value: DisplayValue::Key(key.into()), role: ItemRole::Plain }
    }

    /// The same in another role.
    #[must_use]
    pub fn with(self, role: ItemRole) -> Self {
        Self { role, ..self }
    }

    /// The same as a warning when something is wrong with it.
    #[must_use]
    pub fn warn_if(self, wrong: bool) -> Self {
        if wrong { self.with(ItemRole::Warning) } else { self }
    }

    /// The same with an id.
    #[must_use]
    pub fn named(self, field: impl Into<Key>) -> Self {
        Self { field: field.into(), ..self }
    }
}

/// Lines that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayGroup {
    /// Catalogue key of the title; empty when the group needs none.
    pub title: Key,
    /// The lines, in order.
    pub items: Vec<DisplayItem>,
}

impl DisplayGroup {
    /// A group.
    pub fn new(title: impl Into<Key>, items: Vec<DisplayItem>) -> Self {
        Self { title: title.into(), items }
    }
}

/// What is shown of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayModel {
    /// What it is about: a document type id, a colour, a problem id, a word.
    pub id: Key,
    /// Catalogue key of its name.
    pub title: Key,
    /// The groups, in order; none is empty.
    pub groups: Vec<DisplayGroup>,
}

impl DisplayModel {
    /// A model; empty groups are left out.
    pub fn new(id: impl Into<Key>, title: impl Into<Key>, groups: Vec<DisplayGroup>) -> Self {
        Self { id: id.into(), title: title.into(), groups: groups.into_iter().filter(|group| !group.items.is_empty()).collect() }
    }

    /// Every catalogue key the model uses.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.title.as_ref())
            .chain(self.groups.iter().flat_map(|group| {
                std::iter::once(group.title.as_ref()).chain(group.items.iter().flat_map(|item| {
                    let value = match &item.value {
                        DisplayValue::Key(key) => Some(key.as_ref()),
                        _ => None,
                    };
                    std::iter::once(item.label.as_ref()).chain(value)
                }))
            }))
            .filter(|key| !key.is_empty())
    }
}
