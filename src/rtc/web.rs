//! The browser's `RTCPeerConnection`: carries out [`LinkCommand`]s and reports [`LinkEvent`]s.
//!
//! Slow work is done before anybody waits for it. Creating the first `RTCPeerConnection` of a page takes Chromium 17
//! ms, every other one 1 ms. So a spare connection is made while the first announcement is on its way, and kept, with
//! its channel, and with its server-reflexive candidates already gathered if there is a STUN server. The number of host
//! candidates does not change often, so after the first time, a description is sent as soon as all of them are found,
//! after 2 to 3 ms. Three ideas were measured and left out, because they gained nothing: an offer made in advance (2
//! ms, but it is stale after a change of network, and an answerer has to roll it back), a first gathering whose result
//! nobody uses (it competes for the processor with the joining that it should speed up), and one certificate for all
//! connections (making one takes 0.4 ms, during which the page waits for other things anyway).
//!
//! Channel 0, `text`, is negotiated by both sides and ordered. Channel 1, for files, is opened when the first file needs
//! it.

mod connection;
#[cfg(feature = "files")]
pub mod file_channel;
pub(crate) mod time;

use litemap::LiteMap;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    DomException, Event, EventTarget, RtcBundlePolicy, RtcConfiguration, RtcDataChannel,
    RtcDataChannelInit, RtcDataChannelType, RtcIceServer, RtcIceTransportPolicy, RtcPeerConnection,
    RtcRtpTransceiver, RtcRtpTransceiverDirection,
};

use self::connection::Connection;
use super::{ConnectionId, LinkCommand, LinkEvent};
use crate::browser::Listener;
use crate::settings::IceServer;

/// Receives the events of connections. It may be called while an event of the browser is being handled, but never from
/// inside [`Connections::carry_out`].
pub type Notify = Rc<dyn Fn(ConnectionId, LinkEvent)>;

/// The delay in milliseconds between the use of a spare connection and the creation of the next one. By then, nobody
/// waits for the browser.
const NEXT_SPARE: u32 = 5_000;

/// Errors of the browser adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// There is no `RTCPeerConnection`.
    #[error("This browser does not allow direct connections: WebRTC is missing or switched off.")]
    Missing,
    /// The browser threw an exception. Only its name is reported: its message can contain addresses.
    #[error("The browser could not {what} ({name}).")]
    Refused {
        /// The operation that failed.
        what: &'static str,
        /// The exception's name.
        name: String,
    },
    /// The browser's own description cannot be sent to others.
    #[error("The browser's own session description cannot be used.")]
    Description,
    /// A message or a renegotiation came too early or too late.
    #[error("The channel is not open.")]
    NotOpen,
    /// The other side does not read, or reads more slowly than this side writes.
    #[error("Too much is waiting to be sent.")]
    Congested,
}

/// Turns a value that JavaScript threw into an error.
fn refused(what: &'static str) -> impl FnOnce(JsValue) -> WebError {
    move |thrown| {
        let name = match thrown.dyn_ref::<DomException>() {
            Some(exception) => exception.name(),
            None => thrown
                .dyn_ref::<js_sys::Error>()
                .map(|error| error.name().into())
                .unwrap_or_default(),
        };
        WebError::Refused { what, name }
    }
}

#[wasm_bindgen]
extern "C" {
    /// An `RTCPeerConnection` whose `createDataChannel` can throw. It can, but web-sys declares that it cannot.
    type ChannelMaker;
    #[wasm_bindgen(method, structural, catch, js_name = createDataChannel)]
    fn create_data_channel(
        this: &ChannelMaker,
        label: &str,
        init: &RtcDataChannelInit,
    ) -> Result<RtcDataChannel, JsValue>;
}

/// All peer connections of the tab. Dropping it closes them.
pub struct Connections {
    shared: Rc<Shared>,
    open: RefCell<LiteMap<ConnectionId, Rc<Connection>>>,
    /// Listeners for a change of network.
    _network: Vec<Listener>,
}

/// The state that all connections share.
struct Shared {
    notify: Notify,
    configuration: RtcConfiguration,
    has_servers: bool,
    spare: RefCell<Option<SpareConnection>>,
    spare_due: Cell<bool>,
    /// The number of host candidates that the last gathering found; 0 before the first.
    hosts: Cell<usize>,
    /// See [`Connections::set_media_gate`].
    media_gate: RefCell<Option<Function>>,
}

