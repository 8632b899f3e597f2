//! What the script for calls (`embed/calls/contract.ts`) is told and says, as JSON. The script holds devices and tracks, and
//! draws; the room decides.

use crate::identity::PeerId;
use crate::json::{self, Json, Object, list, object, quoted};
use crate::room::{
    CallCommand, CallId, CallPeer, CallsView, Conversation, MediaWish, OwnCall, PictureLimit,
    Sends, Share, WatchState,
};
use crate::time::Millis;

/// A field of an object, whose value is JSON.
type Field = (&'static str, String);

/// Somebody whom the script shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that is shown.
    pub user: String,
    /// The letters of the avatar, and its colour in degrees.
    pub letters: String,
    /// See `letters`.
    pub hue: u32,
    /// What is known of the key, or `own` for another tab of the person at this browser.
    pub trust: &'static str,
    /// The number that both can compare; empty where it is not shown.
    pub safety: String,
}

/// What the script has to know besides the calls.
pub trait Names {
    /// Somebody, if they are known here.
    fn person(&self, peer: &PeerId) -> Option<Person>;
    /// The title of a conversation.
    fn title(&self, conversation: &Conversation) -> String;
    /// The time of the computer's clock at this time of the room.
    fn on_the_wall(&self, at: Millis) -> Millis;
}

/// Writes how things stand, as the script's `View`. `own` is this tab, and `allowed` what the site allows.
pub fn view(view: &CallsView, own: &PeerId, allowed: &str, names: &dyn Names) -> String {
    let CallsView {
        call,
        rings,
        running,
        shares,
        share,
    } = view;
    let place = |conversation: &Conversation| {
        vec![
            ("conversation", quoted(&conversation.to_string())),
            ("title", quoted(&names.title(conversation))),
        ]
    };
    let rings = rings.iter().map(|ring| {
        let fields = [
            ("call", quoted(&ring.call.to_text())),
            ("from", peer(&ring.from)),
            ("video", ring.video.to_string()),
            ("silent", ring.silent.to_string()),
        ];
        object([fields.to_vec(), place(&ring.conversation)].concat())
    });
    let running = running.iter().map(|running| {
        let fields = [
            ("call", quoted(&running.call.to_text())),
            ("peers", peers(&running.peers)),
        ];
        object([fields.to_vec(), place(&running.conversation)].concat())
    });
    let theirs = shares.iter().map(|their| {
        let state = match their.state {
            WatchState::Offered => "offered",
            WatchState::Asking => "asking",
            WatchState::Watching => "watching",
            WatchState::Refused => "refused",
            WatchState::Ended => "ended",
        };
        let fields = [("peer", peer(&their.peer)), ("state", quoted(state))];
        object([fields.to_vec(), shown(&their.share)].concat())
    });
    let mut fields = vec![
        ("own", peer(own)),
        ("allowed", quoted(allowed)),
        ("people", people(view, own, names)),
        ("rings", list(rings)),
        ("running", list(running)),
        ("shares", list(theirs)),
    ];
    if let Some(call) = call {
        fields.push(("call", own_call(call, place(&call.conversation), names)));
    }
    if let Some(own) = share {
        let more = [
            ("watchers", peers(&own.watchers)),
            ("asking", peers(&own.asking)),
            ("uplink", own.uplink.to_string()),
        ];
        let share = [shown(&own.share), more.to_vec()].concat();
        fields.push(("share", object(share)));
    }
    object(fields)
}

