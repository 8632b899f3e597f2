//! Gives everything that the program and its JavaScript call in each other a short name. wasm-bindgen's names are long,
//! and end with hashes, which no host can compress; they stand in both files.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::binary::{Input, change_sections, section, write_bytes, write_number};

/// How the program calls the object that holds its imports.
const MODULE: &str = "_";

/// What the names of exports begin with that only wasm-bindgen's JavaScript uses.
const INTERNAL: [&str; 3] = ["__wb", "__externref", "wasm_bindgen__"];

/// Shortens the names in a program and in the JavaScript that wasm-bindgen wrote for it.
pub fn shorten(program: &Path, glue: &Path) -> Result<()> {
    let read = |path: &Path| format!("cannot read {}", path.display());
    let bytes = std::fs::read(program).with_context(|| read(program))?;
    let text = std::fs::read_to_string(glue).with_context(|| read(glue))?;
    let mut names = Names::default();
    let bytes = shorten_program(&bytes, &mut names)
        .with_context(|| format!("{} has an unknown shape", program.display()))?;
    std::fs::write(program, bytes)?;
    std::fs::write(glue, names.shorten_glue(&text)?)?;
    Ok(())
}

/// The new names by the old ones.
#[derive(Default)]
struct Names {
    short: HashMap<String, String>,
    module: Option<String>,
}

impl Names {
    fn shorten(&mut self, name: &str) -> String {
        let next = letters(self.short.len());
        self.short.entry(name.to_owned()).or_insert(next).clone()
    }

    fn shorten_glue(&self, glue: &str) -> Result<String> {
        let module = self.module.as_deref().context("nothing is imported")?;
        let module = format!("\"{module}\"");
        ensure!(
            glue.matches(&module).count() == 1,
            "the JavaScript does not name {module} once; did wasm-bindgen change?"
        );
        let glue = glue.replace(&module, MODULE);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let words = glue.split_inclusive(|c| !is_part(c));
        let replaced = words.map(|word| {
            let name = word.trim_end_matches(|c| !is_part(c));
            match self.short.get(name) {
                Some(short) => word.replacen(name, short, 1),
                None => word.to_owned(),
            }
        });
        Ok(replaced.collect())
    }
}

/// The name of this number: a, b, … Z, aa, ba, …
fn letters(mut number: usize) -> String {
    let alphabet = || ('a'..='z').chain('A'..='Z');
    let count = alphabet().count();
    let mut name = String::new();
    loop {
        name.extend(alphabet().nth(number % count));
        number /= count;
        if number == 0 {
            return name;
        }
        number -= 1;
    }
}

fn shorten_program(program: &[u8], names: &mut Names) -> Result<Vec<u8>> {
    change_sections(program, |number, content| match number {
        section::IMPORTS => shorten_imports(content, names).map(Some),
        section::EXPORTS => shorten_exports(content, names).map(Some),
        _ => Ok(None),
    })
}

fn shorten_imports(section: &[u8], names: &mut Names) -> Result<Vec<u8>> {
    let mut input = Input(section);
    let count = input.number()?;
    let mut imports = Vec::new();
    write_number(count, &mut imports);
    for _ in 0..count {
        let module = input.text()?;
        let known = names.module.get_or_insert_with(|| module.to_owned());
        ensure!(known == module, "imports come from {known} and {module}");
        write_bytes(MODULE.as_bytes(), &mut imports);
        let name = names.shorten(input.text()?);
        write_bytes(name.as_bytes(), &mut imports);
        let kind = input.byte()?;
        ensure!(kind == 0, "something other than a function is imported");
        imports.push(kind);
        write_number(input.number()?, &mut imports);
    }
    Ok(imports)
}

fn shorten_exports(section: &[u8], names: &mut Names) -> Result<Vec<u8>> {
    let mut input = Input(section);
    let count = input.number()?;
    let mut exports = Vec::new();
    write_number(count, &mut exports);
    for _ in 0..count {
        let name = input.text()?;
        let name = if INTERNAL.iter().any(|start| name.starts_with(start)) {
            names.shorten(name)
        } else {
            name.to_owned()
        };
        write_bytes(name.as_bytes(), &mut exports);
        exports.push(input.byte()?);
        write_number(input.number()?, &mut exports);
    }
    Ok(exports)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that imports two functions, and exports one and its memory.
    fn program(imports: [&str; 2], module: &str, export: &str) -> Vec<u8> {
        let mut program = b"\0asm\x01\0\0\0".to_vec();
        let mut section = vec![2];
        for name in imports {
            write_bytes(module.as_bytes(), &mut section);
            write_bytes(name.as_bytes(), &mut section);
            section.extend([0, 7]);
        }
        program.push(section::IMPORTS);
        write_bytes(&section, &mut program);
        section = vec![2];
        for (name, kind) in [("memory", 2), (export, 0)] {
            write_bytes(name.as_bytes(), &mut section);
            section.push(kind);
            write_number(300, &mut section);
        }
        program.push(section::EXPORTS);
        write_bytes(&section, &mut program);
        program.extend([10, 1, 0]);
        program
    }

    #[test]
    fn both_files_get_the_same_short_names() {
        let long = ["__wbg_then_1f", "__wbg_then_1f2"];
        let mut names = Names::default();
        let shortened = shorten_program(
            &program(long, "./app_bg.js", "__wbindgen_malloc"),
            &mut names,
        )
        .unwrap();
        assert_eq!(shortened, program(["a", "b"], "_", "c"));
        let glue = "const i = {__wbg_then_1f: f, __wbg_then_1f2: () => wasm.__wbindgen_malloc(1), __wbg_get: \
            wasm.memory}; return {\"./app_bg.js\": i}";
        assert_eq!(
            names.shorten_glue(glue).unwrap(),
            "const i = {a: f, b: () => wasm.c(1), __wbg_get: wasm.memory}; return {_: i}"
        );
        assert!(names.shorten_glue("return {}").is_err());
    }

    #[test]
    fn a_program_that_is_cut_off_is_an_error() {
        let whole = program(["a", "b"], "m", "c");
        let cuts = (0..whole.len()).map(|length| &whole[..length]);
        let read = cuts.filter(|cut| shorten_program(cut, &mut Names::default()).is_ok());
        // After the header and after each section, it is whole.
        assert_eq!(read.count(), 3);
    }

    #[test]
    fn all_names_differ() {
        let mut all: Vec<_> = (0..3_000).map(letters).collect();
        assert_eq!([&all[0], &all[51], &all[52]], ["a", "Z", "aa"]);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 3_000);
    }
}
