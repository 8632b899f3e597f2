//! Network namespaces: networks of their own on this machine, which end with their values.

use std::fs;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

use super::Child;
use crate::process;

/// A network namespace. It lives as long as a program that sleeps in it, so nothing is left of it when this process is
/// killed.
#[derive(Debug)]
pub struct Namespace {
    sleeper: Child,
}

impl Namespace {
    /// Makes a namespace in which nothing but the loopback interface is up. It fails where this process may not make one.
    pub fn new() -> Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]);
        let mut sleeper = Child::start(command.stderr(Stdio::null()))?;
        let ours = fs::read_link("/proc/self/ns/net")?;
        let theirs = format!("/proc/{}/ns/net", sleeper.id());
        let start = Instant::now();
        while fs::read_link(&theirs).is_ok_and(|theirs| theirs == ours) {
            sleeper
                .check_alive()
                .context("this machine lets nobody make a network namespace")?;
            ensure!(start.elapsed() < Duration::from_secs(10), "unshare hangs");
            std::thread::sleep(Duration::from_millis(2));
        }
        let namespace = Self { sleeper };
        namespace.run("ip link set lo up")?;
        Ok(namespace)
    }

    /// The process id by which `ip link set … netns` knows it.
    pub fn id(&self) -> u32 {
        self.sleeper.id()
    }

    /// A command that runs in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.id().to_string(), program]);
        command
    }

    /// Runs a command in it, given as words with spaces between them.
    pub fn run(&self, words: &str) -> Result<()> {
        let (program, arguments) = words.split_once(' ').unwrap_or((words, ""));
        succeed(self.command(program).args(arguments.split_whitespace()))
    }

    /// Has a program in it read a script.
    pub fn feed(&self, program: &str, script: &str) -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), script)?;
        succeed(self.command(program).arg("-f").arg(file.path()))
    }

    /// Runs a function in it. Sockets that it opens stay in this namespace.
    pub fn within<T: Send>(&self, open: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let handle = fs::File::open(format!("/proc/{}/ns/net", self.id()))?;
        let in_a_thread = || {
            enter(&handle)?;
            open()
        };
        let done = std::thread::scope(|scope| scope.spawn(in_a_thread).join());
        done.map_err(|_| anyhow!("the thread in the namespace panicked"))?
    }

    /// A UDP socket in it.
    pub fn udp(&self, address: SocketAddr) -> Result<UdpSocket> {
        let socket = self.within(|| Ok(std::net::UdpSocket::bind(address)?))?;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket::from_std(socket)?)
    }

    /// Makes what listens at `inside` of this namespace reachable from outside, and returns its address there.
    pub async fn expose(self: &Arc<Self>, inside: SocketAddr) -> Result<(SocketAddr, Forwarding)> {
        let listener = TcpListener::bind(super::local(0)).await?;
        let address = listener.local_addr()?;
        let namespace = Arc::clone(self);
        let connect = move || {
            let stream = namespace.within(|| Ok(StdStream::connect(inside)?))?;
            stream.set_nonblocking(true)?;
            Ok(TcpStream::from_std(stream)?)
        };
        Ok((address, Forwarding::start(listener, connect)))
    }

    /// Makes what listens at `outside` of this namespace reachable in it, at `inside`.
    pub fn admit(&self, inside: SocketAddr, outside: SocketAddr) -> Result<Forwarding> {
        let listener = self.within(|| Ok(StdListener::bind(inside)?))?;
        listener.set_nonblocking(true)?;
        let connect = move || {
            let stream = StdStream::connect(outside)?;
            stream.set_nonblocking(true)?;
            Ok(TcpStream::from_std(stream)?)
        };
        Ok(Forwarding::start(TcpListener::from_std(listener)?, connect))
    }
}

/// Runs a command to its end. An error has what it said.
fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{}`: {said}",
        process::shown(command)
    );
    Ok(())
}

/// Passes TCP connections on, until it is dropped.
#[derive(Debug)]
pub struct Forwarding(JoinHandle<()>);

impl Forwarding {
    fn start(
        listener: TcpListener,
        connect: impl Fn() -> Result<TcpStream> + Clone + Send + 'static,
    ) -> Self {
        Self(tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let connect = connect.clone();
                tokio::spawn(async move {
                    let there = tokio::task::spawn_blocking(connect).await;
                    if let Ok(Ok(mut there)) = there {
                        let _ = (here.set_nodelay(true), there.set_nodelay(true));
                        let _ = copy_bidirectional(&mut here, &mut there).await;
                    }
                });
            }
        }))
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Moves the present thread into a namespace.
#[cfg(target_os = "linux")]
fn enter(namespace: &fs::File) -> Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: it takes two numbers, and reads no memory.
    let entered = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    if entered != 0 {
        bail!("setns: {}", std::io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &fs::File) -> Result<()> {
    bail!("only Linux has network namespaces")
}
