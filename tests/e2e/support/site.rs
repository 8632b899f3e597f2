//! Sites: at the root of a host, or anywhere on it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xtask::testbed::{Site, dist, new_origin, pages};

/// Settings with this broker and no STUN server, so that no test needs the internet.
pub fn settings(broker: &str) -> Value {
    json!({ "brokers": [broker], "iceServers": [] })
}

/// The host and port of a site, which identify its page to rooms.
pub fn page_of(site: &Site) -> &str {
    site.url()
        .trim_start_matches("http://")
        .trim_end_matches('/')
}

/// A host with the page at several paths, each with an `rtchat.json` that may contain anything and may be changed.
#[derive(Debug)]
pub struct Host {
    site: Site,
    folder: PathBuf,
}

impl Host {
    /// Starts a host without a page.
    pub async fn start() -> Result<Host> {
        Host::with_headers(&[]).await
    }

    /// Starts a host that adds these headers to every response.
    pub async fn with_headers(headers: &[(&'static str, &str)]) -> Result<Host> {
        static HOSTS: AtomicU32 = AtomicU32::new(0);
        let number = HOSTS.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e-host-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("index.html"), "<title>Somebody's home</title>")?;
        let site = Site::with_headers(&folder, json!({}), headers).await?;
        Ok(Host { site, folder })
    }

    /// Writes an HTML page, and returns its address.
    pub fn write_page(&self, path: &str, html: &str) -> Result<String> {
        fs::write(self.folder.join(path), html)?;
        Ok(self.address(path))
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.site.url())
    }

    /// Copies the chat page to a path such as `some/sub/path/`, and returns its address.
    pub fn put(&self, path: &str, settings: impl ToString) -> Result<String> {
        let from = dist();
        let files =
            fs::read_dir(&from).with_context(|| format!("{} is missing", from.display()))?;
        let to = self.folder.join(path);
        fs::create_dir_all(&to)?;
        for file in files {
            let file = file?;
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
        self.change_settings(path, settings)?;
        Ok(self.address(path))
    }

    /// Changes the settings of the page at this path.
    pub fn change_settings(&self, path: &str, settings: impl ToString) -> Result<()> {
        let path = self.folder.join(path).join("rtchat.json");
        let before = fs::metadata(&path).and_then(|file| file.modified());
        fs::write(&path, settings.to_string())?;
        if let Ok(before) = before {
            // Browsers compare modification times in whole seconds.
            let file = fs::File::options().write(true).open(&path)?;
            file.set_modified(before + Duration::from_secs(2))?;
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // If this fails, files remain in target/.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A site of which one file comes only when it is released.
#[derive(Debug)]
pub struct HeldSite {
    url: String,
    released: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl HeldSite {
    /// Starts a site that holds its settings, so that its pages wait with their program running.
    pub async fn start(settings: Value) -> Result<HeldSite> {
        HeldSite::holding("/rtchat.json", settings).await
    }

    /// Starts a site that holds its program.
    pub async fn without_program(settings: Value) -> Result<HeldSite> {
        HeldSite::holding("_bg.wasm", settings).await
    }

    async fn holding(file: &'static str, settings: Value) -> Result<HeldSite> {
        let (released, held) = watch::channel(false);
        let hold = from_fn(move |request: Request, next: Next| {
            let mut held = held.clone();
            async move {
                if request.uri().path().ends_with(file) {
                    // An error would mean that the site is gone.
                    let _ = held.wait_for(|released| *released).await;
                }
                next.run(request).await
            }
        });
        let (url, server) = serve(routes(settings).layer(hold)).await?;
        Ok(HeldSite {
            url,
            released,
            server,
        })
    }

    /// The address of the site, with a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Holds the file, or lets it go.
    pub fn release(&self, released: bool) {
        self.released.send_replace(released);
    }
}

impl Drop for HeldSite {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn routes(settings: Value) -> Router {
    pages(&dist(), move |_| settings.clone())
}

/// A site that asks for a name and a password, by Basic authentication.
#[derive(Debug)]
pub struct GuardedSite {
    address: String,
    server: JoinHandle<()>,
}

impl GuardedSite {
    pub async fn start(settings: Value) -> Result<GuardedSite> {
        let guard = from_fn(|request: Request, next: Next| async {
            let given = request.headers().get(header::AUTHORIZATION);
            // It is `ann:secret`.
            if given.is_some_and(|given| given == "Basic YW5uOnNlY3JldA==") {
                return next.run(request).await;
            }
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"rtchat\"")];
            (StatusCode::UNAUTHORIZED, challenge).into_response()
        });
        let (url, server) = serve(routes(settings).layer(guard)).await?;
        let address = url.trim_start_matches("http://").to_owned();
        Ok(GuardedSite { address, server })
    }

    /// The address of the site with the name and the password, and a slash at the end.
    pub fn url(&self) -> String {
        format!("http://ann:secret@{}", self.address)
    }
}

impl Drop for GuardedSite {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves these routes on a port of its own, and returns the address, with a slash at the end.
pub async fn serve(routes: Router) -> Result<(String, JoinHandle<()>)> {
    let listener = new_origin()?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, routes).await;
    });
    Ok((url, server))
}

/// The page with a script that runs before its own ones, in a folder that has to exist for as long as the page is used.
pub fn with_script(script: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(dist())?.flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    // The page's policy forbids scripts within it.
    fs::write(folder.path().join("before.js"), script)?;
    let page = folder.path().join("index.html");
    let html = fs::read_to_string(&page)?;
    let with = html.replacen("<body>", "<body><script src=\"before.js\"></script>", 1);
    ensure!(with != html, "the page has no body");
    fs::write(page, with)?;
    Ok(folder)
}
