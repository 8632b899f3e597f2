//! Real browsers without a window.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::{
    BrowserCapabilitiesHelper, Capabilities, ChromiumLikeCapabilities, DesiredCapabilities,
    LoggingPrefsLogLevel, WebDriver,
};

use super::Child;
use crate::{process, project};

/// Flags that let Chromium run as root, quietly, and show other browsers on this machine its real addresses.
pub const CHROMIUM_FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The shared memory of a container is often too small.
    "--disable-dev-shm-usage",
    SHOW_ADDRESSES,
    // Tabs in the background must keep time as they would in front.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

/// Chromium lists its real addresses among its candidates, and not names that only its own network can resolve.
const SHOW_ADDRESSES: &str = "--disable-features=WebRtcHideLocalIpsWithMdns";

const FIREFOX_PREFERENCES: &[(&str, bool)] = &[
    ("media.peerconnection.ice.obfuscate_host_addresses", false),
    ("media.navigator.streams.fake", true),
    ("media.navigator.permission.disabled", true),
];

/// A browser with a fresh profile, ended when dropped. It derefs to thirtyfour's [`WebDriver`].
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    _program: Child,
    profile: TempDir,
}

impl Browser {
    /// Chromium, or Chrome where there is no Chromium.
    pub async fn chromium() -> Result<Self> {
        Self::chromium_with(&[]).await
    }

    /// Chromium with more flags.
    pub async fn chromium_with(flags: &[&str]) -> Result<Self> {
        Self::chromium_of(&[CHROMIUM_FLAGS, flags].concat(), Value::Null).await
    }

    /// Chromium with preferences, as its settings page changes them.
    pub async fn chromium_preferring(preferences: Value) -> Result<Self> {
        Self::chromium_of(CHROMIUM_FLAGS, preferences).await
    }

    /// Chromium that hides its addresses from pages, as it does for everybody but testers. Pages that may use the
    /// camera see them all the same, so nobody may here.
    pub async fn chromium_in_hiding() -> Result<Self> {
        let mut flags = CHROMIUM_FLAGS.to_vec();
        flags.retain(|flag| *flag != SHOW_ADDRESSES && !flag.contains("media-stream"));
        Self::chromium_of(&flags, Value::Null).await
    }

    async fn chromium_of(flags: &[&str], preferences: Value) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in flags {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        if !preferences.is_null() {
            capabilities.add_experimental_option("prefs", preferences)?;
        }
        capabilities.set_binary(&chromium()?.display().to_string())?;
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let mut command = Command::new(chromedriver()?);
        command.arg("--port=0");
        Self::start(command, "on port ", capabilities.into(), profile).await
    }

    /// Firefox.
    pub async fn firefox() -> Result<Self> {
        Self::firefox_with(&[]).await
    }

    /// Firefox with more preferences.
    pub async fn firefox_with(preferences: &[(&str, Value)]) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut chosen = FirefoxPreferences::new();
        for (name, value) in FIREFOX_PREFERENCES {
            chosen.set(name, *value)?;
        }
        for (name, value) in preferences {
            chosen.set(name, value.clone())?;
        }
        let mut capabilities = DesiredCapabilities::firefox();
        capabilities.set_headless()?;
        capabilities.set_preferences(chosen)?;
        capabilities.set_browser_option("binary", firefox()?.display().to_string())?;
        let mut command = Command::new(geckodriver()?);
        command
            .args(["--port", "0", "--profile-root"])
            .arg(profile.path());
        Self::start(
            command,
            "Listening on 127.0.0.1:",
            capabilities.into(),
            profile,
        )
        .await
    }

    /// Starts the program that drives the browser; it prints its port after `before_port`.
    async fn start(
        command: Command,
        before_port: &'static str,
        capabilities: Capabilities,
        profile: TempDir,
    ) -> Result<Self> {
        let name = process::shown(&command);
        let (program, port) = with_port(command, before_port).await?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver = driver.with_context(|| format!("`{name}` could not start the browser"))?;
        Ok(Self {
            driver,
            _program: program,
            profile,
        })
    }

    /// The folder of its profile, which goes with it.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// What the page wrote to the console since the last call, with errors the browser saw. Chromium only.
    pub async fn console(&self) -> Result<Vec<String>> {
        let entries = self.driver.browser_log().await?;
        Ok(entries
            .into_iter()
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect())
    }
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Killing is quicker than asking, and nothing in the profile is worth saving.
        let _ = self.driver.clone().leak();
    }
}

