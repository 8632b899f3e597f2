//! Headless browsers.

use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::{
    BrowserCapabilitiesHelper, Capabilities, ChromiumLikeCapabilities, DesiredCapabilities,
    LoggingPrefsLogLevel, WebDriver,
};

use super::{Child, Forwarding, Namespace, free_port, listening, local};
use crate::process;
use crate::setup::browsers::{
    chromedriver, chromium, firefox, geckodriver, webkit, webkitdriver, xvfb,
};

/// Flags with which Chromium runs as root, contacts no servers of its own, and shows its real addresses to other browsers.
pub const CHROMIUM_FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Containers often have too little shared memory.
    "--disable-dev-shm-usage",
    SHOW_ADDRESSES,
    // Timers in background tabs must not be slowed down.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

/// The flag with which Chromium's candidates have its real addresses, and not names that only its network can resolve.
const SHOW_ADDRESSES: &str = "--disable-features=WebRtcHideLocalIpsWithMdns";

const FIREFOX_PREFERENCES: &[(&str, bool)] = &[
    ("media.peerconnection.ice.obfuscate_host_addresses", false),
    ("media.navigator.streams.fake", true),
    ("media.navigator.permission.disabled", true),
];

/// What tells geckodriver how to start Firefox, for test runners that start it by themselves.
pub fn firefox_capabilities() -> Result<Value> {
    let preferences: Map<String, Value> = FIREFOX_PREFERENCES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    Ok(json!({ "moz:firefoxOptions": { "binary": firefox()?, "prefs": preferences } }))
}

/// A browser with a new profile, which is ended when dropped. It dereferences to thirtyfour's [`WebDriver`].
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    program: Child,
    /// The screen of a browser that needs one.
    _screen: Option<Child>,
    /// The way to a driver in another network.
    _forwarding: Option<Forwarding>,
    profile: TempDir,
}

impl Browser {
    /// Starts Chromium, or Chrome where there is no Chromium.
    pub async fn chromium() -> Result<Self> {
        Self::chromium_with(&[]).await
    }

    /// Starts Chromium with additional flags.
    pub async fn chromium_with(flags: &[&str]) -> Result<Self> {
        Self::chromium_of(&[CHROMIUM_FLAGS, flags].concat(), Value::Null).await
    }

    /// Starts Chromium with preferences, as its settings page changes them.
    pub async fn chromium_preferring(preferences: Value) -> Result<Self> {
        Self::chromium_of(CHROMIUM_FLAGS, preferences).await
    }

    /// Starts a Chromium that hides its addresses from pages, which is its default. It shows them to pages that may use
    /// the camera, so no page may use it here.
    pub async fn chromium_hiding_addresses() -> Result<Self> {
        let mut flags = CHROMIUM_FLAGS.to_vec();
        flags.retain(|flag| *flag != SHOW_ADDRESSES && !flag.contains("media-stream"));
        Self::chromium_of(&flags, Value::Null).await
    }

    /// Starts Chromium in another network, with additional flags.
    pub async fn chromium_in(namespace: &Arc<Namespace>, flags: &[&str]) -> Result<Self> {
        let flags = [CHROMIUM_FLAGS, flags].concat();
        Self::chromium_anywhere(Some(namespace), &flags, Value::Null).await
    }

    async fn chromium_of(flags: &[&str], preferences: Value) -> Result<Self> {
        Self::chromium_anywhere(None, flags, preferences).await
    }

    async fn chromium_anywhere(
        namespace: Option<&Arc<Namespace>>,
        flags: &[&str],
        preferences: Value,
    ) -> Result<Self> {
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
        let driver = chromedriver()?.display().to_string();
        let mut command = match namespace {
            Some(namespace) => namespace.command(&driver),
            None => Command::new(driver),
        };
        command.arg("--port=0");
        let capabilities = capabilities.into();
        Self::start(command, "on port ", capabilities, profile, namespace).await
    }

