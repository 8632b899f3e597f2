//! A page that the browser translates goes on telling what happens.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Bed, Browser, Tab, run};

#[test]
fn chromium_translates_a_page_that_goes_on() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        goes_on(&bed, browsers).await
    });
}

#[test]
fn firefox_translates_a_page_that_goes_on() {
    run(|bed| async move {
        let browsers = [&bed.firefox().await?, &bed.chromium().await?];
        goes_on(&bed, browsers).await
    });
}

/// Waits until the elements that this selector finds say this, and nothing else.
async fn says(tab: &Tab, selector: &str, text: &str) -> Result<()> {
    let script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent).join('|')";
    tab.until_script(script, &[selector], text).await
}

async fn goes_on(bed: &Bed, [first, second]: [&Browser; 2]) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let ann = first.open(site.url()).await?;
    ann.until("the welcome", |page| page.has("name")).await?;
    ann.script(include_str!("translation/translate.js"), Vec::new())
        .await?;
    says(&ann, ".card button", "«Join»").await?;
    ann.enter_name(&"x".repeat(50)).await?;
    let problem = "«Names have at most 40 characters, and this one has 50. Shorten it by 10.»";
    says(&ann, "[data-testid=name-problem]", problem).await?;
    ann.enter_name("x").await?;
    let problem = problem.replace("50", "51").replace("by 10", "by 11");
    says(&ann, "[data-testid=name-problem]", &problem).await?;
    let clear = "document.querySelector('[data-testid=name]').value = ''";
    ann.script(clear, Vec::new()).await?;
    ann.join("ann").await?;

    let (words, state) = (".status .words", ".people li .hint");
    says(&ann, words, "«Looking for others …»").await?;
    says(&ann, ".people .count", "1").await?;
    ann.say("anybody?").await?;
    let delivery = "[data-testid=delivery] .sr";
    says(&ann, delivery, "«Nobody was here to receive it»").await?;
    ann.click("copy-link").await?;

    let ben = second.open(site.url()).await?;
    ben.join("ben").await?;
    ann.sees(&["ben"]).await?;
    says(&ann, words, "«2 people, connected directly»").await?;
    says(&ann, "[role=status].sr", "«2 people, connected directly»|").await?;
    says(&ann, ".people .count", "2").await?;
    says(&ann, ".to-people .sr", "«People, 2 people»").await?;
    says(&ann, state, "« you»").await?;
    says(&ann, "[data-testid=moves]", "ben« joined»").await?;

    ann.say("hello").await?;
    ben.hears("ann", "hello").await?;
    says(&ann, delivery, "«Delivered»|«Delivered»").await?;

    let long = format!("{}time", "long ".repeat(500));
    ben.paste_and_send(&long).await?;
    ann.until("the long message", |page| page.has("fold"))
        .await?;
    ann.click("fold").await?;
    says(&ann, "[data-testid=fold]", "«Show less»").await?;
    says(
        &ann,
        "[data-testid=message]:last-child [data-testid=message-text]",
        &format!("«{long}»"),
    )
    .await?;

    ann.click("person").await?;
    let sentence = "[data-testid=person-details] > p.standing";
    says(&ann, sentence, "«You haven’t met before.»").await?;
    ann.click("mark-verified").await?;
    says(
        &ann,
        sentence,
        "«You compared the safety number with them.»",
    )
    .await?;
    says(&ann, "[data-testid=peer] .trust .sr", "«Verified»").await?;

    ben.close().await?;
    ann.until("that nobody is there", |page| page.status == "looking")
        .await?;
    says(&ann, ".people .count", "1").await?;
    says(&ann, state, "« you»").await?;
    let thrown = ann.script("return thrown", Vec::new()).await?;
    ensure!(thrown == serde_json::json!([]), "{thrown}");
    bed.no_errors().await
}
