//! Finds out which functions the first message needs: people meet and talk in programs whose functions tell that they are
//! called. All others can come later.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde_json::json;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{Instruction, Module};

use super::program::Program;
use super::write::{self, Content, Numbers};
use super::{Parts, journey, plain};
use crate::testbed::{Broker, Browser, Site};
use crate::{build, project, widget};

/// The extension of the file with the names of a recorded program's functions.
pub const NAMES: &str = "names";

/// The names of a program's functions in their order, one in each line.
pub fn names(bytes: &[u8]) -> Result<String> {
    let program = Program::read(bytes)?;
    let lines = program.functions.iter().map(|it| format!("{}\n", it.name));
    Ok(lines.collect())
}

/// Lets each function of a program tell its number when it is called. There is no rest then.
pub fn instrument(program: &Program) -> Result<Parts> {
    let all: Vec<u32> = program.numbered().map(|(number, _)| number).collect();
    let imported = (0..program.imported).map(|it| (it, it));
    let mut numbers = Numbers::new(imported.chain(all.iter().map(|it| (*it, it + 1))));
    let (module, load) = write::begin(program, &mut numbers)?;
    let content = Content {
        functions: &all,
        stubs: Vec::new(),
        table_size: program.table_size,
        exports: Vec::new(),
        places: Default::default(),
    };
    let first = write::finish(
        program,
        numbers,
        module,
        content,
        |numbers, code, number| {
            let body = &program.function(number).body;
            let mut telling = numbers.new_function_with_parsed_locals(body)?;
            let told = i32::try_from(number - program.imported)?;
            telling.instruction(&Instruction::I32Const(told));
            telling.instruction(&Instruction::Call(load));
            let mut rest = body.get_operators_reader()?;
            while !rest.eof() {
                telling.instruction(&numbers.parse_instruction(&mut rest)?);
            }
            code.function(&telling);
            Ok(())
        },
    )?;
    let rest = Module::new().finish();
    Ok(Parts { first, rest })
}

/// Lets people meet in Chromium and Firefox, and writes the lists anew.
pub async fn record() -> Result<()> {
    // What was built before can be used again.
    let folder = match std::env::var_os("RTCHAT_RECORDING") {
        Some(folder) => folder.into(),
        None => tokio::task::spawn_blocking(build::recording).await??,
    };
    let broker = Broker::rumqttd().await?;
    let settings = json!({ "brokers": [broker.ws_url()], "iceServers": [] });
    journey::write_pages(&folder)?;
    let (mut page, mut module) = (HashSet::new(), HashSet::new());
    for turned in [false, true] {
        let mut both = [Browser::chromium().await?, Browser::firefox().await?];
        if turned {
            both.reverse();
        }
        let [ann, ben] = &both;
        let site = Site::start(&folder, settings.clone()).await?;
        journey::on_the_page(ann, ben, &site, &mut page).await?;
        // From here on, the people have other tabs, too.
        journey::in_a_second_tab(ann, ben, &site, &mut page).await?;
        journey::in_a_panel(ann, ben, &site, &mut page).await?;
        journey::in_programs(ann, ben, &site, &mut module).await?;
    }
    let lists = project::root().join("xtask/src/split/later");
    for (called, prefix, list) in [
        (page, "app-", "page.txt"),
        (module, "mqtt-rtc", "module.txt"),
    ] {
        let names = widget::find(&folder, prefix, NAMES)?;
        let names = std::fs::read_to_string(folder.join(names))?;
        let later = uncalled(&names, &called);
        std::fs::write(lists.join(list), later.join("\n") + "\n")?;
        println!("{list}: {} functions can come later", later.len());
    }
    Ok(())
}

/// The names of functions that were not called, as far as no other has the same.
fn uncalled(names: &str, called: &HashSet<u64>) -> Vec<String> {
    let mut count: HashMap<String, u32> = HashMap::new();
    for name in names.lines() {
        *count.entry(plain(name)).or_default() += 1;
    }
    let numbered = (0..).zip(names.lines());
    let mut later: Vec<String> = numbered
        .filter(|(number, _)| !called.contains(number))
        .map(|(_, name)| plain(name))
        .filter(|name| count[name] == 1)
        .collect();
    later.sort();
    later
}
