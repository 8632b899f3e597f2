//! Whole rooms under virtual time.

mod files;
mod hostile;
mod hostile_values;
mod mesh;
mod presence;
mod programs;
mod questions;
mod values;
mod world;
