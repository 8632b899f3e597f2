//! The state of the page, and the reducer that computes it: a pure function of the actions.

use std::rc::Rc;

use super::backend::{Blocked, Entry, Opening, Own};
use super::composing::Composing;
use super::drafts::Draft;
use super::files::Files;
use super::line::{Delivery, Move};
use crate::history::Mode;
use crate::identity::{PeerId, PublicKey};
use crate::room::{
    AppEvent, CallsView, ChatEvent, Conversation, Event, Imported, Message, MessageId, PeerState,
    PeerView, PeopleEvent, Shown, Status,
};

#[path = "state_calls.rs"]
mod calls;
#[path = "state_people.rs"]
mod people;
#[path = "state_prompts.rs"]
mod prompts;
#[path = "state_talks.rs"]
mod talks;

pub use talks::{Listed, Talk};
#[path = "state_writing.rs"]
mod writing;

/// The stage of joining the room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stage {
    /// Settings and storage are being read.
    #[default]
    Loading,
    /// The page waits for a name.
    NameNeeded,
    /// The person is in the room.
    Joined,
    /// The secret in the address is damaged.
    WrongSecret,
    /// The address leads to no room.
    WrongAddress {
        /// The reason, as a sentence.
        reason: String,
        /// The address of the open room on the same page.
        open_link: String,
    },
    /// The room cannot be joined; the sentence says why.
    Failed(String),
}

/// The reason why a room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptiness {
    /// Somebody wants to connect, and the person has not answered yet.
    Asked,
    /// The connection to the broker is being made.
    Joining,
    /// No broker can be used.
    Offline,
    /// Nobody else is here.
    Alone,
}

/// A dialog over the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// The list of keyboard shortcuts.
    Keys,
    /// The connection details and counts.
    Diagnostics,
}

/// How far the import of a file has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// It is being read and checked.
    Going,
    /// It is done.
    Done(Imported),
    /// Nothing was imported; the sentence says why.
    Failed(String),
}

/// A sentence that is shown until the person dismisses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The number that [`Action::Dismiss`] refers to.
    pub id: u32,
    /// The sentence.
    pub text: String,
    /// The key that was blocked, if the sentence says so: the notice offers to unblock it.
    pub blocked: Option<PublicKey>,
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was looked for.
    pub text: String,
    /// The messages, the newest first.
    pub messages: Vec<Message>,
}

/// Everything the page shows. It is cheap to clone, because large parts are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The stage of joining the room.
    pub stage: Stage,
    /// The room and its links.
    pub opening: Rc<Opening>,
    /// The identity of the person at this browser, once the room is joined.
    pub own: Option<Rc<Own>>,
    /// The state behind the status line.
    pub status: Status,
    /// The people who are here or connecting, sorted by name.
    pub people: Rc<Vec<Rc<PeerView>>>,
    /// The people who want to connect and wait for an answer, the oldest request first.
    pub requests: Rc<Vec<Rc<PeerView>>>,
    /// Undecided warnings about known names on other keys, with the names at the time of the warning. The first one is
    /// shown until the person decides about it, so that nothing changes just before a button is pressed.
    pub warnings: Rc<Vec<Rc<PeerView>>>,
    /// The conversation that is open.
    pub talk: Talk,
    /// The other conversations.
    others: Rc<Vec<Rc<Talk>>>,
    /// The files beside messages.
    pub files: Rc<Files>,
    /// Calls, and what others show.
    pub calls: Rc<CallsView>,
    /// Sentences that the person has not dismissed yet.
    pub notices: Rc<Vec<Rc<Notice>>>,
    /// The dialog over the conversation.
    pub sheet: Option<Sheet>,
    /// What the text in the composer is for, if it is not simply a new message.
    pub composing: Option<Rc<Composing>>,
    /// What was sent last, until it is in the log: it may be refused.
    sending: Option<Rc<Draft>>,
    /// What was refused, and belongs into the composer again.
    pub returned: Option<Rc<Draft>>,
    /// Whether a narrow page shows the list of conversations instead of the log.
    pub list_open: bool,
    /// Who is writing, and for how many looks nothing was heard of it. Mostly nobody is.
    typing: Vec<(PeerId, Conversation, u8)>,
    /// Whether a narrow page shows the people instead of the log.
    pub people_open: bool,
    /// The person whose details are open.
    pub person: Option<PeerId>,
    /// The people that this person has blocked.
    pub blocked: Rc<Vec<Blocked>>,
    /// The message for which is asked where to pass it on to.
    pub forwarding: Option<Rc<Message>>,
    /// The person about whom is asked whether to block them.
    pub blocking: Option<Rc<PeerView>>,
    /// The conversation about which is asked whether to delete it here.
    pub deleting: Option<Conversation>,
    /// How long what is said is kept, once another tab has changed it.
    pub mode: Option<Mode>,
    /// Whether the people were opened only to show somebody's details.
    people_for_person: bool,
    watching: bool,
    /// Whether something happens in a conversation that is not open.
    elsewhere: bool,
    /// What was looked for last, and what was found.
    pub found: Option<Rc<Found>>,
    /// How far the import of a file has come, if there was one.
    pub import: Option<Rc<Import>>,
    /// The message to go to, once it is in the log.
    pub target: Option<MessageId>,
    /// Whether the chat is visible.
    pub shown: bool,
    /// Whether the chat is drawn. A bubble that has not been opened yet only shows counts.
    pub drawn: bool,
    /// Whether the welcome is still shown, although the person joins.
    pub entering: bool,
    /// How often a part of the events that waited has been passed on.
    pub passed: u64,
    // The lists are short, so searching them costs less than the code of a tree would add to the bundle.
    arrived: Rc<Vec<PeerId>>,
    decided: Rc<Vec<Shown>>,
    next_notice: u32,
}

