//! Steps of long work as a display model: what is behind, what is at hand, what is to come.

use super::{DisplayGroup, DisplayItem, DisplayModel, ItemRole, Key};

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Behind.
    Done,
    /// At hand.
    Current,
    /// To come.
    Todo,
}

/// The catalogue keys of the states, for those who see no colour and no shape.
pub(crate) const STATES: [&str; 3] = ["step.state.done", "step.state.current", "step.state.todo"];

/// The model of some steps, each named by its catalogue key `step.<id>`.
pub fn steps(id: &'static str, title: &'static str, all: impl IntoIterator<Item = (&'static str, StepState)>) -> DisplayModel {
    let item = |(step, state): (&'static str, StepState)| {
        let (role, word) = match state {
            StepState::Done => (ItemRole::Done, STATES[0]),
            StepState::Current => (ItemRole::Current, STATES[1]),
            StepState::Todo => (ItemRole::Todo, STATES[2]),
        };
        DisplayItem::key(Key::Owned(format!("step.{step}")), word).named(step).with(role)
    };
    DisplayModel::new(id, title, vec![DisplayGroup::new("", all.into_iter().map(item).collect())])
}
