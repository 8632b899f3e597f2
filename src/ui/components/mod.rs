//! The views. Each shows what it is given and says what people want; none decides anything.

pub mod bar;
pub mod composer;
pub mod empty;
pub mod icon;
pub mod log;
pub mod name_field;
pub mod people;
pub mod prompts;
pub mod room;
pub mod row;
pub mod sheet;
pub mod welcome;
