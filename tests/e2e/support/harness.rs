//! Runs a scenario. If it fails, reports what every tab showed.

use std::any::type_name;
use std::fmt::Write;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use tokio::runtime::{Builder, Runtime};
use xtask::testbed::{Broker, Site, dist};

use super::browsers::{Browser, Kind};
use super::site::settings;
use super::tab::Tab;

/// The limit for a scenario, generous enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// One runtime for all scenarios, because they share browsers. Its threads must live as long as the process, because a
/// program is ended with the thread that started it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    runtime.expect("the runtime should start")
});

/// Runs a scenario, then gives its browsers back. A page that panicked makes the scenario fail, too.
pub fn run<F, Scenario>(scenario: F)
where
    F: FnOnce(Bed) -> Scenario + Send + 'static,
    Scenario: Future<Output = Result<()>> + Send + 'static,
{
    // "e2e::chat::two_tabs_of_chromium_chat::{{closure}}"
    let name = type_name::<F>()
        .trim_start_matches("e2e::")
        .trim_end_matches("::{{closure}}");
    let failure = RUNTIME.block_on(async {
        let bed = Bed::default();
        let scenario = RUNTIME.spawn(tokio::time::timeout(PATIENCE, scenario(bed.clone())));
        let outcome = match scenario.await {
            Ok(Ok(Ok(()))) => bed.no_panic().await,
            Ok(Ok(failed)) => failed,
            Ok(Err(_)) => Err(anyhow!("not done after {} s", PATIENCE.as_secs())),
            Err(panic) => Err(panic.into()),
        };
        RUNTIME.spawn(bed.clear(name.to_owned(), outcome)).await
    });
    match failure {
        Ok(None) => {}
        Ok(Some(failure)) => panic!("{failure}"),
        Err(error) => panic!("{error}"),
    }
}

/// The browsers that one scenario uses.
#[derive(Clone, Debug, Default)]
pub struct Bed(Arc<Mutex<Vec<Browser>>>);

impl Bed {
    /// A Chromium that no other scenario uses at the moment. A second call gives a second one, with another profile.
    pub async fn chromium(&self) -> Result<Browser> {
        Ok(self.keep(Browser::take(Kind::Chromium).await?))
    }

    /// A Firefox that no other scenario uses at the moment.
    pub async fn firefox(&self) -> Result<Browser> {
        Ok(self.keep(Browser::take(Kind::Firefox).await?))
    }

    /// A browser that no other scenario uses.
    pub async fn own(&self, browser: xtask::testbed::Browser) -> Result<Browser> {
        Ok(self.keep(Browser::own(browser).await?))
    }

    /// The page on a port of its own, which makes it a new origin with empty storage. It uses this broker.
    pub async fn site(&self, broker: &Broker) -> Result<Site> {
        Site::start(dist(), settings(&broker.ws_url())).await
    }

    /// Two people in the site's room who see each other: ann in Chromium, and ben in Firefox.
    pub async fn ann_and_ben(&self, site: &Site) -> Result<[Tab; 2]> {
        let ann = self.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = self.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        Ok([ann, ben])
    }

    /// Checks that no browser has reported an error so far. It has to be called before the broker stops, because that
    /// causes errors.
    pub async fn no_errors(&self) -> Result<()> {
        let browsers = self.used().clone();
        for browser in browsers {
            let errors = browser.errors().await?;
            ensure!(errors.is_empty(), "{browser} reports errors: {errors:#?}");
        }
        Ok(())
    }

    /// Checks that no page panicked.
    async fn no_panic(&self) -> Result<()> {
        let browsers = self.used().clone();
        for browser in browsers {
            for tab in browser.tabs().await? {
                ensure!(
                    !tab.page().await?.has("panic"),
                    "{browser}: a page panicked"
                );
            }
        }
        Ok(())
    }

    fn keep(&self, browser: Browser) -> Browser {
        self.used().push(browser.clone());
        browser
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Vec<Browser>> {
        self.0
            .lock()
            .expect("no thread panics while it holds the lock")
    }

    /// Gives the browsers back. After a failure they are not used again, and the report has everything that they show.
    async fn clear(self, name: String, outcome: Result<()>) -> Option<String> {
        let browsers = std::mem::take(&mut *self.used());
        let Err(error) = outcome else {
            for browser in browsers {
                // A browser that does not close its tabs is ended.
                let _ = browser.give_back().await;
            }
            return None;
        };
        let mut report = format!("{error:#}\n");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("e2e");
        for (number, browser) in (1..).zip(&browsers) {
            let _ = writeln!(report, "\n-- browser {number}: {browser} --");
            let files = folder.join(format!("{}-{number}", name.replace("::", "-")));
            report += &evidence(browser, &files).await;
        }
        Some(report)
    }
}

async fn evidence(browser: &Browser, files: &Path) -> String {
    let gathered = browser.evidence(files);
    match tokio::time::timeout(Duration::from_secs(20), gathered).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => format!("no further evidence: {error:#}\n"),
        Err(_) => "the browser does not respond\n".into(),
    }
}