fn own_call(call: &OwnCall, place: Vec<Field>, names: &dyn Names) -> String {
    let connected = call.peers.iter().filter(|peer| peer.is_connected).count();
    let state = match call.peers.len() {
        0 if call.rings => "ringing",
        0 => "connecting",
        _ if connected == 0 => "reconnecting",
        _ => "connected",
    };
    let peers = call.peers.iter().map(|other| {
        let state = match other.is_connected {
            true => "connected",
            false => "reconnecting",
        };
        object(vec![
            ("peer", peer(&other.peer)),
            ("state", quoted(state)),
            ("sends", sends(&other.sends)),
        ])
    });
    let is_direct = matches!(call.conversation, Conversation::Direct(_));
    let mut fields = vec![
        ("id", quoted(&call.id.to_text())),
        ("direct", is_direct.to_string()),
        ("state", quoted(state)),
        ("peers", list(peers)),
        ("crowded", call.crowded.to_string()),
    ];
    if let Some(since) = call.since {
        fields.push(("since", names.on_the_wall(since).0.to_string()));
    }
    fields.extend(place);
    object(fields)
}

/// Everybody who is named in a view, by peer id.
fn people(view: &CallsView, own: &PeerId, names: &dyn Names) -> String {
    let mut all = vec![*own];
    let mut add = |peers: &[PeerId]| {
        for peer in peers {
            if !all.contains(peer) {
                all.push(*peer);
            }
        }
    };
    for CallPeer { peer, .. } in view.call.iter().flat_map(|call| &call.peers) {
        add(&[*peer]);
    }
    for ring in &view.rings {
        add(&[ring.from]);
    }
    for running in &view.running {
        add(&running.peers);
    }
    for share in &view.shares {
        add(&[share.peer]);
    }
    if let Some(share) = &view.share {
        add(&share.watchers);
        add(&share.asking);
    }
    let people = all.iter().filter_map(|id| {
        let person = names.person(id)?;
        let fields = object(vec![
            ("user", quoted(&person.user)),
            ("letter", quoted(&person.letters)),
            ("hue", person.hue.to_string()),
            ("trust", quoted(person.trust)),
            ("safety", quoted(&person.safety)),
        ]);
        Some((id.to_string(), fields))
    });
    let people: Vec<(String, String)> = people.collect();
    object(
        people
            .iter()
            .map(|(id, fields)| (id.as_str(), fields.clone())),
    )
}

fn peer(id: &PeerId) -> String {
    quoted(&id.to_string())
}

fn peers(ids: &[PeerId]) -> String {
    list(ids.iter().map(peer))
}

fn shown(share: &Share) -> Vec<Field> {
    vec![
        ("sends", sends(&share.sends)),
        ("sensitive", share.sensitive.to_string()),
        ("asks", share.asks.to_string()),
        ("inReturn", share.in_return.to_string()),
    ]
}

fn sends(sends: &Sends) -> String {
    let [camera, screen] = &sends.streams;
    let streams = object(vec![("camera", quoted(camera)), ("screen", quoted(screen))]);
    object(vec![
        ("microphone", sends.microphone.to_string()),
        ("camera", sends.camera.to_string()),
        ("screen", sends.screen.to_string()),
        ("hand", sends.hand.to_string()),
        ("streams", streams),
    ])
}

/// Writes what is to run on a connection, as the script's `Wish`.
pub fn wish(wish: &MediaWish) -> String {
    let limit = |limit: Option<PictureLimit>| {
        let (height, rate, bitrate) =
            limit.map_or((0, 0, 0), |it| (it.height, it.frame_rate, it.bitrate));
        object(vec![
            ("height", height.to_string()),
            ("frameRate", rate.to_string()),
            ("bitrate", bitrate.to_string()),
        ])
    };
    let send = object(vec![
        ("microphone", wish.microphone.to_string()),
        ("camera", wish.camera.is_some().to_string()),
        ("screen", wish.screen.is_some().to_string()),
    ]);
    object(vec![
        ("send", send),
        ("receive", wish.receive.to_string()),
        ("pictures", wish.pictures.to_string()),
        ("camera", limit(wish.camera)),
        ("screen", limit(wish.screen)),
    ])
}

