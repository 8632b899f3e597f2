//! A public network with a server, and two homes behind routers that translate addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Broker, Browser, Forwarding, Namespace, Site};

/// The address of the server in the public network.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
/// The ports of its page, its broker and its STUN server.
const PAGE: u16 = 8080;
const BROKER: u16 = 9001;
const STUN: u16 = 3478;

/// A change of the first home's network.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// The router forgets what UDP it let through, and takes other ports from now on. TCP goes on.
    UdpPort,
    /// The router forgets everything, and takes other ports from now on.
    Port,
    /// The router gets another public address.
    Address,
    /// The computer uses another interface, which leads to another router.
    Router,
}

/// The networks.
#[derive(Debug)]
pub struct Routers {
    public: Namespace,
    homes: [Arc<Namespace>; 2],
    /// The two routers of the first home, and that of the second one.
    routers: [Router; 3],
    /// Which of its routers the first home uses.
    used: usize,
    /// How often something has changed.
    changes: u8,
}

#[derive(Debug)]
struct Router {
    namespace: Namespace,
    /// Its address in the public network.
    address: Ipv4Addr,
}

impl Routers {
    /// Makes the networks. It fails where this process may not.
    pub fn new() -> Result<Routers> {
        let public = Namespace::new()?;
        public.run("ip link add br0 type bridge mcast_snooping 0")?;
        public.run(&format!("ip addr add {PUBLIC}/24 dev br0"))?;
        public.run("ip link set br0 up")?;
        let router = |number: u8| Router::new(&public, number);
        let routers = [router(0)?, router(1)?, router(2)?];
        let homes = [Namespace::new()?, Namespace::new()?];
        routers[0].lead_to(&homes[0], "eth0", 0)?;
        routers[1].lead_to(&homes[0], "eth1", 1)?;
        routers[2].lead_to(&homes[1], "eth0", 2)?;
        let networks = Routers {
            public,
            homes: homes.map(Arc::new),
            routers,
            used: 0,
            changes: 0,
        };
        networks.plug(0, 0, "eth0")?;
        networks.plug(1, 2, "eth0")?;
        Ok(networks)
    }

    /// Starts a Chromium in one of the homes.
    pub async fn chromium(&self, home: usize, server: &Server) -> Result<Browser> {
        // The page is not on this machine, as far as the browser can tell, and has no certificate.
        let secure = format!(
            "--unsafely-treat-insecure-origin-as-secure={}",
            server.url().trim_end_matches('/')
        );
        Browser::chromium_in(&self.homes[home], &[&secure]).await
    }

    /// Starts a server in the public network: this page, a broker, and STUN.
    pub async fn serve(&self, dist: &Path) -> Result<Server> {
        let broker = Broker::rumqttd().await?;
        let own = |port| format!("{PUBLIC}:{port}");
        let settings = json!({
            "brokers": [format!("ws://{}/mqtt", own(BROKER))],
            "iceServers": [{ "urls": [format!("stun:{}", own(STUN))] }],
        });
        let site = Site::start(dist, settings).await?;
        Ok(Server {
            url: format!("http://{}/", own(PAGE)),
            _stun: self.serve_stun()?,
            _ways: [
                self.publish(PAGE, site.url())?,
                self.publish(BROKER, &broker.ws_url())?,
            ],
            _site: site,
            _broker: broker,
        })
    }

    /// Makes what listens at a local address reachable in the public network.
    fn publish(&self, port: u16, url: &str) -> Result<Forwarding> {
        let host = url.split('/').nth(2).context("the address has a host")?;
        self.public.admit((PUBLIC, port).into(), host.parse()?)
    }

    /// Starts a STUN server, which tells whoever asks from where it was asked (RFC 8489).
    fn serve_stun(&self) -> Result<Stun> {
        let socket = self.public.udp((PUBLIC, STUN).into())?;
        Ok(Stun(tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                if let Some(answer) = stun_answer(&packet[..length], from) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        })))
    }

    /// The cable of the first home's router is pulled out: nothing leaves or comes, and no interface of the computer knows.
    pub fn unplug(&self) -> Result<()> {
        let router = &self.routers[self.used];
        router.namespace.run("ip link set wan down")
    }

    /// Changes the network of the first home.
    pub fn change(&mut self, change: Change) -> Result<()> {
        self.changes += 1;
        let ports = 20_000 + 5_000 * u16::from(self.changes % 8);
        let router = &mut self.routers[self.used];
        match change {
            Change::UdpPort => {
                router.translate(Some(ports), true)?;
                router.renumber(router.address)
            }
            Change::Port => {
                router.translate(Some(ports), false)?;
                router.renumber(router.address)
            }
            Change::Address => {
                router.translate(None, false)?;
                router.renumber(Ipv4Addr::new(198, 51, 100, 100 + self.changes))
            }
            Change::Router => {
                let former = format!("eth{}", self.used);
                self.homes[0].run(&format!("ip link set {former} down"))?;
                self.used = 1 - self.used;
                let next = &self.routers[self.used];
                next.translate(None, false)?;
                next.namespace.run("ip link set wan up")?;
                self.plug(0, self.used, &format!("eth{}", self.used))
            }
        }
    }

    /// Has a home use this interface, behind the router with this number.
    fn plug(&self, home: usize, router: usize, interface: &str) -> Result<()> {
        let home = &self.homes[home];
        home.run(&format!("ip link set {interface} up"))?;
        home.run(&format!(
            "ip route replace default via 10.{router}.0.1 dev {interface}"
        ))
    }
}

