//! What the helper does in calls: it answers all of them, and leaves when nobody else is there any more.

use rtchat_bot::rtchat::room::{CallCommand, CallsView, Sends, Share};
use rtchat_bot::{Command, MediaKind, Received};

/// What the helper does now that things stand like this. It is in one call at a time: others ring until that one is over.
pub fn react(view: &CallsView) -> Option<Command> {
    let command = match &view.call {
        Some(call) if call.since.is_some() && call.peers.is_empty() => CallCommand::HangUp,
        Some(_) => return None,
        None => {
            let ring = view.rings.first()?;
            CallCommand::Answer {
                call: ring.call,
                sends: Sends {
                    microphone: true,
                    camera: ring.video,
                    ..Sends::default()
                },
            }
        }
    };
    Some(Command::Call(command))
}

/// Shows the camera, the screen, or both to whoever opens it. Nothing to do if neither is shown.
pub fn share(camera: bool, screen: bool) -> Option<Command> {
    let sends = Sends {
        camera,
        screen,
        ..Sends::default()
    };
    let share = Share {
        sends,
        ..Share::default()
    };
    (camera || screen).then_some(Command::Call(CallCommand::Share(share)))
}

/// Prints for the owner what arrives of somebody.
pub fn print(user: &str, received: &Received) {
    let verb = match received.kind {
        MediaKind::Sound => "hear",
        MediaKind::Picture => "see",
    };
    if received.arrives {
        return println!("I {verb} {user}.");
    }
    println!("I no longer {verb} {user}.");
    let counts = received.counts;
    println!(
        "That was {} frames, {} of which stood for themselves, with {} bytes.",
        counts.frames, counts.keyframes, counts.bytes
    );
}

#[cfg(test)]
mod tests {
    use rtchat_bot::rtchat::identity::PeerId;
    use rtchat_bot::rtchat::room::{CallId, CallPeer, Conversation, OwnCall, Ring};
    use rtchat_bot::rtchat::time::Millis;

    use super::*;

    fn channel() -> Conversation {
        Conversation::Channel("lobby".to_owned())
    }

    fn ring(number: u8, video: bool) -> Ring {
        Ring {
            call: CallId([number; 8]),
            conversation: channel(),
            from: PeerId([7; 16]),
            video,
            silent: false,
        }
    }

    fn own(since: Option<Millis>, peers: &[PeerId]) -> OwnCall {
        let peer = |peer: &PeerId| CallPeer {
            peer: *peer,
            is_connected: false,
            sends: Sends::default(),
        };
        OwnCall {
            id: CallId([9; 8]),
            conversation: channel(),
            rings: false,
            since,
            sends: Sends::default(),
            peers: peers.iter().map(peer).collect(),
            crowded: false,
        }
    }

    #[test]
    fn the_call_that_rings_first_is_answered_as_it_rings() {
        let mut view = CallsView::default();
        assert_eq!(react(&view), None);
        view.rings = vec![ring(1, true), ring(2, false)];
        let Some(Command::Call(CallCommand::Answer { call, sends })) = react(&view) else {
            panic!("it is not answered");
        };
        assert_eq!(call, CallId([1; 8]));
        assert!(sends.microphone && sends.camera);
        view.rings.remove(0);
        let Some(Command::Call(CallCommand::Answer { sends, .. })) = react(&view) else {
            panic!("it is not answered");
        };
        assert!(sends.microphone && !sends.camera);
    }

    #[test]
    fn a_call_ends_when_nobody_else_is_there() {
        let hangs_up = |call: OwnCall| {
            let view = CallsView {
                call: Some(call),
                rings: vec![ring(1, true)],
                ..CallsView::default()
            };
            react(&view).is_some_and(|it| it == Command::Call(CallCommand::HangUp))
        };
        assert!(hangs_up(own(Some(Millis(1)), &[])));
        // Somebody who is out of reach may come back, and a call that rings has not begun.
        assert!(!hangs_up(own(Some(Millis(1)), &[PeerId([7; 16])])));
        assert!(!hangs_up(own(None, &[])));
    }
}
