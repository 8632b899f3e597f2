//! The building blocks of the scenarios.

mod bot;
mod browsers;
mod cdn;
mod harness;
mod page;
mod site;
mod tab;

pub use bot::Bot;
pub use browsers::{Browser, NOWHERE};
pub use cdn::Cdn;
pub use harness::{Bed, run};
pub use page::Page;
pub use site::{GuardedSite, HeldSite, Host, page_of, serve, settings, with_script};
pub use tab::{KEPT, Tab};
