//! Splits a program in two: what the first message needs, and the rest, which comes while somebody reads already. Both share
//! memory, tables and globals.
//!
//! The first part calls a function of the rest through the table of functions. Until the rest is there, that place in the
//! table has a stub, which asks JavaScript for the rest (`embed/rest.js`) and calls again. The rest imports whatever it uses of
//! the first part. The files in `later/` list the functions of the rest by name; one that is in none of them stays in the first part,
//! so an old list makes a program larger, and not wrong.

mod journey;
mod plan;
mod program;
mod record;
mod write;

use std::collections::HashSet;

use anyhow::Result;

use plan::Plan;
use program::Program;
pub use record::{NAMES, names, record};
pub use write::LOAD;

/// Which functions go into the rest.
#[derive(Clone, Copy, Debug)]
pub enum Later {
    /// Those with these names, one in each line.
    Named(&'static str),
    /// None. Each tells its number when it is called.
    Recorded,
}

/// What comes later in the page and in the script tag.
pub const PAGE: Later = Later::Named(include_str!("later/page.txt"));
/// What comes later in the module.
pub const MODULE: Later = Later::Named(include_str!("later/module.txt"));

/// A program in two parts.
pub struct Parts {
    /// What is needed first.
    pub first: Vec<u8>,
    /// What can come later.
    pub rest: Vec<u8>,
}

/// Splits a program that has the names of its functions.
///
/// # Errors
/// If the program has a shape that wasm-bindgen and wasm-opt do not write.
pub fn split(bytes: &[u8], later: Later) -> Result<Parts> {
    let program = Program::read(bytes)?;
    let Later::Named(names) = later else {
        return record::instrument(&program);
    };
    let names: HashSet<&str> = names.lines().collect();
    let plan = Plan::new(&program, |name| names.contains(&*plain(name)));
    Ok(Parts {
        first: write::first(&program, &plan)?,
        rest: write::rest(&program, &plan)?,
    })
}

/// A function's name without the hashes of crates, which change with their versions: `[7465bde3817738a1]`.
fn plain(name: &str) -> String {
    let mut parts = name.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, after)) if is_hash(hash) => plain.push_str(after),
            _ => plain.extend(["[", part]),
        }
    }
    plain
}

fn is_hash(text: &str) -> bool {
    text.len() > 8 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
