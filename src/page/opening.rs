//! What is read before the person can join: the address, the settings and the profile.

use super::{CHOSEN, Open, Page};
use crate::head_start::HeadStart;
use crate::history::Mode;
use crate::identity::Name;
use crate::join::Joining;
use crate::settings::web::{FILE, address, href, load};
use crate::settings::{AddressError, PageAddress, Settings, room_link};
use crate::ui::{Entry, EventSink, Opening, UiEvent};

impl Page {
    /// Reads everything that is needed before the person can join.
    pub(super) async fn read(self, sink: EventSink) {
        let here = href().unwrap_or_default();
        let site = self.site.0.as_deref();
        let address = match site {
            Some(site) => PageAddress::parse(&site.page),
            None => address(),
        };
        let address = match address {
            Ok(address) => address,
            Err(error) => return sink(refused(&here, error)),
        };
        let begun = {
            let page = self.inner.borrow();
            page.head_start.as_ref().and_then(HeadStart::settings)
        };
        let settings = async {
            match site {
                Some(site) => Settings::parse(&site.settings),
                None => load(FILE, begun).await,
            }
        };
        let outdated = self.site.clone();
        let outdated = move || outdated.restart();
        let join = Joining::open(address, settings, false, outdated).await;
        if self.inner.borrow().closed {
            return;
        }
        let join = match join {
            Ok(mut join) => {
                // A chat in somebody's page is one of many that its reader meets.
                join.history = match site {
                    Some(_) => Mode::Session,
                    None => Mode::Kept,
                };
                join
            }
            Err(error) => {
                if let Some(site) = site {
                    site.notify("status", &[("status", "stopped".into())]);
                }
                return sink(UiEvent::Failed(error.to_string()));
            }
        };
        let (address, mut profile) = (&join.address, join.profile.borrow_mut());
        let given_name = site.and_then(|site| given_name(site.name.as_deref()?));
        let chosen = CHOSEN.with_borrow(Clone::clone);
        let link = match site {
            Some(_) => here.split('#').next().unwrap_or_default().to_owned(),
            None => room_link(&here, address.room.as_deref(), address.secret.as_ref()),
        };
        let opening = Opening {
            room: join.room().to_owned(),
            link,
            open_link: room_link(&here, address.room.as_deref(), None),
            entry: match (site, &address.secret) {
                (Some(_), _) => Entry::Embedded,
                (None, Some(_)) => Entry::Private,
                (None, None) => Entry::Open,
            },
            accept: join.settings.accept,
            channels: join.settings.channels().to_vec(),
            features: join.settings.features,
            calls: join.settings.calls,
            name: given_name
                .clone()
                .or(chosen)
                .or_else(|| profile.name().cloned()),
            notices: profile
                .take_notices()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        drop(profile);
        let asks = opening.name.is_none();
        self.inner.borrow_mut().open = Some(Open {
            sink: sink.clone(),
            join,
            given_name,
            asks,
        });
        sink(UiEvent::Opened(opening));
        let wanted = self.inner.borrow_mut().wanted.take();
        if let Some(conversation) = wanted {
            self.show(conversation);
        }
    }
}

/// Reads the name that the site gave. A mistake in it is for the site's owner to see; the person is asked for a name.
fn given_name(text: &str) -> Option<Name> {
    let name = Name::parse(text);
    if let Err(error) = &name {
        // In what is published, `{:?}` writes nothing.
        let quoted = crate::json::quoted(text);
        let sentence =
            format!("rtchat: the name {quoted} cannot be used and counts as not given. {error}");
        web_sys::console::warn_1(&sentence.into());
    }
    name.ok()
}

fn refused(here: &str, error: AddressError) -> UiEvent {
    let without_secret = PageAddress::parse(here.split('#').next().unwrap_or_default());
    let open_link = room_link(here, None, None);
    let address = match (&error, without_secret) {
        (AddressError::NotAPage, _) => return UiEvent::Failed(error.to_string()),
        (AddressError::BadSecret, Ok(address)) => address,
        _ => {
            return UiEvent::WrongAddress {
                reason: error.to_string(),
                open_link,
            };
        }
    };
    UiEvent::Opened(Opening {
        room: address.room.clone().unwrap_or_default(),
        link: here.to_owned(),
        open_link: room_link(here, address.room.as_deref(), None),
        entry: Entry::WrongSecret,
        ..Opening::default()
    })
}