impl Router {
    fn new(public: &Namespace, number: u8) -> Result<Router> {
        let namespace = Namespace::new()?;
        let id = namespace.id();
        public.run(&format!(
            "ip link add wan{number} type veth peer name wan netns {id}"
        ))?;
        public.run(&format!("ip link set wan{number} master br0 up"))?;
        namespace.run("ip link set wan up")?;
        namespace.run("sysctl -qw net.ipv4.ip_forward=1")?;
        let mut router = Router {
            namespace,
            address: Ipv4Addr::new(198, 51, 100, 20 + number),
        };
        router.translate(None, false)?;
        router.renumber(router.address)?;
        Ok(router)
    }

    /// Connects a home to it. The home's interface is not up yet.
    fn lead_to(&self, home: &Namespace, interface: &str, number: u8) -> Result<()> {
        let id = home.id();
        self.namespace.run(&format!(
            "ip link add lan type veth peer name {interface} netns {id}"
        ))?;
        self.namespace
            .run(&format!("ip addr add 10.{number}.0.1/24 dev lan"))?;
        self.namespace.run("ip link set lan up")?;
        home.run(&format!("ip addr add 10.{number}.0.2/24 dev {interface}"))
    }

    /// Gives it this public address. It forgets whatever went through the former one, also where that is the same.
    fn renumber(&mut self, address: Ipv4Addr) -> Result<()> {
        // Masquerading ends connections with the address that they use.
        self.namespace.run("ip addr flush dev wan")?;
        self.namespace
            .run(&format!("ip addr add {address}/24 dev wan"))?;
        self.namespace.run("ip link set wan up")?;
        self.address = address;
        Ok(())
    }

    /// Has it translate addresses, with these ports and more for UDP. It lets nothing in but answers. `keeps_tcp` is
    /// whether TCP goes on that it knows nothing of; otherwise it is dropped without a word.
    fn translate(&self, ports: Option<u16>, keeps_tcp: bool) -> Result<()> {
        let range = ports.map(|first| {
            format!(
                "oifname wan meta l4proto udp masquerade to :{first}-{}",
                first + 4_999
            )
        });
        let rules = format!(
            "flush ruleset
            table ip home {{
              chain out {{
                type nat hook postrouting priority srcnat
                {}
                oifname wan masquerade
              }}
              chain through {{
                type filter hook forward priority filter
                ct state invalid drop
                iifname wan ct state established,related accept
                iifname wan drop
              }}
              chain to {{
                type filter hook input priority filter
                iifname wan ct state established,related accept
                iifname wan drop
              }}
            }}
            ",
            range.unwrap_or_default()
        );
        self.namespace.feed("nft", &rules)?;
        let loose = u8::from(keeps_tcp);
        self.namespace.run(&format!(
            "sysctl -qw net.netfilter.nf_conntrack_tcp_loose={loose}"
        ))
    }
}

/// What runs in the public network.
#[derive(Debug)]
pub struct Server {
    url: String,
    _stun: Stun,
    _ways: [Forwarding; 2],
    _site: Site,
    _broker: Broker,
}

impl Server {
    /// The address of the page.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A running STUN server.
#[derive(Debug)]
struct Stun(JoinHandle<()>);

impl Drop for Stun {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer to a binding request, with its `XOR-MAPPED-ADDRESS` (RFC 8489, sections 5 and 14.2).
fn stun_answer(packet: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let (head, transaction) = (packet.get(..8)?, packet.get(8..20)?);
    let IpAddr::V4(address) = from.ip() else {
        return None;
    };
    if !head.starts_with(&BINDING_REQUEST) || !head.ends_with(&COOKIE) {
        return None;
    }
    let port = from.port() ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]]);
    let address = address.to_bits() ^ u32::from_be_bytes(COOKIE);
    let mut answer = vec![1, 1, 0, 12];
    answer.extend(COOKIE);
    answer.extend(transaction);
    answer.extend([0, 0x20, 0, 8, 0, 1]);
    answer.extend(port.to_be_bytes());
    answer.extend(address.to_be_bytes());
    Some(answer)
}
