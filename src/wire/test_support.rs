//! Two peers in one room, for tests of the messages between them.

use core::num::NonZeroU32;

use chacha20::{ChaCha20Rng, rand_core::SeedableRng};

use super::connect::{Connect, ConnectFields, LeaveSecret, Nonce, VERSION};
use super::extension::Extensions;
use super::room_keys::{RoomKeys, RoomSource};
use crate::identity::{IdentityKey, Name, PeerId, SealKey, SessionKey};
use crate::time::Millis;

pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub fn room() -> RoomKeys {
    let source = RoomSource {
        page: "a.org/x",
        name: "lobby",
        secret: None,
        root: None,
    };
    source.derive(None).lobby()
}

pub struct Peer {
    pub identity: IdentityKey,
    pub session: SessionKey,
    pub id: PeerId,
    pub leave: LeaveSecret,
    pub connect: Connect,
}

impl Peer {
    pub fn new(seed: u8) -> Peer {
        let identity = IdentityKey::generate(&mut rng(seed));
        let session = SessionKey::generate(&mut rng(seed + 100));
        Peer::with(identity, session, seed)
    }

    /// Another session of one identity.
    pub fn with(identity: IdentityKey, session: SessionKey, seed: u8) -> Peer {
        let id = PeerId::of(&identity.public(), &session.public());
        let leave = LeaveSecret([seed; 32]);
        let fields = ConnectFields {
            version: VERSION,
            capabilities: 0,
            identity: identity.public(),
            session: session.public(),
            serial: NonZeroU32::MIN,
            nonce: Nonce([seed; 16]),
            leave: leave.commitment(room().id(), &id),
            signed_at: Millis(1_700_000_000_000),
            tab: 1,
            name: Name::parse("alice").unwrap(),
        };
        let connect = Connect::sign(fields, Extensions::default(), room().id(), &identity).unwrap();
        Peer {
            identity,
            session,
            id,
            leave,
            connect,
        }
    }

    /// The peer's next `Connect`.
    pub fn renewed(&self) -> Connect {
        let fields = ConnectFields {
            serial: self.connect.serial.saturating_add(1),
            nonce: Nonce([0xee; 16]),
            capabilities: 2,
            ..(*self.connect).clone()
        };
        Connect::sign(fields, Extensions::default(), room().id(), &self.identity).unwrap()
    }

    pub fn pair_key(&self, other: &Peer) -> SealKey {
        room()
            .pair_key(
                (&self.session, &self.id),
                (&other.session.public(), &other.id),
            )
            .unwrap()
    }
}
