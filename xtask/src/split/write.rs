//! Writes the two parts of a program.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, ImportSection,
    MemorySection, Module, NameMap, NameSection, TableSection, TypeSection, ValType,
};

use super::plan::Plan;
use super::program::Program;

/// The function of JavaScript that returns once the rest is there. It is told the number of what is called.
pub const LOAD: &str = "loadRest";

/// The module from which the rest imports.
const FIRST: &str = "_";

/// The new numbers of functions, by their numbers in the whole program.
pub struct Numbers(HashMap<u32, u32>);

impl Numbers {
    /// Functions that are numbered one after the other.
    pub fn new(functions: impl IntoIterator<Item = (u32, u32)>) -> Numbers {
        Numbers(functions.into_iter().collect())
    }
}

impl Reencode for Numbers {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        // The plan has looked at all calls, so each function that is named here has a number. No program is valid that has
        // another one.
        Ok(self.0.get(&function).copied().unwrap_or(u32::MAX))
    }
}

/// What the sections after the imports have besides what is in the whole program.
pub struct Content<'a> {
    /// The functions that have names, in their order.
    pub functions: &'a [u32],
    /// Functions that follow them, in the place of others.
    pub stubs: Vec<(u32, Function)>,
    pub table_size: u32,
    pub exports: Vec<(ExportKind, u32)>,
    /// What the table has besides, by place.
    pub places: BTreeMap<u32, u32>,
}

/// Begins a program that imports the function [`LOAD`] besides, and returns it with the number of that function.
pub fn begin(program: &Program, numbers: &mut Numbers) -> Result<(Module, u32)> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    numbers.parse_type_section(&mut types, program.types.clone())?;
    types.ty().function([ValType::I32], []);
    module.section(&types);
    let mut imports = ImportSection::new();
    numbers.parse_import_section(&mut imports, program.imports.clone())?;
    imports.import(program.module, LOAD, EntityType::Function(types.len() - 1));
    module.section(&imports);
    Ok((module, program.imported))
}

/// Writes the sections after the imports. `code` writes the code of a function.
pub fn finish(
    program: &Program,
    mut numbers: Numbers,
    mut module: Module,
    content: Content,
    mut code: impl FnMut(&mut Numbers, &mut CodeSection, u32) -> Result<()>,
) -> Result<Vec<u8>> {
    let numbers = &mut numbers;
    let mut functions = FunctionSection::new();
    let stubs = content.stubs.iter().map(|(number, _)| number);
    for number in content.functions.iter().chain(stubs) {
        functions.function(program.type_of(*number));
    }
    module.section(&functions);
    let mut tables = TableSection::new();
    for (number, table) in program.tables.clone().into_iter().enumerate() {
        let mut table = table?;
        if number == 0 {
            (table.ty.initial, table.ty.maximum) = sized(content.table_size, table.ty.maximum);
        }
        numbers.parse_table(&mut tables, table)?;
    }
    module.section(&tables);
    if let Some(section) = &program.memories {
        let mut memories = MemorySection::new();
        numbers.parse_memory_section(&mut memories, section.clone())?;
        module.section(&memories);
    }
    if let Some(section) = &program.globals {
        let mut globals = GlobalSection::new();
        numbers.parse_global_section(&mut globals, section.clone())?;
        module.section(&globals);
    }
    let mut exports = ExportSection::new();
    numbers.parse_export_section(&mut exports, program.exports.clone())?;
    for (name, (kind, number)) in content.exports.iter().enumerate() {
        let number = match kind {
            ExportKind::Func => numbers.function_index(*number)?,
            _ => *number,
        };
        exports.export(&export_name(name), *kind, number);
    }
    module.section(&exports);
    let mut elements = ElementSection::new();
    numbers.parse_element_section(&mut elements, program.elements.clone())?;
    fill(&mut elements, &content.places, numbers)?;
    module.section(&elements);
    if let Some(count) = program.data_count {
        module.section(&DataCountSection { count });
    }
    let mut section = CodeSection::new();
    for number in content.functions {
        code(numbers, &mut section, *number)?;
    }
    for (_, stub) in &content.stubs {
        section.function(stub);
    }
    module.section(&section);
    if let Some(section) = &program.data {
        let mut data = DataSection::new();
        numbers.parse_data_section(&mut data, section.clone())?;
        module.section(&data);
    }
    module.section(&names(program, content.functions, numbers)?);
    Ok(module.finish())
}

