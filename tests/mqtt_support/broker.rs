//! Real brokers as processes of their own, on 127.0.0.1, so that they can be ended and started again.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rumqttd::{Config, ConnectionSettings, RouterConfig, ServerSettings};
use tokio::net::TcpStream;

/// The environment variable that tells a copy of the test binary to be a broker, and on which port.
const PORT: &str = "RTCHAT_TEST_BROKER_PORT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rumqttd,
    Mosquitto,
}

pub struct Broker {
    kind: Kind,
    pub port: u16,
    allow_anonymous: bool,
    process: Option<Child>,
    config: PathBuf,
}

impl Broker {
    /// Starts a broker. `None` (with a word about it) where there is no mosquitto; in CI there has to be one.
    pub async fn start(kind: Kind) -> Option<Broker> {
        Broker::start_with(kind, true).await
    }

    pub async fn start_with(kind: Kind, allow_anonymous: bool) -> Option<Broker> {
        if kind == Kind::Mosquitto && !PathBuf::from(mosquitto()).exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "mosquitto is not installed"
            );
            eprintln!("skipped: mosquitto is not installed");
            return None;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = std::env::temp_dir().join(format!(
            "rtchat-mosquitto-{}-{port}.conf",
            std::process::id()
        ));
        let mut broker = Broker {
            kind,
            port,
            allow_anonymous,
            process: None,
            config,
        };
        broker.restart().await;
        Some(broker)
    }

    /// Ends the process, which cuts all connections.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts the process (again) and waits until it listens.
    pub async fn restart(&mut self) {
        self.stop();
        let mut command = match self.kind {
            Kind::Mosquitto => {
                let mut file = std::fs::File::create(&self.config).unwrap();
                writeln!(
                    file,
                    "listener {} 127.0.0.1\nallow_anonymous {}",
                    self.port, self.allow_anonymous
                )
                .unwrap();
                let mut command = Command::new(mosquitto());
                command.arg("-c").arg(&self.config);
                command
            }
            Kind::Rumqttd => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command
                    .args(["--exact", "rumqttd_process", "--ignored"])
                    .env(PORT, self.port.to_string());
                command
            }
        };
        let process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
        within(async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_file(&self.config);
    }
}

fn mosquitto() -> String {
    std::env::var("RTCHAT_TEST_MOSQUITTO").unwrap_or_else(|_| "/usr/sbin/mosquitto".to_owned())
}

/// What the copy of the test binary does: it is the broker until its parent has gone.
pub fn be_rumqttd() {
    let Some(port) = std::env::var(PORT).ok().and_then(|port| port.parse().ok()) else {
        return;
    };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let server = ServerSettings {
        name: "tcp".to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 5_000,
            max_payload_size: 64 * 1024,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let config = Config {
        router: RouterConfig {
            max_connections: 100,
            max_outgoing_packet_count: 200,
            max_segment_size: 1024 * 1024,
            max_segment_count: 10,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("tcp".to_owned(), server)])),
        ..Config::default()
    };
    rumqttd::Broker::new(config).start().unwrap();
}

/// Waits for `future`, but not for ever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("it should have happened by now")
}
