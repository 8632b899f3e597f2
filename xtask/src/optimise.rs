//! Makes a program smaller: with wasm-opt, and with an order of functions in which hosts can compress them better.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use wasmparser::{BinaryReader, ImportSectionReader, TypeRef};

use crate::binary::{Input, change_sections, section, write_bytes, write_number};
use crate::process;
use crate::setup::Tools;
use crate::split::{self, Later};

/// What every supported browser understands.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-mutable-globals",
    "--enable-multivalue",
];

/// Passes of `-Oz` that shorten the program, and make what hosts compress longer: repeated code is found by the
/// compression as well, and better if it stays whole.
const SKIPPED: [&str; 3] = [
    "--skip-pass=local-cse",
    "--skip-pass=memory-packing",
    "--skip-pass=simplify-locals",
];

/// A function that is called in one place becomes a part of its caller only if it is small. What is seldom needed stays
/// apart from what always is, so that it can go into the rest.
const SMALL_CALLEES: &str = "--one-caller-inline-max-function-size=40";

/// The length of the pieces by which functions are compared, in bytes.
const PIECE: usize = 4;

/// A piece that stands in more functions than this says nothing.
const COMMON: usize = 200;

/// The digits of a function's place, which stands before its name while wasm-opt sorts.
const DIGITS: usize = 6;

/// Optimises the program that wasm-bindgen wrote, in place, and splits it: what can come later goes into the file `rest`.
/// Returns the names of the functions of both, one `number:name` in each line.
pub fn optimise(tools: &Tools, program: &Path, rest: &Path, later: Later) -> Result<[String; 2]> {
    let mut shrink = tools.web("wasm-opt")?;
    // The names are needed for sorting.
    shrink.args(FEATURES).args(SKIPPED);
    shrink.args([SMALL_CALLEES, "-Oz", "-g"]);
    shrink.arg(program).arg("-o").arg(program);
    process::run(&mut shrink).context("the program cannot be optimised")?;

    let bytes = std::fs::read(program)?;
    let parts = split::split(&bytes, later)
        .with_context(|| format!("{} cannot be split", program.display()))?;
    if let Later::Recorded = later {
        let names = split::names(&bytes)?;
        std::fs::write(program.with_extension(split::NAMES), names)?;
    }
    std::fs::write(program, parts.first)?;
    std::fs::write(rest, parts.rest)?;
    Ok([sort(tools, program)?, sort(tools, rest)?])
}

/// Sorts the functions of a program, and removes their names, which are returned.
fn sort(tools: &Tools, program: &Path) -> Result<String> {
    let sorted = number_functions(&std::fs::read(program)?)
        .with_context(|| format!("{} has an unknown shape", program.display()))?;
    std::fs::write(program, sorted)?;
    let names = program.with_extension("symbols");
    let mut sort = tools.web("wasm-opt")?;
    sort.args(FEATURES).args([
        "--reorder-functions-by-name",
        "--strip-producers",
        "--strip-target-features",
    ]);
    sort.arg(format!("--symbolmap={}", names.display()));
    sort.arg(program).arg("-o").arg(program);
    process::run(&mut sort).context("the program's functions cannot be sorted")?;
    let text = std::fs::read_to_string(&names)?;
    std::fs::remove_file(names)?;
    Ok(without_places(&text))
}

/// Puts its place in the best order before the name of each function.
fn number_functions(program: &[u8]) -> Result<Vec<u8>> {
    let (mut imported, mut places) = (0, Vec::new());
    change_sections(program, |number, content| {
        match number {
            section::IMPORTS => imported = imported_functions(content)?,
            section::CODE => places = best_places(&functions(content)?),
            section::CUSTOM => {
                let mut input = Input(content);
                if input.text()? == "name" {
                    return name_functions(input, imported, &places).map(Some);
                }
            }
            _ => {}
        }
        Ok(None)
    })
}

/// How many functions are imported.
fn imported_functions(section: &[u8]) -> Result<usize> {
    let imports = ImportSectionReader::new(BinaryReader::new(section, 0))?;
    let mut count = 0;
    for import in imports.into_imports() {
        count += usize::from(matches!(import?.ty, TypeRef::Func(_)));
    }
    Ok(count)
}

/// The code of all functions.
fn functions(section: &[u8]) -> Result<Vec<&[u8]>> {
    let mut input = Input(section);
    (0..input.number()?).map(|_| input.bytes()).collect()
}

