//! Whole rooms under virtual time.

mod activity;
mod attachments;
mod calls;
mod calls_noted;
mod conversations;
mod direct;
mod exported;
mod features;
mod file_timeouts;
mod files;
mod hostile;
mod kept;
mod lost;
mod mesh;
mod networks;
mod no_path;
mod presence;
mod programs;
mod questions;
mod scenes;
mod status;
mod unsaid;
mod values;
mod world;
