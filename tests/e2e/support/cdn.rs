//! A host like the content delivery networks that serve npm packages.

use std::path::{Path, PathBuf};

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::task::JoinHandle;
use xtask::testbed::new_origin;

/// Serves the files of one version of a package to pages of all origins. Browsers may keep them for ever, and there is
/// nothing else: a page of another origin cannot even read that a file is missing.
#[derive(Debug)]
pub struct Cdn {
    url: String,
    server: JoinHandle<()>,
}

impl Cdn {
    /// Serves the package whose files are in this folder.
    pub async fn start(package: &Path) -> Result<Cdn> {
        let listener = new_origin()?;
        let url = format!("http://{}{PATH}", listener.local_addr()?);
        let files = Router::new().fallback(file).with_state(package.to_owned());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, files).await;
        });
        Ok(Cdn { url, server })
    }

    /// The address of a file.
    pub fn address(&self, file: &str) -> String {
        format!("{}{file}", self.url)
    }
}

impl Drop for Cdn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

const PATH: &str = "/npm/rtchat@0.1.0/";

async fn file(State(package): State<PathBuf>, request: Request) -> Response {
    let name = request.uri().path().strip_prefix(PATH).unwrap_or_default();
    let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "application/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match std::fs::read(package.join(name)) {
        Ok(content) if !name.contains("..") => (headers, content).into_response(),
        _ => (StatusCode::NOT_FOUND, "There is no such file.").into_response(),
    }
}