/// Reads a command that the script gives. `None` if it is none.
pub fn command(text: &str) -> Option<CallCommand> {
    let fields = json::fields(text)?;
    let raw = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name)?;
        Some(found.1)
    };
    let value = |name: &str| Json::parse(raw(name)?).ok();
    let text = |name: &str| value(name)?.as_text().map(str::to_owned);
    let flag = |name: &str| raw(name) == Some("true");
    let sends = || read_sends(value("sends")?.as_object()?);
    let call = || CallId::parse(&text("call")?);
    let peer = || PeerId::parse(&text("peer")?);
    // Heights are whole. (Reading other numbers would bring tables of 10 kB.)
    let height = |name: &str| {
        let height: u64 = raw(name)?.parse().ok()?;
        Some(u16::try_from(height).unwrap_or(u16::MAX))
    };
    Some(match text("do")?.as_str() {
        "start" => CallCommand::Start {
            conversation: Conversation::parse(&text("conversation")?)?,
            sends: sends()?,
        },
        "answer" => CallCommand::Answer {
            call: call()?,
            sends: sends()?,
        },
        "decline" => CallCommand::Decline(call()?),
        "hang-up" => CallCommand::HangUp,
        "send" => CallCommand::Send(sends()?),
        "share" => CallCommand::Share(Share {
            sends: sends()?,
            sensitive: flag("sensitive"),
            asks: flag("asks"),
            in_return: flag("inReturn"),
        }),
        "unshare" => CallCommand::Unshare,
        "watch" => CallCommand::Watch {
            peer: peer()?,
            on: flag("on"),
        },
        "admit" => CallCommand::Admit {
            peer: peer()?,
            on: flag("on"),
        },
        "want" => CallCommand::Want {
            peer: peer()?,
            camera: height("camera")?,
            screen: height("screen")?,
        },
        _ => return None,
    })
}

fn read_sends(object: &Object) -> Option<Sends> {
    let flag = |name: &str| object.get(name).and_then(Json::as_flag) == Some(true);
    let streams = object.get("streams")?.as_object()?;
    let stream = |name: &str| Some(streams.get(name)?.as_text()?.to_owned());
    Some(Sends {
        microphone: flag("microphone"),
        camera: flag("camera"),
        screen: flag("screen"),
        hand: flag("hand"),
        streams: [stream("camera")?, stream("screen")?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_the_script_are_read() {
        let sends = r#""sends":{"microphone":true,"camera":false,"screen":false,"hand":true,"streams":{"camera":"a","screen":"b"}}"#;
        let read = command(&format!(
            r##"{{"do":"start","conversation":"#lobby",{sends}}}"##
        ));
        let expected = Sends {
            microphone: true,
            hand: true,
            streams: ["a".to_owned(), "b".to_owned()],
            ..Sends::default()
        };
        assert_eq!(
            read,
            Some(CallCommand::Start {
                conversation: Conversation::Channel("lobby".to_owned()),
                sends: expected,
            })
        );
        let peer = PeerId([7; 16]);
        let want = format!(r#"{{"do":"want","peer":"{peer}","camera":1000000,"screen":0}}"#);
        assert_eq!(
            command(&want),
            Some(CallCommand::Want {
                peer,
                camera: u16::MAX,
                screen: 0,
            })
        );
        for none in ["", "[]", r#"{"do":"dance"}"#, r#"{"do":"start"}"#] {
            assert_eq!(command(none), None, "{none}");
        }
    }

    #[test]
    fn wishes_are_written_with_zeros_for_what_is_not_sent() {
        let camera = PictureLimit {
            height: 360,
            frame_rate: 20,
            bitrate: 600_000,
        };
        let text = wish(&MediaWish {
            microphone: true,
            camera: Some(camera),
            screen: None,
            receive: true,
            pictures: false,
        });
        assert_eq!(
            text,
            concat!(
                r#"{"send": {"microphone": true, "camera": true, "screen": false}, "receive": true, "pictures": false, "#,
                r#""camera": {"height": 360, "frameRate": 20, "bitrate": 600000}, "#,
                r#""screen": {"height": 0, "frameRate": 0, "bitrate": 0}}"#
            )
        );
    }
}
