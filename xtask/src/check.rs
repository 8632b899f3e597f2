//! Checks of formatting, lints, and all tests.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::setup::{self, Need, Suite, Tools, browsers};
use crate::{build, process, project, testbed};

/// Each of these tests starts browsers of its own. With more threads, they would only wait for each other.
const E2E_THREADS: &str = "--test-threads=2";

/// Browser tests of what Firefox does otherwise: it takes descriptions that Chromium refuses.
const NOT_IN_FIREFOX: [&str; 1] =
    ["rtc::refused_descriptions_fail_with_a_sentence_without_addresses"];

/// Runs one suite of tests, or all. `arguments` are passed to the test programs.
pub fn test(suite: Option<Suite>, arguments: &[String]) -> Result<()> {
    let suites = suite.map_or(Suite::ALL.to_vec(), |suite| vec![suite]);
    let needs: Vec<Need> = suites
        .iter()
        .flat_map(|suite| suite.needs())
        .copied()
        .collect();
    let tools = setup::ensure(&needs)?;
    let mut report = Report::default();
    suites
        .into_iter()
        .for_each(|suite| report.suite(suite, &tools, arguments));
    report.close()
}

/// Checks formatting and lints.
pub fn lint() -> Result<()> {
    let tools = setup::ensure(setup::ALL)?;
    let mut report = Report::default();
    report.stage("formatting", |_| {
        process::run(project::cargo().args(["fmt", "--all", "--check"]))
    });
    report.stage("lints, native", |_| {
        let mut clippy = project::cargo();
        process::run(
            clippy
                .args(["clippy", "--workspace", "--all-targets"])
                .args(DENY_WARNINGS),
        )
    });
    report.stage("lints, browser", |_| browser_lints(&tools));
    report.close()
}

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

fn browser_lints(tools: &Tools) -> Result<()> {
    let clippy = || -> Result<Command> {
        let mut clippy = tools.web_development_cargo()?;
        clippy.args([
            "clippy",
            "--package",
            "rtchat",
            "--target",
            "wasm32-unknown-unknown",
        ]);
        Ok(clippy)
    };
    process::run(
        clippy()?
            .args(["--lib", "--bins", "--test", "browser"])
            .args(DENY_WARNINGS),
    )?;
    // The page, the module and the demo are built with these. Nothing in them is written with `{:?}`, which writes
    // nothing in what is published.
    for feature in ["ui", "api", "ui,demo"] {
        process::run(
            clippy()?
                .args(["--no-default-features", "--features", feature])
                .args(["--lib", "--bins"])
                .args(DENY_WARNINGS)
                .args(["-D", "clippy::use_debug"]),
        )?;
    }
    Ok(())
}

/// The browser tests, for whichever browser the environment names.
fn browser_tests(tools: &Tools) -> Result<Command> {
    build::browser_test_scripts(tools)?;
    let mut tests = tools.web_development_cargo()?;
    tests.args([
        "test",
        "--package",
        "rtchat",
        "--target",
        "wasm32-unknown-unknown",
        "--test",
        "browser",
        "--",
    ]);
    tests.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "wasm-bindgen-test-runner",
    );
    tests
        .env_remove("CHROMEDRIVER")
        .env_remove("GECKODRIVER")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    Ok(tests)
}

fn chromium_tests(tools: &Tools) -> Result<Command> {
    let mut tests = browser_tests(tools)?;
    tests.env("CHROMEDRIVER", browsers::chromedriver()?);
    Ok(tests)
}

fn firefox_tests(tools: &Tools) -> Result<Command> {
    let capabilities = project::target().join("webdriver-firefox.json");
    std::fs::write(&capabilities, testbed::firefox_capabilities()?.to_string())
        .with_context(|| format!("cannot write {}", capabilities.display()))?;
    let mut tests = browser_tests(tools)?;
    tests
        .env("GECKODRIVER", browsers::geckodriver()?)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities);
    for test in NOT_IN_FIREFOX {
        tests.args(["--skip", test]);
    }
    Ok(tests)
}

/// The results so far.
#[derive(Debug, Default)]
struct Report {
    passed: u64,
    failed: u64,
    /// The stages that failed.
    broken: Vec<String>,
}

impl Report {
    fn suite(&mut self, suite: Suite, tools: &Tools, arguments: &[String]) {
        match suite {
            Suite::Unit => self.stage("unit tests", |report| report.unit(arguments)),
            Suite::Browser => {
                self.stage("browser tests", |report| report.browser(tools, arguments))
            }
            Suite::E2e => self.stage("end-to-end tests", |report| report.e2e(arguments)),
        }
    }

