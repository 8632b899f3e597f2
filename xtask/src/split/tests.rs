use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType,
    Module, NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};

use super::plan::Plan;
use super::program::Program;
use super::*;

/// The functions of a program, after the one that it imports, and those that each of them calls. `main` is exported, and
/// `pressed` is in the table.
const FUNCTIONS: [(&str, &[u32]); 6] = [
    ("main[0123456789abcdef]", &[2, 3]),
    ("often", &[0]),
    ("seldom[0123456789abcdef]", &[2, 4, 0]),
    ("inner", &[]),
    ("pressed", &[4]),
    ("twice", &[]),
];

/// A program as wasm-opt writes it, in whose table of two places `pressed` has the second.
fn program() -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    module.section(&types);
    let mut imports = ImportSection::new();
    imports.import("host", "add", EntityType::Function(0));
    module.section(&imports);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut names = NameMap::new();
    for (number, (name, calls)) in (1..).zip(FUNCTIONS) {
        functions.function(0);
        names.append(number, name);
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.local_get(0);
        for call in calls {
            body.call(*call);
        }
        // Short functions stay where they are.
        for _ in 0..20 {
            body.i32_const(1_000).i32_add();
        }
        body.end();
        code.function(&function);
    }
    module.section(&functions);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 2,
        maximum: Some(2),
        shared: false,
    });
    module.section(&tables);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    module.section(&memories);
    let mut globals = GlobalSection::new();
    let stack = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(stack, &ConstExpr::i32_const(1024));
    module.section(&globals);
    let mut exports = ExportSection::new();
    exports.export("main", ExportKind::Func, 1);
    module.section(&exports);
    let mut elements = ElementSection::new();
    let place = ConstExpr::i32_const(1);
    elements.active(None, &place, Elements::Functions(vec![5].into()));
    module.section(&elements);
    module.section(&code);
    let mut section = NameSection::new();
    section.functions(&names);
    module.section(&section);
    module.finish()
}

fn names_of(program: &Program) -> Vec<String> {
    program.functions.iter().map(|it| plain(it.name)).collect()
}

#[test]
fn both_parts_are_valid_and_have_the_functions_that_the_list_says() {
    let parts = split(&program(), Later::Named("seldom\ninner\npressed\n")).unwrap();
    for part in [&parts.first, &parts.rest] {
        wasmparser::validate(part).unwrap();
    }
    let first = Program::read(&parts.first).unwrap();
    // The last ones are the stubs of those that the first part calls, or has in its table.
    assert_eq!(names_of(&first), ["main", "often", "twice", "", ""]);
    assert_eq!(first.imported, 2);
    assert_eq!(first.table_size, 3);
    assert_eq!(first.table.keys().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn only_what_the_first_part_calls_or_has_in_its_table_gets_a_place_there() {
    let bytes = program();
    let program = Program::read(&bytes).unwrap();
    let plan = Plan::new(&program, |name| {
        ["inner", "pressed"].contains(&name) || name.starts_with("seldom")
    });
    assert_eq!(plan.later.iter().copied().collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(
        plan.places.into_iter().collect::<Vec<_>>(),
        [(3, 2), (5, 1)]
    );
    // What is imported from JavaScript is used by way of the first part, too.
    assert_eq!(plan.used, [0, 2]);
    assert_eq!(plan.table_size, 3);
}

#[test]
fn a_function_that_nobody_lists_stays() {
    let parts = split(&program(), Later::Named("somebody_else\n")).unwrap();
    let first = Program::read(&parts.first).unwrap();
    assert_eq!(first.functions.len(), FUNCTIONS.len());
    wasmparser::validate(&parts.first).unwrap();
    wasmparser::validate(&parts.rest).unwrap();
}

#[test]
fn recorded_functions_tell_their_numbers() {
    let parts = split(&program(), Later::Recorded).unwrap();
    wasmparser::validate(&parts.first).unwrap();
    let first = Program::read(&parts.first).unwrap();
    for function in &first.functions {
        assert_eq!(
            function.calls.first(),
            Some(&1),
            "{} tells nothing",
            function.name
        );
    }
    assert_eq!(names(&program()).unwrap().lines().count(), FUNCTIONS.len());
}

#[test]
fn names_lose_the_hashes_of_crates_and_nothing_else() {
    assert_eq!(
        plain("<rtchat[962fee32ac474c8c]::room::Room>::handle"),
        "<rtchat::room::Room>::handle"
    );
    assert_eq!(
        plain("core::hash::<[u8; 4usize]>::[x"),
        "core::hash::<[u8; 4usize]>::[x"
    );
}
