//! Which function is in which part, and who calls whom across them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::program::Program;

/// A function that the first part calls, and whose code has fewer bytes than this, stays there: the stub would be as long.
const SHORT: usize = 28;

/// The plan by which a program is split. Functions have their numbers in the whole program.
pub struct Plan {
    /// The functions of the rest.
    pub later: BTreeSet<u32>,
    /// Those of them that the first part calls, exports or has in its table: the place in the table of each.
    pub places: BTreeMap<u32, u32>,
    /// The functions of the first part that the rest calls, in the order in which they are exported.
    pub used: Vec<u32>,
    /// The number of places that the table has to have.
    pub table_size: u32,
}

impl Plan {
    /// Makes a plan by the names of functions.
    pub fn new(program: &Program, is_later: impl Fn(&str) -> bool) -> Plan {
        let mut count: HashMap<&str, u32> = HashMap::new();
        for function in &program.functions {
            *count.entry(function.name).or_default() += 1;
        }
        let named = program.numbered().filter(|(_, function)| {
            // Nobody can tell which of several is meant.
            count[function.name] == 1 && is_later(function.name)
        });
        let mut later: BTreeSet<u32> = named.map(|(number, _)| number).collect();
        let in_table: BTreeSet<u32> = program.table.values().copied().collect();
        let called = loop {
            let called = called(program, &later);
            let short: Vec<u32> = called
                .union(&in_table)
                .filter(|it| later.contains(it) && program.function(**it).code.len() < SHORT)
                .copied()
                .collect();
            if short.is_empty() {
                break called;
            }
            // What these call is called by the first part then.
            later.retain(|it| !short.contains(it));
        };

        let in_table = program
            .table
            .iter()
            .map(|(place, function)| (*function, *place));
        let mut places: BTreeMap<u32, u32> =
            in_table.filter(|(it, _)| later.contains(it)).collect();
        let mut table_size = program.table_size;
        for function in called {
            places.entry(function).or_insert_with(|| {
                table_size += 1;
                table_size - 1
            });
        }
        let used: BTreeSet<u32> = later
            .iter()
            .flat_map(|number| &program.function(*number).calls)
            .filter(|callee| !later.contains(callee))
            .copied()
            .collect();
        Plan {
            later,
            places,
            used: used.into_iter().collect(),
            table_size,
        }
    }
}

/// The functions of the rest that the first part calls or exports.
fn called(program: &Program, later: &BTreeSet<u32>) -> BTreeSet<u32> {
    let first = program
        .numbered()
        .filter(|(number, _)| !later.contains(number));
    let calls = first.flat_map(|(_, function)| &function.calls);
    let all = calls.chain(&program.exported);
    all.filter(|it| later.contains(it)).copied().collect()
}
