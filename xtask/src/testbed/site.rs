//! Serves the built page.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Html;
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::Value;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::project;

const NOT_FOUND: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Not found</title>\
    <p>There is no such page. <a href=\"/\">Go to rtchat.</a>";

/// Routes for the files of `dist`, with other settings in place of its `rtchat.json`, and for the demonstrations under
/// `/demo/`. A file with `.br` at the end is sent in place of the one that it compresses. Browsers revalidate every file, since files change often during development. Pages of other origins may use
/// all files, as on the static hosts that they are made for.
pub fn pages(
    dist: &Path,
    settings: impl Fn(&HeaderMap) -> Value + Clone + Send + Sync + 'static,
) -> Router {
    let no_cache = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let not_found = any(|| async { (StatusCode::NOT_FOUND, Html(NOT_FOUND)) });
    Router::new()
        .route(
            "/rtchat.json",
            get(move |headers: HeaderMap| async move { Json(settings(&headers)) }),
        )
        .nest_service(
            "/demo",
            ServeDir::new(project::root().join("embed").join("demo")),
        )
        .fallback_service(
            ServeDir::new(dist)
                .precompressed_br()
                .not_found_service(not_found),
        )
        .layer(SetResponseHeaderLayer::overriding(no_cache.0, no_cache.1))
        .layer(SetResponseHeaderLayer::overriding(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ))
}

/// A static host on 127.0.0.1.
#[derive(Debug)]
pub struct Site {
    url: String,
    server: JoinHandle<()>,
}

impl Site {
    /// Serves the files of `dist`, and `settings` as `rtchat.json`.
    pub async fn start(dist: impl Into<PathBuf>, settings: Value) -> Result<Self> {
        Self::with_headers(dist, settings, &[]).await
    }

    /// Serves the same with additional headers in every response.
    pub async fn with_headers(
        dist: impl Into<PathBuf>,
        settings: Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Self> {
        let dist = dist.into();
        if !dist.join("index.html").is_file() {
            bail!(
                "{} contains no index.html; `cargo xtask build` makes it",
                dist.display()
            );
        }
        let listener = super::new_origin()?;
        let url = format!("http://{}/", listener.local_addr()?);
        let mut pages = pages(&dist, move |_| settings.clone());
        for (name, value) in headers {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_str(value)?);
            pages = pages.layer(SetResponseHeaderLayer::overriding(name, value));
        }
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, pages).tcp_nodelay(true).await;
        });
        Ok(Self { url, server })
    }

    /// The address of the site, with a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}
