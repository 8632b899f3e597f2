//! What the browser takes alone.

use anyhow::{Context, Result};

use super::script;
use super::stage::Stage;

/// How many milliseconds a pair of connections takes to open, in a page that has had none before.
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
