//! The page and an MQTT broker on one port, for developing and for trying out.

mod watch;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use axum::http::{HeaderMap, header};
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::testbed::{self, Relay};
use crate::{build, process, project};

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The port of the page and of the broker's WebSocket side (0: any free one)
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// The broker's port for native MQTT clients (0: any free one)
    #[arg(long, default_value_t = 0)]
    broker_port: u16,

    /// The address to listen on; 127.0.0.1 keeps other devices out
    #[arg(long, default_value = "0.0.0.0")]
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

/// Serves until it is dropped.
pub async fn run(options: Options) -> Result<()> {
    let Options {
        port,
        broker_port,
        host,
        ..
    } = options;
    // Before the build, which takes a while.
    if port != 0 && port == broker_port {
        bail!(
            "the page and the broker cannot share port {port}; give --broker-port another number"
        );
    }
    free(host, port, "--port").await?;
    free(host, broker_port, "--broker-port").await?;
    if !options.no_build {
        tokio::task::spawn_blocking(build_and_show).await??;
    } else if !project::dist().join("index.html").is_file() {
        bail!(
            "there is no dist/ to serve yet; run this without --no-build, or `cargo xtask build`"
        );
    }

    let broker_port = if broker_port == 0 {
        testbed::free_port()?
    } else {
        broker_port
    };
    testbed::start_rumqttd((host, broker_port).into()).await?;
    let own_address = if host.is_unspecified() {
        IpAddr::from([127, 0, 0, 1])
    } else {
        host
    };
    let relay = Relay::new((own_address, broker_port).into());

    let listener = free(host, port, "--port").await?;
    let port = listener.local_addr()?.port();
    let page = SocketAddr::new(own_address, port);
    let owners = project::root().join("rtchat.json");
    let pages = testbed::pages(&project::dist(), move |headers| {
        settings(headers, page, &owners)
    });
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let routes = relay.route().merge(pages.layer(compression));

    println!("\nrtchat is at http://{page}/");
    if let Some(address) = host.is_unspecified().then(address_in_network).flatten() {
        println!(
            "  for other devices in your network: http://{}/",
            SocketAddr::new(address, port)
        );
    }
    println!(
        "  its MQTT broker: ws://{page}/mqtt, and for native clients mqtt://{own_address}:{broker_port}"
    );
    println!("Ctrl-C ends it.");

    let _watching = if options.watch {
        Some(watch::start()?)
    } else {
        None
    };
    if options.open {
        open(&format!("http://{page}/"));
    }
    axum::serve(listener, routes)
        .tcp_nodelay(true)
        .await
        .context("the server ended by itself")
}

fn build_and_show() -> Result<()> {
    build::print_sizes(&build::run()?)
}

/// Listens, or says what to do when that cannot be.
async fn free(host: IpAddr, port: u16, option: &str) -> Result<TcpListener> {
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

/// The owner's settings, with our own broker in place of theirs. Its name is the one the page was called by, so that
/// a phone in the network finds it, too. No server outside is asked for one's address: it would not know ours.
fn settings(headers: &HeaderMap, page: SocketAddr, owners: &std::path::Path) -> Value {
    let owners = std::fs::read(owners)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut settings = owners.filter(Value::is_object).unwrap_or_else(|| json!({}));
    let called = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = called.map_or_else(|| page.to_string(), str::to_owned);
    settings["brokers"] = json!([format!("ws://{host}/mqtt")]);
    settings["iceServers"] = json!([]);
    settings
}

/// Our address as others see it. Connecting a UDP socket only looks up a route; nothing is sent. The address is one
/// of those reserved for documentation.
fn address_in_network() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

fn open(url: &str) {
    // In the background of a shell that ends at once, so that the browser is not ours and stays when we end.
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
    use super::*;

    #[test]
    fn the_broker_is_named_as_the_page_was_called() {
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
    async fn a_taken_port_is_named_with_a_way_out() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = free([127, 0, 0, 1].into(), port, "--port")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&port.to_string()) && error.contains("--port 0"),
            "{error}"
        );
    }
}