    /// Starts Firefox.
    pub async fn firefox() -> Result<Self> {
        Self::firefox_with(&[]).await
    }

    /// Starts Firefox with additional preferences.
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
            None,
        )
        .await
    }

    /// Starts WebKit, on a screen that nobody sees. It reports no console, and has no WebRTC where the system's build has
    /// none.
    pub async fn webkit() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let (screen, display) = screen().await?;
        let port = free_port()?;
        let mut command = Command::new(webkitdriver()?);
        command
            .arg(format!("--port={port}"))
            .env("DISPLAY", display)
            // Its own sandbox needs more rights than containers give.
            .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for folder in ["HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(folder, profile.path());
        }
        let name = process::shown(&command);
        let mut program = Child::start(&mut command)?;
        // It does not say when it listens.
        listening(local(port), || program.check_alive()).await?;
        let options = json!({ "binary": webkit()?, "args": ["--automation"] });
        let mut capabilities = Capabilities::new();
        capabilities.set("webkitgtk:browserOptions", options)?;
        let driver = WebDriver::new(format!("http://{}", local(port)), capabilities).await;
        let driver = driver.with_context(|| format!("`{name}` could not start WebKit"))?;
        Ok(Self {
            driver,
            program,
            _screen: Some(screen),
            _forwarding: None,
            profile,
        })
    }

    /// Starts the driver of the browser, which prints its port after the text `before_port`.
    async fn start(
        command: Command,
        before_port: &'static str,
        capabilities: Capabilities,
        profile: TempDir,
        namespace: Option<&Arc<Namespace>>,
    ) -> Result<Self> {
        let name = process::shown(&command);
        let (program, port) = with_port(command, before_port).await?;
        let (address, forwarding) = match namespace {
            Some(namespace) => {
                let (address, forwarding) = namespace.expose(local(port)).await?;
                (address, Some(forwarding))
            }
            None => (local(port), None),
        };
        let driver = WebDriver::new(format!("http://{address}"), capabilities).await;
        let driver = driver.with_context(|| format!("`{name}` could not start the browser"))?;
        Ok(Self {
            driver,
            program,
            _screen: None,
            _forwarding: forwarding,
            profile,
        })
    }

    /// The process id of its driver, which has started all processes of the browser.
    pub fn driver_id(&self) -> u32 {
        self.program.id()
    }

    /// The folder of its profile, which is removed when the browser is dropped.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// The messages on the console since the last call, including the browser's own errors. Chromium only.
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
        // Killing the browser is faster than closing it, and nothing in the profile has to be saved.
        let _ = self.driver.clone().leak();
    }
}

/// Starts an X server without a screen, and returns its display.
async fn screen() -> Result<(Child, String)> {
    let mut command = Command::new(xvfb()?);
    command.args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        "1400x1000x24",
        "-nolisten",
        "tcp",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Child::start(&mut command)?;
    let stdout = server.take_stdout().context("Xvfb has no output")?;
    let number = process::first_line(stdout, |line| line.trim().parse::<u32>().ok());
    let wait = move || number.recv_timeout(Duration::from_secs(20));
    let number = tokio::task::spawn_blocking(wait).await?;
    let number = number.context("Xvfb did not say which display it has")?;
    Ok((server, format!(":{number}")))
}

/// Starts a program that chooses a port, and waits until it has printed the port. Chromedriver chooses a port that is free
/// for IPv6, and ends if the same port is taken for IPv4; then it is started again.
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
            Err(RecvTimeoutError::Timeout) => bail!("`{name}` did not print its port within 20 s"),
        }
    }
    bail!("`{name}` ended {TRIES} times before it printed its port")
}

fn port_after(line: &str, before: &str) -> Option<u16> {
    let rest = &line[line.find(before)? + before.len()..];
    let digits = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    // Chromedriver prints "Starting ChromeDriver … on port 0" first.
    rest[..digits].parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_the_output_of_drivers() {
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
        assert_eq!(words, "`false` ended 10 times before it printed its port");
    }
}