/// A peer connection that is not in use yet.
struct SpareConnection {
    peer: RtcPeerConnection,
    channel: RtcDataChannel,
}

impl Connections {
    /// Checks whether there is WebRTC at all.
    ///
    /// # Errors
    /// [`WebError::Missing`].
    pub fn check() -> Result<(), WebError> {
        let constructor = Reflect::get(&js_sys::global(), &"RTCPeerConnection".into());
        match constructor.is_ok_and(|constructor| constructor.is_function()) {
            true => Ok(()),
            false => Err(WebError::Missing),
        }
    }

    /// Creates the spare connection. Every connection asks these servers for candidates. With `relay_only`, it uses
    /// only candidates of TURN servers.
    ///
    /// # Errors
    /// [`WebError::Missing`], or [`WebError::Refused`] for servers that the browser does not understand.
    pub fn new(
        ice_servers: &[IceServer],
        relay_only: bool,
        notify: Notify,
    ) -> Result<Connections, WebError> {
        Connections::check()?;
        let shared = Rc::new(Shared {
            notify,
            configuration: configuration(ice_servers, relay_only),
            has_servers: !ice_servers.is_empty(),
            spare: RefCell::new(None),
            spare_due: Cell::new(false),
            hosts: Cell::new(0),
            media_gate: RefCell::default(),
        });
        shared
            .spare
            .replace(Some(SpareConnection::new(&shared.configuration)?));
        let network = network_listeners(&shared);
        Ok(Connections {
            shared,
            open: RefCell::default(),
            _network: network,
        })
    }

    /// Carries out a command to one connection, after the commands before it. An unknown id opens a connection, if the
    /// command is one that a connection can begin with.
    pub fn carry_out(&self, id: ConnectionId, command: LinkCommand) {
        if let LinkCommand::Close = command {
            let closed = self.open.borrow_mut().remove(&id);
            if let Some(connection) = closed {
                connection.close();
            }
            return;
        }
        let known = self.open.borrow().get(&id).cloned();
        let connection = match known {
            Some(connection) => connection,
            None if !matches!(
                command,
                LinkCommand::GatherAnew
                    | LinkCommand::Offer
                    | LinkCommand::Answer(_)
                    | LinkCommand::AddCandidates(_)
            ) =>
            {
                return;
            }
            None => match self.shared.take(command == LinkCommand::GatherAnew) {
                Ok(spare) => {
                    let connection = Connection::new(id, spare, &self.shared);
                    self.open.borrow_mut().insert(id, connection.clone());
                    connection
                }
                Err(error) => {
                    let notify = self.shared.notify.clone();
                    spawn_local(async move { notify(id, LinkEvent::Failed(error.to_string())) });
                    return;
                }
            },
        };
        connection.command(command);
    }

    /// Drops the addresses that were found in advance, because they may belong to a former network.
    pub fn drop_spare(&self) {
        self.shared.network_changed();
    }

    /// Opens channel 1 of a connection. Each side does so once, by itself.
    #[cfg(feature = "files")]
    fn open_file_channel(&self, id: ConnectionId) -> Option<RtcDataChannel> {
        let connection = self.open.borrow().get(&id).cloned()?;
        channel(connection.peer(), "bulk", 1).ok()
    }

    /// The browser's object of a connection.
    pub fn peer(&self, id: ConnectionId) -> Option<RtcPeerConnection> {
        let connection = self.open.borrow().get(&id).cloned()?;
        Some(connection.peer().clone())
    }

    /// Sets the function that closes the directions nobody wants, before an offer of the other side is answered. Without
    /// one, no sound and no picture is taken.
    pub fn set_media_gate(&self, gate: Function) {
        self.shared.media_gate.replace(Some(gate));
    }

    /// The number of bytes that wait to be sent to the other side.
    pub fn buffered(&self, id: ConnectionId) -> u32 {
        self.open
            .borrow()
            .get(&id)
            .map_or(0, |connection| connection.buffered())
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for connection in self
            .open
            .take()
            .into_iter()
            .map(|(_, connection)| connection)
        {
            connection.close();
        }
        if let Some(spare) = self.shared.spare.take() {
            spare.peer.close();
        }
    }
}

