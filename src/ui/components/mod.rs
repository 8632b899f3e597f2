//! The views. Each one shows its properties and reports what the person does; none of them decides anything.

pub mod actions;
pub mod bar;
pub mod body;
pub mod composer;
pub mod empty;
pub mod icon;
pub mod log;
pub mod name_field;
mod parts;
pub mod people;
pub mod prompts;
pub mod room;
pub mod row;
mod scrolling;
pub mod sentence;
pub mod sheet;
pub mod welcome;