/// Starts a program that finds a port for itself, and waits until it has said which. Chromedriver takes any port of
/// IPv6, then the same of IPv4, and ends if somebody else has that one: it is started again.
async fn with_port(mut command: Command, before_port: &'static str) -> Result<(Child, u16)> {
    const TRIES: usize = 10;
    let name = process::shown(&command);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    for _ in 0..TRIES {
        let mut program = Child::start(&mut command)?;
        let stdout = program
            .take_stdout()
            .with_context(|| format!("`{name}` has no output"))?;
        let line = process::first_line(stdout, move |line| port_after(line, before_port));
        let wait = move || line.recv_timeout(Duration::from_secs(20));
        match tokio::task::spawn_blocking(wait).await? {
            Ok(port) => return Ok((program, port)),
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => bail!("`{name}` did not say its port within 20 s"),
        }
    }
    bail!("`{name}` ended {TRIES} times before it said its port")
}

fn port_after(line: &str, before: &str) -> Option<u16> {
    let rest = &line[line.find(before)? + before.len()..];
    let digits = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    // "Starting ChromeDriver … on port 0" comes first.
    rest[..digits].parse().ok().filter(|port| *port != 0)
}

/// Where Chromium lies; `CHROME` may say so.
pub fn chromium() -> Result<PathBuf> {
    located(
        "CHROME",
        &["chromium", "chromium-browser", "google-chrome", "chrome"],
    )
}

/// Where chromedriver lies; `CHROMEDRIVER` may say so.
pub fn chromedriver() -> Result<PathBuf> {
    located("CHROMEDRIVER", &["chromedriver"])
}

/// Where Firefox lies; `FIREFOX` may say so.
pub fn firefox() -> Result<PathBuf> {
    located("FIREFOX", &["firefox-esr", "firefox"])
}

/// Where geckodriver lies; `GECKODRIVER` may say so.
pub fn geckodriver() -> Result<PathBuf> {
    located("GECKODRIVER", &["geckodriver"])
}

fn located(variable: &str, names: &[&str]) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let kept = |name: &&str| process::find_in(name, [project::tools().join("bin")]);
    let found = names
        .iter()
        .find_map(|name| process::find(name))
        .or_else(|| names.iter().find_map(kept));
    let name = names.first().copied().unwrap_or_default();
    found.with_context(|| {
        format!("{name} is not installed; run `cargo xtask setup`, or set {variable} to its path")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_what_drivers_print() {
        let chromedriver = "ChromeDriver was started successfully on port 43415.";
        assert_eq!(port_after(chromedriver, "on port "), Some(43415));
        let geckodriver = "1720000000000\tgeckodriver\tINFO\tListening on 127.0.0.1:4444";
        assert_eq!(
            port_after(geckodriver, "Listening on 127.0.0.1:"),
            Some(4444)
        );
        assert_eq!(
            port_after("Starting ChromeDriver 156.0 on port 0", "on port "),
            None
        );
    }

    #[tokio::test]
    async fn a_driver_whose_port_was_taken_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut driver = Command::new("sh");
        driver.current_dir(folder.path());
        driver.args([
            "-c",
            "mkdir tried && exit 1; echo on port 4321.; exec sleep 60",
        ]);
        let (_program, port) = with_port(driver, "on port ").await.unwrap();
        assert_eq!(port, 4321);

        let ended = with_port(Command::new("false"), "on port ").await;
        let words = ended.err().unwrap().to_string();
        assert_eq!(words, "`false` ended 10 times before it said its port");
    }
}
