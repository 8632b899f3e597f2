//! Measures the browser alone, without a broker.

use anyhow::{Context, Result};

use super::script;
use super::stage::Stage;

/// The milliseconds that a pair of connections takes to open, in a page that has made none before.
pub async fn measure(stage: &Stage, page: &str) -> Result<f64> {
    let window = stage.window(&[]).await?;
    window.go(page).await?;
    let body = script("bare.js")?;
    let millis = window.wait(&format!("{{ {body} }}")).await?;
    stage.clear().await?;
    millis
        .as_f64()
        .context("two RTCPeerConnections of one page did not meet")
}
