//! Whole rooms under virtual time.

mod hostile;
mod mesh;
mod presence;
mod world;
