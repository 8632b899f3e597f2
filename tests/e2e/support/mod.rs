//! What the scenarios are made of.

mod browsers;
mod harness;
mod page;
mod site;
mod tab;

pub use browsers::Browser;
pub use harness::{Bed, run};
pub use page::Page;
pub use site::{DEFAULT_ROOM, settings};
pub use tab::Tab;