impl Default for State {
    fn default() -> State {
        State {
            stage: Stage::Loading,
            opening: Rc::default(),
            own: None,
            status: Status::Joining,
            people: Rc::default(),
            requests: Rc::default(),
            warnings: Rc::default(),
            talk: Talk::default(),
            others: Rc::default(),
            files: Rc::default(),
            calls: Rc::default(),
            notices: Rc::default(),
            sheet: None,
            composing: None,
            sending: None,
            returned: None,
            list_open: false,
            typing: Vec::new(),
            people_open: false,
            person: None,
            blocked: Rc::default(),
            forwarding: None,
            blocking: None,
            deleting: None,
            mode: None,
            people_for_person: false,
            watching: true,
            elsewhere: false,
            found: None,
            import: None,
            target: None,
            shown: true,
            drawn: true,
            entering: false,
            passed: 0,
            arrived: Rc::default(),
            decided: Rc::default(),
            next_notice: 0,
        }
    }
}

/// An event or a command that changes the page's state.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The address and the settings are read.
    Opened(Opening),
    /// The room was joined, or the name of the person at this browser changed.
    Joined(Own),
    /// The person, who had left, joins again. What was said stays.
    Rejoining,
    /// The address leads to no room: why, and the address of the open room.
    WrongAddress {
        /// The reason, as a sentence.
        reason: String,
        /// The address of the open room on the same page.
        open_link: String,
    },
    /// The room cannot be joined; the sentence says why.
    Failed(String),
    /// Something happened in the room.
    Event {
        /// The event.
        event: Event,
        /// The local day of a message; meaningless for anything else.
        day: i32,
    },
    /// A sentence to show until it is dismissed.
    Notice(String),
    /// The person dismissed the notice with this number.
    Dismiss(u32),
    /// The person decided about the warning for this key under this name.
    WarningDecided(Shown),
    /// The person answered the request of this key under this name.
    RequestAnswered(Shown),
    /// Whether the person sees the end of the log.
    Watching(bool),
    /// Whether the welcome is still shown, although the person joins.
    Entering(bool),
    /// A part of the events that wait has been passed on; the next part follows once this one is drawn.
    Passed,
    /// Whether the chat is visible. A closed widget is not, whatever its log reports.
    Shown(bool),
    /// Asks whether to block this person, or closes the question.
    Blocking(Option<Rc<PeerView>>),
    /// Asks whether to delete this conversation here, or closes the question.
    Deleting(Option<Conversation>),
    /// What is said is kept in another way, because of another tab.
    Mode(Mode),
    /// The person blocked somebody, who was called so.
    Blocked(PublicKey, String),
    /// These are all whom the person has blocked.
    BlockedAre(Vec<Blocked>),
    /// Begins to answer or edit a message, or gives that up.
    Compose(Option<Rc<Composing>>),
    /// A second has passed while somebody writes.
    Look,
    /// Begins to edit the last message that the person said.
    EditLast,
    /// The person sent this text.
    Sent(String),
    /// Asks where to pass this message on to, or closes the question.
    Forward(Option<Rc<Message>>),
    /// Opens a conversation, which need not have begun.
    Open(Conversation),
    /// Opens the conversation of a message that was found, and goes to it.
    Find(Conversation, MessageId),
    /// The message to go to has been reached.
    Reached,
    /// Forgets what was looked for.
    EndSearch,
    /// A file is being imported, or could not be read.
    Import(Import),
    /// Shows the list of conversations in a narrow page, or the log.
    List(bool),
    /// Opens a dialog over the conversation, or closes it.
    Sheet(Option<Sheet>),
    /// Shows the people in a narrow page, or the log.
    People(bool),
    /// Opens somebody's details, or closes them.
    Person(Option<PeerId>),
    /// Closes whatever is on top.
    Escape,
}

