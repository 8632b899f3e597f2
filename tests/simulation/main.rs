//! Whole rooms under virtual time.

mod hostile;
mod hostile_values;
mod mesh;
mod presence;
mod questions;
mod programs;
mod values;
mod world;
