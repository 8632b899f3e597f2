//! The page and an MQTT broker on one port, for development and for trying the page out.

mod watch;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::{HeaderMap, header};
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::testbed::{self, Relay};
use crate::{build, process, project, size};

/// Options for serving the page.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The port of the page and of the broker's WebSocket side (0: any free one)
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// The broker's port for native MQTT clients (0: any free one)
    #[arg(long, default_value_t = 0)]
    broker_port: u16,

    /// Let other devices in your network reach the page and the broker
    #[arg(long)]
    lan: bool,

    /// The address to listen on; by default only this machine can reach the page and the broker
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1",
        conflicts_with = "lan"
    )]
    host: IpAddr,

    /// Serve dist/ as it is
    #[arg(long)]
    no_build: bool,

    /// Open the page in the system's browser
    #[arg(long)]
    open: bool,

    /// Build again whenever a source changes (reload the page to see it)
    #[arg(long)]
    watch: bool,
}

impl Options {
    /// The address that the page and the broker listen on.
    fn listen_on(&self) -> IpAddr {
        if self.lan {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            self.host
        }
    }
}

/// Serves until the future is dropped.
pub async fn run(options: Options) -> Result<()> {
    let Options {
        port, broker_port, ..
    } = options;
    let host = options.listen_on();
    // These checks come before the build, which takes a while.
    if port != 0 && port == broker_port {
        bail!(
            "the page and the broker cannot share port {port}; give --broker-port another number"
        );
    }
    listen(host, port, "--port").await?;
    listen(host, broker_port, "--broker-port").await?;
    if !options.no_build {
        tokio::task::spawn_blocking(build_and_show).await??;
    } else if !project::dist().join("index.html").is_file() {
        bail!(
            "there is no dist/ to serve yet; run this without --no-build, or `cargo xtask build`"
        );
    }

    let server = Server::open(host, port, broker_port, &project::dist()).await?;
    let page = server.page;
    println!("\n{}", server.describe(address_in_network()));
    println!("Ctrl-C ends it.");

    let _watching = if options.watch {
        Some(watch::start()?)
    } else {
        None
    };
    if options.open {
        open(&format!("http://{page}/"));
    }
    axum::serve(server.listener, server.routes)
        .tcp_nodelay(true)
        .await
        .context("the server ended by itself")
}

/// The page and the broker, whose ports are open.
struct Server {
    listener: TcpListener,
    routes: Router,
    /// The address that both listen on.
    host: IpAddr,
    /// The page's address on this machine.
    page: SocketAddr,
    /// The broker's address on this machine, for native clients.
    broker: SocketAddr,
}

impl Server {
    /// Starts the broker, and listens for requests for the page. Port 0 means any free one.
    async fn open(host: IpAddr, port: u16, broker_port: u16, dist: &Path) -> Result<Self> {
        let broker_port = if broker_port == 0 {
            testbed::free_port()?
        } else {
            broker_port
        };
        testbed::start_rumqttd((host, broker_port).into()).await?;
        let own_address = if host.is_unspecified() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            host
        };
        let broker = SocketAddr::new(own_address, broker_port);
        let listener = listen(host, port, "--port").await?;
        let page = SocketAddr::new(own_address, listener.local_addr()?.port());
        let owners = project::root().join("rtchat.json");
        let pages = testbed::pages(dist, move |headers| settings(headers, page, &owners));
        let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
        Ok(Self {
            listener,
            routes: Relay::new(broker).route().merge(pages.layer(compression)),
            host,
            page,
            broker,
        })
    }

    /// Describes where the page and the broker can be reached, and by whom. `in_network` is this machine's address as
    /// other devices know it.
    fn describe(&self, in_network: Option<IpAddr>) -> String {
        let Self { page, broker, .. } = self;
        let mut text = format!(
            "rtchat is at http://{page}/\n  its MQTT broker: ws://{page}/mqtt, and for native clients mqtt://{broker}\n"
        );
        if self.host.is_loopback() {
            text += "  Only this machine can reach them. --lan lets other devices in your network do so.";
            return text;
        }
        text += "  Other devices in your network can reach both";
        if let Some(address) = in_network.filter(|_| self.host.is_unspecified()) {
            let page = SocketAddr::new(address, page.port());
            let broker = SocketAddr::new(address, broker.port());
            text += &format!(": http://{page}/ and mqtt://{broker}");
        } else {
            text += ".";
        }
        text
    }
}

fn build_and_show() -> Result<()> {
    size::print(&build::run()?)
}

/// Listens on a port, or returns an error that says what to do about it.
async fn listen(host: IpAddr, port: u16, option: &str) -> Result<TcpListener> {
    TcpListener::bind((host, port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is taken by another program; end that one, or choose another port: {option} {}, or {option} 0 \
             for any free one",
            port.checked_add(1).unwrap_or(1024),
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("this user may not listen on port {port}; choose one above 1023 with {option}")
        }
        _ => anyhow::anyhow!("cannot listen on {host} port {port}: {error}"),
    })
}