impl State {
    /// The state after `action`.
    #[must_use]
    pub fn reduce(mut self, action: Action) -> State {
        match action {
            Action::Opened(opening) => self.on_opened(opening),
            Action::Joined(own) => {
                self.own = Some(Rc::new(own));
                self.stage = Stage::Joined;
            }
            Action::Rejoining => {
                self.status = Status::Joining;
                self.files = Rc::default();
                self.import = None;
            }
            Action::WrongAddress { reason, open_link } => {
                self.stage = Stage::WrongAddress { reason, open_link };
            }
            Action::Failed(reason) => self.stage = Stage::Failed(reason),
            Action::Event { event, day } => self.on_event(event, day),
            Action::Notice(text) => self.add_notice(text, None),
            Action::Dismiss(id) => Rc::make_mut(&mut self.notices).retain(|notice| notice.id != id),
            Action::WarningDecided(seen) => self.decide_warning(seen),
            Action::RequestAnswered(seen) => Rc::make_mut(&mut self.requests)
                .retain(|peer| peer.id != seen.id || !is_same(&seen, peer)),
            Action::Watching(watching) => {
                self.watching = watching;
                self.mark_read_if_watched();
            }
            Action::Entering(entering) => self.entering = entering,
            Action::Passed => self.passed = self.passed.wrapping_add(1),
            Action::Shown(shown) => {
                // The log goes to the first unread message, and then reports whether the end is in sight.
                self.watching &= self.talk.unread == 0 || !shown || self.shown;
                self.shown = shown;
                self.drawn = shown || self.drawn && self.stage != Stage::Loading;
                self.mark_read_if_watched();
            }
            Action::Blocking(peer) => self.blocking = peer,
            Action::Deleting(conversation) => self.deleting = conversation,
            Action::Mode(mode) => self.mode = Some(mode),
            Action::Blocked(key, user) => {
                self.blocking = None;
                self.add_notice(super::texts::blocked(&user), Some(key));
            }
            Action::BlockedAre(blocked) => {
                let is_blocked = |key| blocked.iter().any(|other| other.key == key);
                Rc::make_mut(&mut self.notices)
                    .retain(|notice| notice.blocked.is_none_or(is_blocked));
                self.blocked = Rc::new(blocked);
            }
            Action::Compose(composing) => self.composing = composing,
            Action::Look => self.look(),
            Action::EditLast => self.edit_last(),
            Action::Sent(text) => {
                let composing = self.composing.take().map(Rc::unwrap_or_clone);
                self.sending = Some(Rc::new(Draft { text, composing }));
            }
            Action::Open(conversation) => self.open_talk(&conversation),
            Action::Find(conversation, id) => {
                self.open_talk(&conversation);
                self.target = Some(id);
                self.found = None;
            }
            Action::Reached => self.target = None,
            Action::EndSearch => self.found = None,
            Action::Import(import) => self.import = Some(Rc::new(import)),
            Action::List(open) => {
                self.list_open = open && self.has_list();
                self.mark_read_if_watched();
            }
            Action::Forward(message) => self.forwarding = message,
            Action::Sheet(sheet) => self.sheet = sheet,
            Action::People(open) => self.show_people(open),
            Action::Person(person) => self.show_person(person),
            Action::Escape => {
                if self.sheet.take().is_some()
                    || self.found.take().is_some()
                    || self.composing.take().is_some()
                {
                } else if self.person.is_some() {
                    self.show_person(None);
                } else {
                    self.show_people(false);
                }
            }
        }
        self
    }

