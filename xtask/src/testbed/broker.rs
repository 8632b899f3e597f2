//! MQTT brokers: rumqttd, mosquitto and aedes.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::port::HeldPort;
use super::{Bridge, Child, free_port, listening, local, rumqttd};
use crate::{process, project};

/// An MQTT broker on 127.0.0.1, reachable by WebSocket and by plain TCP.
#[derive(Debug)]
pub struct Broker {
    tcp_port: u16,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// rumqttd in this process, with our WebSocket listener, because rumqttd's own is slow.
    Rumqttd(Bridge),
    Program(Program),
}

#[derive(Debug)]
struct Program {
    program: PathBuf,
    arguments: Vec<String>,
    ports: [u16; 2],
    folder: TempDir,
    running: Option<Child>,
    /// Its ports while it does not run, so that no other program gets them.
    held: Vec<HeldPort>,
}

impl Broker {
    /// Starts rumqttd, the broker of `cargo xtask serve`. It starts at once and needs no installation.
    pub async fn rumqttd() -> Result<Self> {
        let tcp_port = free_port()?;
        rumqttd::start(local(tcp_port)).await?;
        let bridge = Bridge::start(tcp_port, Duration::ZERO).await?;
        Ok(Self {
            tcp_port,
            kind: Kind::Rumqttd(bridge),
        })
    }

    /// Starts mosquitto, which is widely used. It answers a CONNECT over WebSocket only after 100 to 200 ms.
    pub async fn mosquitto() -> Result<Self> {
        Self::mosquitto_that(true).await
    }

    /// Starts a mosquitto that refuses everybody: it requires a password and accepts none.
    pub async fn closed_mosquitto() -> Result<Self> {
        Self::mosquitto_that(false).await
    }

    async fn mosquitto_that(allows_anonymous: bool) -> Result<Self> {
        // Debian installs it in a folder that is only on root's PATH.
        let program = process::find("mosquitto").unwrap_or_else(|| "/usr/sbin/mosquitto".into());
        Self::program(program, |folder, [tcp_port, ws_port]| {
            let configuration = format!(
                "per_listener_settings false\nallow_anonymous {allows_anonymous}\npersistence false\nset_tcp_nodelay true\n\
                 user root\nlog_dest file {}\nlistener {tcp_port} 127.0.0.1\n\
                 listener {ws_port} 127.0.0.1\nprotocol websockets\n",
                folder.path().join("log").display(),
            );
            let file = folder.path().join("mosquitto.conf");
            std::fs::write(&file, configuration)?;
            Ok(vec!["-c".into(), file.display().to_string()])
        })
        .await
    }

    /// Starts aedes on Node.js. It answers within milliseconds, so benchmarks use it.
    pub async fn aedes() -> Result<Self> {
        let script = project::root()
            .join("xtask/brokers/aedes.mjs")
            .display()
            .to_string();
        Self::program("node".into(), |_, ports| {
            Ok(std::iter::once(script)
                .chain(ports.map(|port| port.to_string()))
                .collect())
        })
        .await
    }

    async fn program(
        program: PathBuf,
        arguments: impl FnOnce(&TempDir, [u16; 2]) -> Result<Vec<String>>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ports = [free_port()?, free_port()?];
        let arguments = arguments(&folder, ports)?;
        let program = Program {
            program,
            arguments,
            ports,
            folder,
            running: None,
            held: Vec::new(),
        };
        let mut broker = Self {
            tcp_port: ports[0],
            kind: Kind::Program(program),
        };
        broker.restart().await?;
        Ok(broker)
    }

    /// The address that a page connects to.
    pub fn ws_url(&self) -> String {
        match &self.kind {
            Kind::Rumqttd(bridge) => bridge.ws_url(),
            Kind::Program(program) => format!("ws://127.0.0.1:{}/mqtt", program.ports[1]),
        }
    }

    /// The port that native clients and a [`Bridge`] connect to.
    pub fn tcp_port(&self) -> u16 {
        self.tcp_port
    }

    /// Kills the broker without a shutdown. rumqttd cannot be killed; its WebSocket listener is cut instead.
    pub async fn kill(&mut self) -> Result<()> {
        match &mut self.kind {
            Kind::Rumqttd(bridge) => bridge.cut().await,
            Kind::Program(program) => program.kill(),
        }
    }

    /// Starts it again on the same ports, with empty state. rumqttd keeps its state, since it kept running.
    pub async fn restart(&mut self) -> Result<()> {
        match &mut self.kind {
            Kind::Rumqttd(bridge) => bridge.mend().await,
            Kind::Program(program) => program.start().await,
        }
    }
}

impl Program {
    fn kill(&mut self) -> Result<()> {
        self.running = None;
        let ports = self.ports.into_iter().map(local);
        self.held = ports.map(HeldPort::hold).collect::<Result<_>>()?;
        Ok(())
    }

    async fn start(&mut self) -> Result<()> {
        self.running = None;
        self.held.clear();
        let log_path = self.folder.path().join("output");
        let log = std::fs::File::create(&log_path)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdout(log.try_clone()?)
            .stderr(Stdio::from(log));
        let mut child = Child::start(&mut command)?;
        for port in self.ports {
            let said = || std::fs::read_to_string(&log_path).unwrap_or_default();
            let started = listening(local(port), || child.check_alive()).await;
            started.with_context(|| {
                format!(
                    "{} did not start; it says: {}",
                    self.program.display(),
                    said()
                )
            })?;
        }
        self.running = Some(child);
        Ok(())
    }
}