/// Writes a section of names in which the place of each function stands before its name. Imports have no place.
fn name_functions(mut section: Input, imported: usize, places: &[usize]) -> Result<Vec<u8>> {
    const FUNCTIONS: u8 = 1;
    let mut old = HashMap::new();
    while !section.0.is_empty() {
        let kind = section.byte()?;
        let mut names = Input(section.bytes()?);
        if kind == FUNCTIONS {
            for _ in 0..names.number()? {
                old.insert(names.number()?, names.text()?);
            }
        }
    }
    let places = std::iter::repeat_n(None, imported).chain(places.iter().map(Some));
    let mut names = Vec::new();
    write_number(places.clone().count(), &mut names);
    for (function, place) in places.enumerate() {
        let name = old.get(&function).copied().unwrap_or_default();
        let place = place.map_or(String::new(), |place| format!("{place:0DIGITS$}"));
        write_number(function, &mut names);
        write_bytes([&place, name].concat().as_bytes(), &mut names);
    }
    let mut section = Vec::new();
    write_bytes(b"name", &mut section);
    section.push(FUNCTIONS);
    write_bytes(&names, &mut section);
    Ok(section)
}

/// The names as they were, in the text that wasm-opt wrote.
fn without_places(symbols: &str) -> String {
    let lines = symbols.lines().map(|line| match line.split_once(':') {
        Some((number, name)) => match name.split_at_checked(DIGITS) {
            Some((place, name)) if place.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{number}:{name}\n")
            }
            _ => format!("{line}\n"),
        },
        None => String::new(),
    });
    lines.collect()
}

/// The place of each function in an order in which similar ones are neighbours: after each function comes the one that
/// shares most with it.
fn best_places(functions: &[&[u8]]) -> Vec<usize> {
    let pieces: Vec<HashSet<&[u8]>> = functions
        .iter()
        .map(|code| code.windows(PIECE).collect())
        .collect();
    let mut holders: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (function, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            holders.entry(piece).or_default().push(function);
        }
    }
    holders.retain(|_, functions| functions.len() <= COMMON);

    let mut largest_first: Vec<usize> = (0..functions.len()).collect();
    largest_first.sort_by_key(|function| std::cmp::Reverse(functions[*function].len()));
    let mut largest_first = largest_first.into_iter();
    let mut places = vec![None; functions.len()];
    let mut last = None;
    for place in 0..functions.len() {
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for holder in last
            .iter()
            .flat_map(|last: &usize| &pieces[*last])
            .flat_map(|piece| holders.get(piece).into_iter().flatten())
            .filter(|holder| places[**holder].is_none())
        {
            *shared.entry(*holder).or_default() += 1;
        }
        let all = |function: usize| pieces[function].len();
        // Of equal ones the first, so that the same sources give the same program.
        let similarity = |(function, shared): (usize, usize)| {
            let together = all(function) + last.map_or(0, all) - shared;
            (
                shared * 1_000_000 / together.max(1),
                std::cmp::Reverse(function),
            )
        };
        let next = shared.into_iter().max_by_key(|both| similarity(*both));
        let next = next
            .map(|(function, _)| function)
            .or_else(|| largest_first.find(|function| places[*function].is_none()));
        if let Some(next) = next {
            places[next] = Some(place);
        }
        last = next;
    }
    places.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_functions_become_neighbours() {
        let functions: [&[u8]; 5] = [b"abcdefgh", b"0123456789ab", b"xabcdefg", b"12345678", b""];
        // The largest is first, and the most similar one follows.
        assert_eq!(best_places(&functions), [2, 0, 3, 1, 4]);
    }

    #[test]
    fn functions_are_named_after_their_places_and_get_their_names_back() {
        let mut program = b"\0asm\x01\0\0\0".to_vec();
        for (number, content) in [
            (section::IMPORTS, &b"\x01\x01m\x01f\0\0"[..]),
            (section::CODE, b"\x02\x04abcd\x05abcde"),
            (
                section::CUSTOM,
                b"\x04name\x01\x0e\x03\0\x01f\x01\x03one\x02\x03two",
            ),
        ] {
            program.push(number);
            write_bytes(content, &mut program);
        }
        let numbered = number_functions(&program).unwrap();
        let contains = |name: &[u8]| numbered.windows(name.len()).any(|part| part == name);
        assert!(contains(b"\x01\x09000001one\x02\x09000000two"));
        assert_eq!(
            without_places("0:f\n1:000000two\n2:000001one\n"),
            "0:f\n1:two\n2:one\n"
        );
    }
}