    /// Why the room is empty, if nobody is here or connecting, and nothing was said.
    pub fn emptiness(&self) -> Option<Emptiness> {
        if !self.people.is_empty() || self.talk.log.has_messages() {
            return None;
        }
        Some(match self.status {
            _ if !self.requests.is_empty() => Emptiness::Asked,
            Status::Joining => Emptiness::Joining,
            Status::Unreachable { .. } | Status::Refused { .. } => Emptiness::Offline,
            _ => Emptiness::Alone,
        })
    }

    /// How much waits for the person: messages they have not seen, and people who want to connect.
    pub fn waiting(&self) -> u32 {
        let requests = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        self.all_unread().0.saturating_add(requests)
    }

    /// The person with this id, if they are here or connecting.
    pub fn peer(&self, id: &PeerId) -> Option<&Rc<PeerView>> {
        self.people.iter().find(|peer| peer.id == *id)
    }

    /// Whether there is anything for Escape to close.
    pub fn is_covered(&self) -> bool {
        let on_top = self.sheet.is_some() || self.found.is_some() || self.composing.is_some();
        on_top || self.person.is_some() || self.people_open
    }

    /// Shows the people in a narrow page, or the log, where nothing of theirs is open then.
    fn show_people(&mut self, open: bool) {
        self.people_open = open;
        self.people_for_person = false;
        if !open {
            self.person = None;
        }
    }

    /// Opens somebody's details, or closes them. A narrow page has to switch to the people for that, and back.
    fn show_person(&mut self, person: Option<PeerId>) {
        if person.is_some() {
            self.people_for_person |= !self.people_open;
            self.people_open = true;
        } else if self.people_for_person {
            return self.show_people(false);
        }
        self.person = person;
    }

    fn mark_read_if_watched(&mut self) {
        if self.is_watched() {
            self.talk.unread = 0;
            self.talk.missed = 0;
            self.talk.mentioned = 0;
        }
    }

    fn is_watched(&self) -> bool {
        self.watching && self.shown && !self.elsewhere
    }

    fn on_opened(&mut self, opening: Opening) {
        self.stage = match opening.entry {
            Entry::WrongSecret => Stage::WrongSecret,
            Entry::Open | Entry::Private | Entry::Embedded => Stage::NameNeeded,
        };
        for text in &opening.notices {
            self.add_notice(text.clone(), None);
        }
        self.begin_talks(&opening);
        self.opening = Rc::new(opening);
    }