impl Shared {
    /// Closes the directions of a connection in which nothing is wanted.
    fn settle_media(&self, peer: &RtcPeerConnection) {
        let gate = self.media_gate.borrow().clone();
        if let Some(gate) = gate
            && gate.call1(&JsValue::UNDEFINED, peer).is_ok()
        {
            return;
        }
        for section in peer.get_transceivers() {
            let section: RtcRtpTransceiver = section.unchecked_into();
            section.set_direction(RtcRtpTransceiverDirection::Inactive);
        }
    }

    /// Takes the spare connection, or makes a new one if it is gone or its addresses may be of another network.
    fn take(self: &Rc<Shared>, anew: bool) -> Result<SpareConnection, WebError> {
        if anew {
            self.network_changed();
        }
        self.replace_spare_later();
        match self.spare.take() {
            Some(spare) => Ok(spare),
            None => SpareConnection::new(&self.configuration),
        }
    }

    fn replace_spare_later(self: &Rc<Shared>) {
        if self.spare_due.replace(true) {
            return;
        }
        let shared = Rc::downgrade(self);
        spawn_local(async move {
            time::pause(NEXT_SPARE).await;
            if let Some(shared) = Weak::upgrade(&shared) {
                shared.spare_due.set(false);
                if shared.spare.borrow().is_none() {
                    // Without a spare connection, the next one takes a millisecond longer, and reports the error.
                    shared
                        .spare
                        .replace(SpareConnection::new(&shared.configuration).ok());
                }
            }
        });
    }

    /// Drops the spare connection, because its candidates belong to the previous network.
    fn network_changed(self: &Rc<Shared>) {
        if let Some(spare) = self.spare.take() {
            spare.peer.close();
            self.replace_spare_later();
        }
    }
}

impl SpareConnection {
    fn new(configuration: &RtcConfiguration) -> Result<SpareConnection, WebError> {
        let what = "open a connection";
        let peer =
            RtcPeerConnection::new_with_configuration(configuration).map_err(refused(what))?;
        let channel = channel(&peer, "text", 0).map_err(refused(what))?;
        Ok(SpareConnection { peer, channel })
    }
}

/// Opens a channel that the other side opens as well.
fn channel(peer: &RtcPeerConnection, label: &str, id: u16) -> Result<RtcDataChannel, JsValue> {
    let init = RtcDataChannelInit::new();
    init.set_negotiated(true);
    init.set_id(id);
    let maker = peer.unchecked_ref::<ChannelMaker>();
    let channel = maker.create_data_channel(label, &init)?;
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);
    Ok(channel)
}

fn configuration(ice_servers: &[IceServer], relay_only: bool) -> RtcConfiguration {
    let servers = Array::new();
    for server in ice_servers {
        let urls = Array::new();
        for url in &server.urls {
            urls.push(&JsValue::from_str(url));
        }
        let entry = RtcIceServer::new();
        entry.set_urls(&urls);
        if let Some(username) = &server.username {
            entry.set_username(username);
        }
        if let Some(credential) = &server.credential {
            entry.set_credential(credential);
        }
        servers.push(&entry);
    }
    let configuration = RtcConfiguration::new();
    configuration.set_ice_servers(&servers);
    // One transport for everything, including media that is added later.
    configuration.set_bundle_policy(RtcBundlePolicy::MaxBundle);
    if relay_only {
        configuration.set_ice_transport_policy(RtcIceTransportPolicy::Relay);
    }
    if !ice_servers.is_empty() {
        // Gather before the first offer needs it. Setting a property of a plain object does not fail.
        let _ = Reflect::set(&configuration, &"iceCandidatePoolSize".into(), &1.into());
    }
    configuration
}

/// Listens to `online` of the window, and to `change` of `navigator.connection` where there is one.
fn network_listeners(shared: &Rc<Shared>) -> Vec<Listener> {
    let changed = || -> Box<dyn Fn(Event)> {
        let shared = Rc::downgrade(shared);
        Box::new(move |_| {
            if let Some(shared) = shared.upgrade() {
                shared.network_changed();
            }
        })
    };
    let connection = Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| Reflect::get(&navigator, &"connection".into()))
        .and_then(JsCast::dyn_into::<EventTarget>);
    let connection = connection.map(|connection| Listener::new(&connection, "change", changed()));
    let window = Listener::on_window("online", changed());
    [window].into_iter().chain(connection).collect()
}