/// Writes the part that is needed first.
pub fn first(program: &Program, plan: &Plan) -> Result<Vec<u8>> {
    let all = program.numbered().map(|(number, _)| number);
    let kept: Vec<u32> = all.filter(|it| !plan.later.contains(it)).collect();
    let imported = (0..program.imported).map(|it| (it, it));
    let own = kept.iter().chain(plan.places.keys()).copied();
    let mut numbers = Numbers::new(imported.chain(own.zip(program.imported + 1..)));
    let (module, load) = begin(program, &mut numbers)?;
    let stubs = plan.places.iter();
    let stubs =
        stubs.map(|(function, place)| Ok((*function, stub(program, *function, *place, load)?)));
    let shared = program
        .shared
        .iter()
        .map(|(kind, number, _)| (*kind, *number));
    let used = plan.used.iter().map(|it| (ExportKind::Func, *it));
    let places = plan
        .places
        .iter()
        .map(|(function, place)| (*place, *function));
    let content = Content {
        functions: &kept,
        stubs: stubs.collect::<Result<_>>()?,
        table_size: plan.table_size,
        exports: shared.chain(used).collect(),
        // What was in the table is there.
        places: places
            .filter(|(place, _)| *place >= program.table_size)
            .collect(),
    };
    finish(
        program,
        numbers,
        module,
        content,
        |numbers, code, number| {
            Ok(numbers.parse_function_body(code, program.function(number).body.clone())?)
        },
    )
}

/// Asks for the rest, and calls the function that is in this place of the table then.
fn stub(program: &Program, function: u32, place: u32, load: u32) -> Result<Function> {
    let signature = program.type_of(function);
    let (parameters, place) = (
        program.parameters[signature as usize],
        i32::try_from(place)?,
    );
    let mut stub = Function::new([]);
    let mut code = stub.instructions();
    code.i32_const(place).call(load);
    for parameter in 0..parameters {
        code.local_get(parameter);
    }
    code.i32_const(place).call_indirect(0, signature).end();
    Ok(stub)
}

/// Writes the part that can come later.
pub fn rest(program: &Program, plan: &Plan) -> Result<Vec<u8>> {
    let own = plan.used.iter().chain(&plan.later).copied();
    let mut numbers = Numbers::new(own.zip(0..));
    let mut module = Module::new();
    let mut types = TypeSection::new();
    numbers.parse_type_section(&mut types, program.types.clone())?;
    module.section(&types);
    let mut imports = ImportSection::new();
    let shared = program
        .shared
        .iter()
        .map(|(kind, number, entity)| match entity {
            EntityType::Table(table) if *kind == ExportKind::Table && *number == 0 => {
                let mut table = *table;
                (table.minimum, table.maximum) = sized(plan.table_size, table.maximum);
                EntityType::Table(table)
            }
            other => *other,
        });
    let used = plan.used.iter();
    let used = used.map(|it| EntityType::Function(program.type_of(*it)));
    for (name, entity) in shared.chain(used).enumerate() {
        imports.import(FIRST, &export_name(name), entity);
    }
    module.section(&imports);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for number in &plan.later {
        functions.function(program.type_of(*number));
        numbers.parse_function_body(&mut code, program.function(*number).body.clone())?;
    }
    module.section(&functions);
    let mut elements = ElementSection::new();
    let places = plan
        .places
        .iter()
        .map(|(function, place)| (*place, *function));
    fill(&mut elements, &places.collect(), &mut numbers)?;
    module.section(&elements);
    module.section(&code);
    let later: Vec<u32> = plan.later.iter().copied().collect();
    module.section(&names(program, &later, &mut numbers)?);
    Ok(module.finish())
}

/// The limits of a table that has this many places.
fn sized(places: u32, most: Option<u64>) -> (u64, Option<u64>) {
    let places = u64::from(places);
    (places, most.map(|most| most.max(places)))
}

/// Puts functions into their places in the table, neighbours together.
fn fill(
    elements: &mut ElementSection,
    places: &BTreeMap<u32, u32>,
    numbers: &mut Numbers,
) -> Result<()> {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (place, function) in places {
        let function = numbers.function_index(*function)?;
        match runs.last_mut() {
            Some((begin, run)) if *begin as usize + run.len() == *place as usize => {
                run.push(function);
            }
            _ => runs.push((*place, vec![function])),
        }
    }
    for (begin, run) in runs {
        let begin = ConstExpr::i32_const(i32::try_from(begin)?);
        elements.active(None, &begin, Elements::Functions(run.into()));
    }
    Ok(())
}

/// The names of these functions.
fn names(program: &Program, functions: &[u32], numbers: &mut Numbers) -> Result<NameSection> {
    let mut map = NameMap::new();
    for number in functions {
        map.append(
            numbers.function_index(*number)?,
            program.function(*number).name,
        );
    }
    let mut names = NameSection::new();
    names.functions(&map);
    Ok(names)
}

/// A name that no export of wasm-bindgen has, because it begins with a digit.
fn export_name(number: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut name = String::from(char::from(DIGITS[number % 10]));
    let mut rest = number / 10;
    while rest > 0 {
        name.push(char::from(DIGITS[rest % 36]));
        rest /= 36;
    }
    name
}