    /// Runs a stage and prints how long it took. After a failure the others still run, so that one run shows all failures.
    fn stage(&mut self, name: &str, run: impl FnOnce(&mut Self) -> Result<()>) {
        println!("\n== {name} ==");
        let start = Instant::now();
        let failed_before = self.failed;
        let result = run(self);
        let seconds = start.elapsed().as_secs_f64();
        match result {
            Ok(()) => println!("== {name}: passed, {seconds:.0} s =="),
            Err(error) => {
                println!("== {name}: failed, {seconds:.0} s: {error:#} ==");
                self.broken.push(name.to_owned());
                // A stage that does not compile counts as one failure.
                if self.failed == failed_before {
                    self.failed += 1;
                }
            }
        }
    }

    fn unit(&mut self, arguments: &[String]) -> Result<()> {
        let mut tests = project::cargo();
        tests.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
        for target in project::test_targets()? {
            if suite_of(&target.name) == Suite::Unit {
                tests.args(["--test", &target.name]);
            }
        }
        let programs = self.run(tests.arg("--").args(arguments));
        // A program without files has to refuse them without keeping anything.
        let mut without_files = project::cargo();
        without_files.args(["test", "--package", "rtchat", "--no-default-features"]);
        without_files.args(["--test", "memory", "--"]);
        let programs = programs.and(self.run(without_files.args(arguments)));
        let mut examples = project::cargo();
        examples.args(["test", "--workspace", "--doc", "--"]);
        let documentation = self.run(examples.args(arguments));
        programs.and(documentation)
    }

    fn browser(&mut self, tools: &Tools, arguments: &[String]) -> Result<()> {
        let results =
            [chromium_tests, firefox_tests].map(|tests| self.run(tests(tools)?.args(arguments)));
        results.into_iter().collect()
    }

    fn e2e(&mut self, arguments: &[String]) -> Result<()> {
        let (dist, demo) = (build::run()?, build::demo()?);
        // It is built now, so that the tests that start it need not wait for the compiler.
        let bot = build::bot()?;
        let mut tests = project::cargo();
        // With --workspace, dependencies have the same features as in the unit tests and are not compiled again.
        tests.args(["test", "--workspace", "--no-fail-fast"]);
        tests.args(["--test", "e2e", "--"]).args(arguments);
        let is_about_threads = |argument: &String| argument.starts_with("--test-threads");
        if !arguments.iter().any(is_about_threads) {
            tests.arg(E2E_THREADS);
        }
        tests.env("RTCHAT_DIST", dist).env("RTCHAT_DEMO", demo);
        tests.env("RTCHAT_BOT", bot);
        let tests = self.run(&mut tests);
        // This shows whether browsers can be driven at all. Where they cannot, the tests above fail for that reason.
        let mut testbed = project::cargo();
        testbed.args(["test", "--workspace", "--test", "browsers"]);
        tests.and(self.run(&mut testbed))
    }

    /// Runs test programs and adds their results.
    fn run(&mut self, tests: &mut Command) -> Result<()> {
        let succeeded = process::run_watched(tests, |line| {
            if let Some((passed, failed)) = counts(line) {
                self.passed += passed;
                self.failed += failed;
            }
        })?;
        if !succeeded {
            bail!("`{}` failed", process::shown(tests));
        }
        Ok(())
    }

    fn close(self) -> Result<()> {
        if !self.broken.is_empty() {
            println!("\nThese stages failed: {}", self.broken.join(", "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
        // The summary is the last line, so `Failed` has no message that would follow it.
        if self.failed > 0 {
            Err(Failed.into())
        } else {
            Ok(())
        }
    }
}

/// Something failed, and the report has been printed.
#[derive(Debug)]
pub struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("there were failures")
    }
}

impl std::error::Error for Failed {}

/// The suite that a test program of the workspace belongs to, by its name.
fn suite_of(test: &str) -> Suite {
    match test {
        "browser" => Suite::Browser,
        "e2e" | "browsers" => Suite::E2e,
        _ => Suite::Unit,
    }
}

/// The numbers in "test result: ok. 3 passed; 0 failed; …".
fn counts(line: &str) -> Option<(u64, u64)> {
    let result = &line[line.find("test result:")?..];
    let before = |word: &str| {
        let words: Vec<&str> = result
            .split([' ', ';'])
            .filter(|word| !word.is_empty())
            .collect();
        let place = words.iter().position(|its| *its == word)?;
        words.get(place.checked_sub(1)?)?.parse().ok()
    };
    Some((before("passed")?, before("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(counts(line), Some((12, 3)));
        assert_eq!(counts("test counts ... ok"), None);
    }

    #[test]
    fn the_name_of_a_test_program_decides_its_suite() {
        assert_eq!(suite_of("browser"), Suite::Browser);
        assert_eq!(suite_of("e2e"), Suite::E2e);
        assert_eq!(suite_of("browsers"), Suite::E2e);
        assert_eq!(suite_of("mqtt_brokers"), Suite::Unit);
        assert_eq!(suite_of("simulated_rooms"), Suite::Unit);
    }
}