/// The owner's settings with our broker in place of theirs. The broker's host is the one in the request for the page, so
/// that a phone in the network finds it, too. STUN servers are left out, because a server outside of the network would
/// not see the addresses that are used inside of it.
fn settings(headers: &HeaderMap, page: SocketAddr, owners: &Path) -> Value {
    let owners = std::fs::read(owners)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut settings = owners.filter(Value::is_object).unwrap_or_else(|| json!({}));
    let requested = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = requested.map_or_else(|| page.to_string(), str::to_owned);
    settings["brokers"] = json!([format!("ws://{host}/mqtt")]);
    settings["iceServers"] = json!([]);
    settings
}

/// This machine's address in its network. Connecting a UDP socket only looks up a route and sends nothing. The remote
/// address is one of those that are reserved for documentation.
fn address_in_network() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

fn open(url: &str) {
    // A shell that ends at once starts the browser in the background. So it is not our child, and stays when we end.
    let (program, arguments): (_, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start"]),
        _ => ("sh", &["-c", "xdg-open \"$0\" &"]),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let opener = if program == "sh" { "xdg-open" } else { program };
    if (program == "sh" && process::find(opener).is_none()) || command.status().is_err() {
        println!("No browser was opened, since there is no `{opener}` here. Open {url} by hand.");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn listen_on(arguments: &[&str]) -> IpAddr {
        let arguments = [&["serve"], arguments].concat();
        Cli::try_parse_from(arguments).unwrap().options.listen_on()
    }

    async fn server(host: IpAddr) -> Server {
        let folder = tempfile::tempdir().unwrap();
        Server::open(host, 0, 0, folder.path()).await.unwrap()
    }

    #[test]
    fn only_this_machine_is_listened_to_unless_asked_otherwise() {
        assert!(listen_on(&[]).is_loopback());
        assert!(listen_on(&["--lan"]).is_unspecified());
        let address = IpAddr::from([192, 168, 1, 5]);
        assert_eq!(listen_on(&["--host", "192.168.1.5"]), address);
        assert!(Cli::try_parse_from(["serve", "--lan", "--host", "192.168.1.5"]).is_err());
    }

    /// On Linux every address in 127.0.0.0/8 is this machine's, so that 127.0.0.2 can stand for its address in a network.
    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn the_ports_of_page_and_broker_are_open_to_the_network_only_with_lan() {
        use tokio::net::TcpStream;
        for (arguments, reachable) in [(&[][..], false), (&["--lan"][..], true)] {
            let server = server(listen_on(arguments)).await;
            for port in [server.page.port(), server.broker.port()] {
                assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
                let elsewhere = TcpStream::connect(("127.0.0.2", port)).await;
                assert_eq!(elsewhere.is_ok(), reachable, "{arguments:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_addresses_for_other_devices_are_printed_only_with_lan() {
        let network = IpAddr::from([192, 168, 1, 5]);
        let local = server(listen_on(&[])).await.describe(Some(network));
        assert!(
            local.contains("Only this machine") && local.contains("--lan"),
            "{local}"
        );
        assert!(!local.contains("192.168.1.5"), "{local}");
        let server = server(listen_on(&["--lan"])).await;
        let lan = server.describe(Some(network));
        let page = format!("http://192.168.1.5:{}/", server.page.port());
        let broker = format!("mqtt://192.168.1.5:{}", server.broker.port());
        assert!(lan.contains(&page) && lan.contains(&broker), "{lan}");
    }

    #[test]
    fn the_broker_has_the_host_that_the_page_was_requested_from() {
        let folder = tempfile::tempdir().unwrap();
        let owners = folder.path().join("rtchat.json");
        std::fs::write(&owners, r#"{"title": "Ours", "brokers": ["wss://theirs"]}"#).unwrap();
        let page = "127.0.0.1:8080".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(
            settings(&headers, page, &owners)["brokers"],
            json!(["ws://127.0.0.1:8080/mqtt"])
        );
        headers.insert(header::HOST, "192.168.1.5:8080".parse().unwrap());
        let phone = settings(&headers, page, &owners);
        let expected =
            json!({ "title": "Ours", "brokers": ["ws://192.168.1.5:8080/mqtt"], "iceServers": [] });
        assert_eq!(phone, expected);
    }

    #[tokio::test]
    async fn the_error_about_a_taken_port_says_what_to_do() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = listen([127, 0, 0, 1].into(), port, "--port")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&port.to_string()) && error.contains("--port 0"),
            "{error}"
        );
    }
}
