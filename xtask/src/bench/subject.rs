//! The files that are measured.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use tokio::sync::OnceCell;

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
        let Some(dist) = self.dist.clone() else {
            return BUILT.get_or_try_init(build).await.cloned();
        };
        let ready = || setup::ensure(&[Need::Chromium, Need::Npm]);
        tokio::task::spawn_blocking(ready).await??;
        Ok(dist)
    }
}

/// The new build, which all benchmarks share.
static BUILT: OnceCell<PathBuf> = OnceCell::const_new();

async fn build() -> Result<PathBuf> {
    let ready = || {
        setup::ensure(setup::BENCHMARKS)?;
        build::run()
    };
    tokio::task::spawn_blocking(ready).await?
}
