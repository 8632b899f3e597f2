//! The contestant rtchat: the built page, without changes.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::{Contestant, script};
use crate::testbed::{Bridge, Site};

/// Serves the page, once for each line to the broker.
pub async fn contestant(dist: &Path, bridges: &[Bridge; 2]) -> Result<([Site; 2], Contestant)> {
    let site = |bridge: &Bridge| {
        let settings = json!({ "brokers": [bridge.ws_url()], "iceServers": [] });
        Site::start(dist.to_owned(), settings)
    };
    let sites = [site(&bridges[0]).await?, site(&bridges[1]).await?];
    let contestant = Contestant {
        name: "rtchat",
        scripts: vec![script("rtchat.js")?],
        pages: sites.each_ref().map(|site| format!("{}?", site.url())),
    };
    Ok((sites, contestant))
}
