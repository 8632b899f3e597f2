//! The names of the functions in what people load. The published programs hold none, so a browser's stack gives numbers;
//! each build keeps the names in `target/symbols/`, and `cargo xtask stack` puts them into a stack.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project;

/// What stands before the number of a function in the stacks of all browsers.
const MARK: &str = ".wasm:wasm-function[";

/// The file for the names of a program's functions.
fn file(program: &Path) -> Result<PathBuf> {
    let folder = project::target().join("symbols");
    std::fs::create_dir_all(&folder)?;
    let name = program.file_stem().context("a program has no name")?;
    Ok(folder.join(name).with_extension("symbols"))
}

/// Keeps the names of a program's functions, which [`optimise`](crate::optimise::optimise) returned.
pub fn keep(program: &Path, names: &str) -> Result<()> {
    Ok(std::fs::write(file(program)?, names)?)
}

/// Puts the names of functions into a browser's stack.
///
/// # Errors
/// If the names of a program in it are not kept here, because it is of another build.
pub fn explain(stack: &str) -> Result<String> {
    let mut known = HashMap::new();
    explain_with(stack, |program| {
        if !known.contains_key(program) {
            let file = file(Path::new(&format!("{program}.wasm")))?;
            let names = std::fs::read_to_string(&file).with_context(|| {
                format!(
                    "{} is missing: the stack is of another build",
                    file.display()
                )
            })?;
            known.insert(program.to_owned(), names);
        }
        Ok(known[program].clone())
    })
}

/// `names` returns the text of a program's symbols, one `number:name` in each line.
fn explain_with(stack: &str, mut names: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut explained = String::new();
    for line in stack.lines() {
        explained.push_str(line);
        if let Some((before, after)) = line.split_once(MARK) {
            let program = before.rsplit('/').next().unwrap_or(before);
            let number = after.split(']').next().unwrap_or(after);
            let names = names(program)?;
            let mut functions = names.lines().filter_map(|name| name.split_once(':'));
            if let Some((_, name)) = functions.find(|(known, _)| *known == number) {
                explained.push_str("  ");
                explained.push_str(name);
            }
        }
        explained.push('\n');
    }
    Ok(explained)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_in_a_stack_get_their_names() {
        let stack = "RuntimeError: unreachable\n    at http://localhost/app-1_bg.wasm:wasm-function[12]:0x3f\n\
            @http://localhost/chat/app-1_bg.wasm:wasm-function[3]:0x1\nrun@http://localhost/boot.js:3:1";
        let names = |program: &str| {
            assert_eq!(program, "app-1_bg");
            Ok("3:<Room>::route\n12:alloc::vec::Vec<_>::push".to_owned())
        };
        let explained = explain_with(stack, names).unwrap();
        let lines: Vec<_> = explained.lines().collect();
        assert_eq!(lines[0], "RuntimeError: unreachable");
        assert!(lines[1].ends_with("[12]:0x3f  alloc::vec::Vec<_>::push"));
        assert!(lines[2].ends_with("[3]:0x1  <Room>::route"));
        assert_eq!(lines[3], "run@http://localhost/boot.js:3:1");
    }
}
