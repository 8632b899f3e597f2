//! rumqttd, a broker that runs inside this process.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use rumqttd::{Config, ConnectionSettings, RouterConfig, ServerSettings};

/// Starts rumqttd's MQTT 3.1.1 listener and waits until it answers. It runs until the process ends: rumqttd cannot be
/// stopped.
pub async fn start(listen: SocketAddr) -> Result<()> {
    let connections = ConnectionSettings {
        connection_timeout_ms: 10_000,
        max_payload_size: 1 << 20,
        max_inflight_count: 1_000,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings {
        name: "v4".into(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections,
    };
    let router = RouterConfig {
        max_connections: 10_000,
        max_outgoing_packet_count: 1_000,
        max_segment_size: 1 << 20,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    let config = Config {
        router,
        v4: Some(HashMap::from([("v4".into(), server)])),
        ..Config::default()
    };
    let mut broker = rumqttd::Broker::new(config);
    // rumqttd does not report an error if it cannot listen, so this is checked first.
    drop(
        std::net::TcpListener::bind(listen)
            .with_context(|| format!("the broker cannot listen on {listen}"))?,
    );
    let thread = std::thread::Builder::new()
        .name("broker".into())
        .spawn(move || broker.start().is_ok())?;
    let reachable = if listen.ip().is_unspecified() {
        super::local(listen.port())
    } else {
        listen
    };
    let alive = || {
        if thread.is_finished() {
            bail!("the broker ended by itself")
        } else {
            Ok(())
        }
    };
    super::listening(reachable, alive).await
}
