//! What several views need from the browser.

pub mod clock;
pub mod listen;
