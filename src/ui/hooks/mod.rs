//! Browser functions that several views share.

pub mod clock;
pub mod history;
pub mod icon;
pub mod listen;