    fn on_event(&mut self, event: Event, day: i32) {
        match event {
            Event::Status(status) => self.set_status(status),
            Event::People(PeopleEvent::Changed(peer)) => self.peer_changed(peer),
            Event::People(PeopleEvent::Gone { peer, reason }) => self.peer_gone(&peer, reason),
            Event::People(PeopleEvent::Request(peer)) => self.add_request(peer),
            Event::People(PeopleEvent::RequestWithdrawn(id)) => {
                Rc::make_mut(&mut self.requests).retain(|peer| peer.id != id)
            }
            Event::Chat(ChatEvent::Message(message)) => {
                let conversation = message.conversation.clone();
                self.within(&conversation, |state| state.add_message(*message, day));
            }
            Event::Chat(ChatEvent::Changed(message)) => {
                let conversation = message.conversation.clone();
                self.within(&conversation, |state| state.change_message(*message));
            }
            Event::Chat(ChatEvent::Delivery {
                id,
                sent,
                delivered,
                of,
            }) => self.deliver(&id, Delivery::of(sent, delivered, of)),
            Event::Chat(ChatEvent::Failed { id, reason }) => {
                self.deliver(&id, Delivery::Failed(reason));
            }
            Event::Chat(ChatEvent::Read(conversation, order)) => {
                self.was_read(&conversation, order);
            }
            Event::Chat(ChatEvent::Deleted(deletion)) => self.deleted(&deletion),
            Event::Chat(ChatEvent::Imported(result)) => {
                self.import = Some(Rc::new(match result {
                    Ok(imported) => Import::Done(imported),
                    Err(error) => Import::Failed(error.to_string()),
                }));
            }
            Event::Chat(ChatEvent::Found { text, messages }) => {
                self.found = Some(Rc::new(Found { text, messages }));
            }
            Event::People(PeopleEvent::Unreadable { peer, count }) => {
                if let Some(peer) = self.peer(&peer).cloned() {
                    self.moved(Move::Unreadable(peer.key, peer.user.clone(), count));
                }
            }
            Event::People(PeopleEvent::ValidationFailure { peer, reason }) => {
                self.add_notice(super::texts::validation_failure(&peer.user, &reason), None);
            }
            Event::Attachment(event) => Rc::make_mut(&mut self.files).on_event(event),
            Event::Call(event) => self.on_call(event, day),
            Event::Refused(reason) => self.on_refused(reason),
            Event::Chat(ChatEvent::Typing { peer, conversation }) => {
                self.types(peer, conversation);
            }
            // These events are for programs, not for people.
            Event::App(AppEvent::Pong { .. })
            | Event::App(AppEvent::Sent { .. })
            | Event::App(AppEvent::SendFailed { .. })
            | Event::App(AppEvent::Value { .. })
            | Event::App(AppEvent::Question { .. })
            | Event::App(AppEvent::Answered { .. }) => {}
            #[cfg(feature = "files")]
            Event::File(_) => {}
        }
    }

    fn change_message(&mut self, message: Message) {
        let mentions = self.mentions(&message.text);
        let id = message.id.clone();
        self.arrived_whole(&message);
        let log = Rc::make_mut(&mut self.talk.log);
        log.change(message);
        if !mentions.is_empty() {
            log.mention(&id, mentions);
        }
    }

    fn add_message(&mut self, message: Message, day: i32) {
        if let Some(id) = &message.peer {
            self.stops_typing(id);
        }
        let peer = message.peer.and_then(|id| self.peer(&id));
        let trust = peer.map_or(message.trust, |peer| peer.trust);
        let own = message.own;
        // What was imported has been read before, wherever that was.
        let is_new = !own && !message.imported && (!message.caught_up || self.is_news(&message));
        let name = if own {
            message.with.clone()
        } else {
            Some(message.sender.clone())
        };
        if let Some(name) = name.filter(|_| message.is_direct()) {
            self.talk.name = name;
        }
        self.arrived_whole(&message);
        let mentions = self.mentions(&message.text);
        let (id, calls) = (message.id.clone(), mentions.iter().any(|(_, own)| *own));
        let log = Rc::make_mut(&mut self.talk.log);
        let is_known = message.caught_up && log.has(&id);
        let seq = log.say(message, day, trust);
        if !mentions.is_empty() {
            log.mention(&id, mentions);
        }
        if own {
            self.talk.unread_from = None;
        } else if is_new && !is_known && !self.is_watched() {
            if self.talk.unread == 0 {
                self.talk.unread_from = Some(seq);
            }
            self.talk.unread = self.talk.unread.saturating_add(1);
            self.talk.mentioned = self.talk.mentioned.saturating_add(calls.into());
        }
    }
}

/// Whether a decision about `shown` applies to this peer. It applies to the key under that name, in all of its tabs.
fn is_same(shown: &Shown, peer: &PeerView) -> bool {
    shown.key == peer.key && shown.name == peer.name
}

/// Whether messages reach a peer in this state, now or as soon as it is back.
pub fn is_here(state: PeerState) -> bool {
    matches!(state, PeerState::Verified | PeerState::Reconnecting)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
