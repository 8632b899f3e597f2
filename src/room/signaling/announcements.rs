//! Our own announcements: each has a serial and a nonce, so that an offer to us can say which one it answers, and
//! nobody can repeat an old one.

use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::VecDeque;

use chacha20::ChaCha20Rng;

use super::Signaling;
use crate::identity::Signature;
use crate::room::cx::{Cx, OwnConnect, SignFor};
use crate::time::Millis;
use crate::wire::connect::{ConnectFields, FULL, UnsignedConnect, VERSION};
use crate::wire::extension::{Extensions, grease};
use crate::wire::{ConnectId, Nonce};

/// For how long one of our nonces holds, by our own clock.
pub(super) const NONCE_LIFE: Duration = Duration::from_secs(15 * 60);
/// The most nonces that are remembered.
const MAX_ISSUED: usize = 32;
/// An announcement older than this is renewed before it goes out in an offer.
pub(super) const RENEW_AFTER: Duration = Duration::from_secs(5 * 60);
/// The same for one whose nonce does not hold for newcomers. Not sooner, or those that others have would be flushed.
pub(super) const RENEW_VOID_AFTER: Duration = Duration::from_secs(10);

/// Why an announcement is being signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be published.
    Publish,
    /// To be shown in offers and proofs.
    Show,
}

#[derive(Debug)]
pub(super) struct Announcements {
    next_serial: NonZeroU32,
    /// Those that hold, the newest last.
    issued: VecDeque<Issued>,
    /// The one that waits for its signature.
    pending: Option<(UnsignedConnect, Purpose, Millis)>,
    /// What one in eight pages says that nobody knows, so that nobody forgets to skip.
    extensions: Extensions,
}

#[derive(Debug)]
struct Issued {
    serial: NonZeroU32,
    nonce: Nonce,
    id: ConnectId,
    at: Millis,
}

impl Announcements {
    pub fn new(rng: &mut ChaCha20Rng) -> Announcements {
        Announcements {
            next_serial: NonZeroU32::MIN,
            issued: VecDeque::new(),
            pending: None,
            extensions: grease(rng),
        }
    }

    /// The nonces of this time and before hold no longer.
    pub fn give_up(&mut self, until: Millis) {
        self.issued.retain(|issued| issued.at > until);
    }

    /// Our announcement with this serial, while its nonce holds.
    fn find(&self, serial: NonZeroU32, now: Millis) -> Option<&Issued> {
        let issued = self.issued.iter().find(|issued| issued.serial == serial)?;
        (now.since(issued.at) < NONCE_LIFE).then_some(issued)
    }
}

impl Signaling {
    /// The nonce and the id of our announcement with this serial, while it holds. For a newcomer it does not hold if
    /// strangers have been forgotten who went later: it may be one of them, in a recording.
    pub fn nonce(
        &self,
        serial: NonZeroU32,
        is_newcomer: bool,
        now: Millis,
    ) -> Option<(&Nonce, ConnectId)> {
        let issued = self.announcements.find(serial, now)?;
        let is_void = is_newcomer && self.departed.has_forgotten(issued.at);
        (!is_void).then_some((&issued.nonce, issued.id))
    }

    /// The serials of our announcements that are remembered.
    pub fn serials(&self) -> impl Iterator<Item = NonZeroU32> {
        self.announcements.issued.iter().map(|issued| issued.serial)
    }

    /// Asks for the signature of a new announcement.
    pub(super) fn request_connect(&mut self, purpose: Purpose, full: bool, cx: &mut Cx) {
        if let Some((_, pending, _)) = &mut self.announcements.pending {
            if purpose == Purpose::Publish {
                *pending = Purpose::Publish;
            }
            return;
        }
        let signed_at = self.stamp(cx.now);
        let serial = self.announcements.next_serial;
        self.announcements.next_serial = serial.saturating_add(1);
        let fields = ConnectFields {
            version: VERSION,
            capabilities: if full { FULL } else { 0 },
            identity: cx.own.key,
            session: cx.own.session.public(),
            serial,
            nonce: Nonce::generate(&mut cx.rng),
            leave: self.leave.commitment(self.keys.id(), &cx.own.id),
            signed_at,
            tab: cx.own.tab,
            name: cx.own.name.clone(),
        };
        // Names and extensions are short: it always fits.
        let Ok(unsigned) = UnsignedConnect::new(fields, self.announcements.extensions.clone())
        else {
            return;
        };
        let message = unsigned.message(self.keys.id());
        self.announcements.pending = Some((unsigned, purpose, signed_at));
        cx.sign(SignFor::Connect, message);
    }

    /// The signature of our announcement is there.
    pub fn on_connect_signed(&mut self, signature: Signature, full: bool, cx: &mut Cx) {
        let Some((unsigned, purpose, signed_at)) = self.announcements.pending.take() else {
            return;
        };
        let Ok(statement) = unsigned.signed(signature) else {
            return;
        };
        let connect = crate::wire::Connect::from(statement);
        let id = connect.id(self.keys.id());
        let issued = &mut self.announcements.issued;
        if issued.len() >= MAX_ISSUED {
            issued.pop_front();
        }
        issued.push_back(Issued {
            serial: connect.serial,
            nonce: connect.nonce,
            id,
            at: cx.now,
        });
        cx.own.connect = Some(OwnConnect {
            connect: connect.clone(),
            id,
            at: cx.now,
        });
        if purpose == Purpose::Publish {
            self.publish_connect(connect, signed_at, cx);
        }
        // Renamed while the signature was on its way.
        let renamed = cx
            .own
            .connect
            .as_ref()
            .is_some_and(|own| own.connect.name != cx.own.name);
        if renamed {
            self.request_connect(Purpose::Show, full, cx);
        }
        self.send_waiting(cx);
    }

    /// Our name is another one: what offers and proofs show from now on says so.
    pub fn renew(&mut self, full: bool, cx: &mut Cx) {
        self.request_connect(Purpose::Show, full, cx);
    }
}
