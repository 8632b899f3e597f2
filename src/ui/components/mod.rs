//! The views. Each one shows its properties and reports what the person does; none of them decides anything.

pub mod actions;
pub mod attach;
pub mod bar;
pub mod body;
pub mod calls;
pub mod chooser;
pub mod composer;
pub mod empty;
pub mod file;
pub mod icon;
pub mod keeping;
pub mod log;
pub mod name_field;
mod parts;
pub mod people;
pub mod prompts;
pub mod room;
pub mod row;
mod scrolling;
pub mod search;
pub mod sentence;
pub mod sheet;
pub mod talks;
mod transfer;
pub mod welcome;
