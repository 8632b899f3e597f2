//! A program as it is read to be split.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{EntityType, ExportKind};
use wasmparser::{
    CompositeInnerType, DataSectionReader, ElementItems, ElementKind, ElementSectionReader,
    ExportSectionReader, ExternalKind, FunctionBody, GlobalSectionReader, ImportSectionReader,
    KnownCustom, MemorySectionReader, Name, Operator, Parser, Payload, TableSectionReader, TypeRef,
    TypeSectionReader,
};

/// The sections of a program, and what they say of its functions.
pub struct Program<'a> {
    pub types: TypeSectionReader<'a>,
    /// The number of parameters of each type.
    pub parameters: Vec<u32>,
    pub imports: ImportSectionReader<'a>,
    /// The module from which the program imports.
    pub module: &'a str,
    /// The number of functions that are imported. Those of the program follow them.
    pub imported: u32,
    imported_types: Vec<u32>,
    pub functions: Vec<OneFunction<'a>>,
    pub tables: TableSectionReader<'a>,
    pub table_size: u32,
    /// What is in the table of functions, by place.
    pub table: BTreeMap<u32, u32>,
    pub memories: Option<MemorySectionReader<'a>>,
    pub globals: Option<GlobalSectionReader<'a>>,
    pub exports: ExportSectionReader<'a>,
    /// The functions that are exported.
    pub exported: Vec<u32>,
    pub elements: ElementSectionReader<'a>,
    pub data_count: Option<u32>,
    pub data: Option<DataSectionReader<'a>>,
    /// Memory, tables and globals, which both parts use.
    pub shared: Vec<(ExportKind, u32, EntityType)>,
}

/// A function of the program.
pub struct OneFunction<'a> {
    pub name: &'a str,
    pub signature: u32,
    pub body: FunctionBody<'a>,
    pub code: &'a [u8],
    /// The functions that it calls or refers to.
    pub calls: Vec<u32>,
}

impl<'a> Program<'a> {
    /// Reads a program with the names of its functions.
    pub fn read(bytes: &'a [u8]) -> Result<Program<'a>> {
        let mut sections = Sections::default();
        for payload in Parser::new(0).parse_all(bytes) {
            sections.take(payload?)?;
        }
        sections.program()
    }

    /// The functions of the program with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &OneFunction<'a>)> {
        (self.imported..).zip(&self.functions)
    }

    /// A function of the program, by its number.
    pub fn function(&self, number: u32) -> &OneFunction<'a> {
        &self.functions[(number - self.imported) as usize]
    }

    /// The type of a function, also of an imported one.
    pub fn type_of(&self, number: u32) -> u32 {
        match self.imported_types.get(number as usize) {
            Some(known) => *known,
            None => self.function(number).signature,
        }
    }
}

/// What was read.
#[derive(Default)]
struct Sections<'a> {
    types: Option<TypeSectionReader<'a>>,
    imports: Option<ImportSectionReader<'a>>,
    signatures: Vec<u32>,
    tables: Option<TableSectionReader<'a>>,
    memories: Option<MemorySectionReader<'a>>,
    globals: Option<GlobalSectionReader<'a>>,
    exports: Option<ExportSectionReader<'a>>,
    elements: Option<ElementSectionReader<'a>>,
    data_count: Option<u32>,
    data: Option<DataSectionReader<'a>>,
    bodies: Vec<FunctionBody<'a>>,
    names: HashMap<u32, &'a str>,
}

