//! The files that are measured.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::build;
use crate::setup::{self, Need};

/// The files that are measured: a new build, or an existing folder.
#[derive(Args, Clone, Debug)]
pub struct Subject {
    /// Measure the files in this folder instead of building them
    #[arg(long, value_name = "FOLDER")]
    dist: Option<PathBuf>,
}

impl Subject {
    /// The folder with the files. Installs what a benchmark needs, and builds unless a folder was given.
    pub async fn folder(&self) -> Result<PathBuf> {
        let dist = self.dist.clone();
        let ready = tokio::task::spawn_blocking(move || match dist {
            Some(dist) => setup::ensure(&[Need::Chromium, Need::Npm]).map(|_| dist),
            None => {
                setup::ensure(&[Need::Page, Need::Chromium, Need::Npm]).and_then(|_| build::run())
            }
        });
        ready.await?
    }
}