impl<'a> Sections<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => self.types = Some(section),
            Payload::ImportSection(section) => self.imports = Some(section),
            Payload::FunctionSection(section) => {
                self.signatures = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::TableSection(section) => self.tables = Some(section),
            Payload::MemorySection(section) => self.memories = Some(section),
            Payload::GlobalSection(section) => self.globals = Some(section),
            Payload::ExportSection(section) => self.exports = Some(section),
            Payload::ElementSection(section) => self.elements = Some(section),
            Payload::DataCountSection { count, .. } => self.data_count = Some(count),
            Payload::DataSection(section) => self.data = Some(section),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for part in names {
                        if let Name::Function(map) = part? {
                            for name in map {
                                let name = name?;
                                self.names.insert(name.index, name.name);
                            }
                        }
                    }
                }
            }
            Payload::Version { .. } | Payload::CodeSectionStart { .. } | Payload::End(_) => {}
            other => bail!("it has a section that cannot be split: {other:?}"),
        }
        Ok(())
    }

    fn program(self) -> Result<Program<'a>> {
        let missing = "a section is missing";
        let types = self.types.context(missing)?;
        let imports = self.imports.context(missing)?;
        let tables = self.tables.context(missing)?;
        let exports = self.exports.context(missing)?;
        let elements = self.elements.context(missing)?;

        let mut parameters = Vec::new();
        for group in types.clone() {
            for kind in group?.into_types() {
                let CompositeInnerType::Func(function) = kind.composite_type.inner else {
                    bail!("it has types of other things than functions");
                };
                parameters.push(u32::try_from(function.params().len())?);
            }
        }
        let (mut imported_types, mut module) = (Vec::new(), "");
        for import in imports.clone().into_imports() {
            let import = import?;
            let TypeRef::Func(kind) = import.ty else {
                bail!("it imports other things than functions");
            };
            imported_types.push(kind);
            module = import.module;
        }
        let imported = u32::try_from(imported_types.len())?;

        let mut functions = Vec::new();
        for (number, (body, signature)) in
            (imported..).zip(self.bodies.into_iter().zip(self.signatures))
        {
            let mut calls = Vec::new();
            for operator in body.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index }
                    | Operator::RefFunc { function_index }
                    | Operator::ReturnCall { function_index } => calls.push(function_index),
                    _ => {}
                }
            }
            functions.push(OneFunction {
                name: self.names.get(&number).copied().unwrap_or_default(),
                signature,
                code: body.as_bytes(),
                body,
                calls,
            });
        }

        let mut exported = Vec::new();
        for export in exports.clone() {
            let export = export?;
            if export.kind == ExternalKind::Func {
                exported.push(export.index);
            }
        }
        let mut shared = Vec::new();
        let mut round = RoundtripReencoder;
        for (number, memory) in (0..).zip(self.memories.clone().into_iter().flatten()) {
            let kind = EntityType::Memory(round.memory_type(memory?)?);
            shared.push((ExportKind::Memory, number, kind));
        }
        let mut table_size = 0;
        for (number, table) in (0..).zip(tables.clone()) {
            let table = table?;
            if number == 0 {
                table_size = u32::try_from(table.ty.initial)?;
            }
            let kind = EntityType::Table(round.table_type(table.ty)?);
            shared.push((ExportKind::Table, number, kind));
        }
        for (number, global) in (0..).zip(self.globals.clone().into_iter().flatten()) {
            let kind = EntityType::Global(round.global_type(global?.ty)?);
            shared.push((ExportKind::Global, number, kind));
        }
        Ok(Program {
            table: table_of(&elements)?,
            types,
            parameters,
            imports,
            module,
            imported,
            imported_types,
            functions,
            tables,
            table_size,
            memories: self.memories,
            globals: self.globals,
            exports,
            exported,
            elements,
            data_count: self.data_count,
            data: self.data,
            shared,
        })
    }
}

/// What the sections of elements put into the first table.
fn table_of(elements: &ElementSectionReader) -> Result<BTreeMap<u32, u32>> {
    let mut table = BTreeMap::new();
    for element in elements.clone() {
        let element = element?;
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            continue;
        };
        if table_index.unwrap_or(0) != 0 {
            continue;
        }
        let mut offset = offset_expr.get_operators_reader();
        let Operator::I32Const { value } = offset.read()? else {
            bail!("a part of the table begins at no fixed place");
        };
        let ElementItems::Functions(functions) = element.items else {
            bail!("the table is filled with expressions");
        };
        for (place, function) in (u32::try_from(value)?..).zip(functions) {
            ensure!(
                table.insert(place, function?).is_none(),
                "a place of the table is filled twice"
            );
        }
    }
    Ok(table)
}
