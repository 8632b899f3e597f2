//! The conversations of the page: the one that is open, and the others.

use std::rc::Rc;

use super::{Opening, State, is_here};
use crate::identity::PublicKey;
use crate::room::{
    Activity, Conversation, Deletion, MAIN_CHANNEL, Message, MessageId, Order, PeerView,
};
use crate::settings::Channel;
use crate::time::Millis;
use crate::ui::line::Delivery;
use crate::ui::markdown::plain;
use crate::ui::texts;
use crate::ui::timeline::Timeline;

/// At most this many conversations are listed. The room has fewer; this limit holds whatever it reports.
const MAX_TALKS: usize = 512;
/// The last line of a conversation has at most this many characters in the list.
const MAX_LAST_LINE: usize = 80;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// Which one it is.
    pub conversation: Conversation,
    /// The other person's name, as it was last heard of, in a direct one.
    pub name: String,
    /// The messages, and in channels who joined and left.
    pub log: Rc<Timeline>,
    /// The number of messages that arrived, and of calls that were missed, while the person was not watching.
    pub unread: u32,
    /// How many of them are calls.
    pub(super) missed: u32,
    /// The line of the last missed call that was not seen before.
    pub(super) last_missed: Option<u32>,
    /// How many of them mention the person.
    pub mentioned: u32,
    /// The line of the first unread message. The mark stays until the person sends a message.
    pub unread_from: Option<u32>,
    /// Up to where it was read, here or in another tab or at another time.
    read: Option<Order>,
}

impl Talk {
    fn new(conversation: Conversation) -> Talk {
        Talk {
            conversation,
            name: String::new(),
            log: Rc::default(),
            unread: 0,
            missed: 0,
            last_missed: None,
            mentioned: 0,
            unread_from: None,
            read: None,
        }
    }

    /// Whether it is with one person.
    pub fn is_direct(&self) -> bool {
        matches!(self.conversation, Conversation::Direct(_))
    }

    /// Whether it is listed while another one is open.
    fn is_listed(&self) -> bool {
        matches!(self.conversation, Conversation::Channel(_)) || !self.log.lines().is_empty()
    }
}

impl Default for Talk {
    /// The main channel of a room whose site names none.
    fn default() -> Talk {
        Talk::new(Conversation::Channel(MAIN_CHANNEL.to_owned()))
    }
}

/// A conversation as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Which one it is.
    pub conversation: Conversation,
    /// Its name: of a channel without the `#`, or of the other person.
    pub title: String,
    /// What a channel's site says of it.
    pub channel: Option<Channel>,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether the other person is here.
    pub is_here: bool,
    /// Whether the other person is at their page, as far as they say so.
    pub activity: Option<Activity>,
    /// The number of unread messages.
    pub unread: u32,
    /// Whether they are for the person: one of them mentions them, or the conversation is with them alone.
    pub is_called: bool,
    /// Whether one of them mentions the person.
    pub is_mentioned: bool,
    /// Who said what last, and when.
    pub last: Option<(String, Millis)>,
}

impl State {
    /// Begins with the channels that the site names.
    pub(super) fn begin_talks(&mut self, opening: &Opening) {
        let mut talks = opening
            .channels
            .iter()
            .map(|channel| Talk::new(Conversation::Channel(channel.name.clone())));
        if let Some(first) = talks.next() {
            self.talk = first;
        }
        self.others = Rc::new(talks.map(Rc::new).collect());
        self.list_open = !self.others.is_empty();
    }

    /// Lets `act` see this conversation as the one that is open. It begins if there is none yet.
    pub(super) fn within(&mut self, conversation: &Conversation, act: impl FnOnce(&mut State)) {
        if self.talk.conversation == *conversation {
            return act(self);
        }
        let Some(at) = self.place_of(conversation) else {
            return;
        };
        self.swap(at);
        let before = std::mem::replace(&mut self.elsewhere, true);
        act(self);
        self.elsewhere = before;
        self.swap(at);
    }

    /// Where a conversation that is not open is among the others. A direct one that is not there begins.
    fn place_of(&mut self, conversation: &Conversation) -> Option<usize> {
        let found = self
            .others
            .iter()
            .position(|its| its.conversation == *conversation);
        let may_begin =
            self.opening.features.direct && matches!(conversation, Conversation::Direct(_));
        if found.is_none() && may_begin && self.others.len() < MAX_TALKS {
            let talk = Rc::new(Talk::new(conversation.clone()));
            Rc::make_mut(&mut self.others).push(talk);
            return Some(self.others.len() - 1);
        }
        found
    }

    fn swap(&mut self, at: usize) {
        if let Some(other) = Rc::make_mut(&mut self.others).get_mut(at) {
            std::mem::swap(&mut self.talk, Rc::make_mut(other));
        }
    }

    /// Opens a conversation, which need not have begun.
    pub(super) fn open_talk(&mut self, conversation: &Conversation) {
        if self.talk.conversation != *conversation
            && let Some(at) = self.place_of(conversation)
        {
            self.swap(at);
            self.composing = None;
            self.returned = None;
            self.watching = true;
        }
        self.list_open = false;
        self.show_people(false);
        self.mark_read_if_watched();
    }

    /// Notes up to where a conversation was read, and counts what is not.
    pub(super) fn was_read(&mut self, conversation: &Conversation, order: Order) {
        self.within(conversation, |state| {
            let talk = &mut state.talk;
            if talk.read.is_some_and(|read| read >= order) {
                return;
            }
            talk.read = Some(order);
            let (from, count) = talk.log.after(&order).unzip();
            let count = count.unwrap_or_default();
            talk.unread = count.saturating_add(talk.missed);
            talk.mentioned = talk.mentioned.min(count);
            if count > 0 {
                talk.unread_from = from;
            }
            state.mark_read_if_watched();
        });
    }

    /// Whether a message that was said before we came was not read at another time either.
    pub(super) fn is_news(&self, message: &Message) -> bool {
        match self.talk.read {
            Some(read) => message.order > read,
            None => message.is_direct(),
        }
    }

    /// Up to where the person has read what is open, if they see its end.
    pub fn read_up_to(&self) -> Option<(Conversation, Order)> {
        let last = self.talk.log.last_said().filter(|_| self.is_watched())?;
        Some((self.talk.conversation.clone(), last.message.order))
    }

    /// Removes what was deleted.
    pub(super) fn deleted(&mut self, deletion: &Deletion) {
        // Another tab may have done what is asked about here.
        let is_asked = |conversation: &Conversation| match deletion {
            Deletion::Message(_) => false,
            Deletion::Conversation(deleted) => deleted == conversation,
            Deletion::Room | Deletion::Site => true,
        };
        self.deleting.take_if(|asked| is_asked(asked));
        match deletion {
            Deletion::Message(id) => {
                if let Some(log) = self.log_with(id) {
                    log.remove(id);
                }
            }
            Deletion::Conversation(conversation) => {
                let is_direct = matches!(conversation, Conversation::Direct(_));
                if self.talk.conversation == *conversation && is_direct {
                    self.open_main();
                }
                if is_direct {
                    Rc::make_mut(&mut self.others).retain(|its| its.conversation != *conversation);
                } else {
                    self.within(conversation, State::forget_talk);
                }
            }
            Deletion::Room | Deletion::Site => {
                let is_channel = |its: &Talk| matches!(its.conversation, Conversation::Channel(_));
                if !is_channel(&self.talk) {
                    self.open_main();
                }
                let others = Rc::make_mut(&mut self.others);
                others.retain(|its| is_channel(its));
                for other in others {
                    *other = Rc::new(Talk::new(other.conversation.clone()));
                }
                self.forget_talk();
            }
        }
    }

    /// The room's main channel.
    pub(super) fn main_channel(&self) -> Conversation {
        let main = self.opening.channels.first();
        let name = main.map_or(MAIN_CHANNEL, |channel| channel.name.as_str());
        Conversation::Channel(name.to_owned())
    }

    /// The main channel takes the place of a conversation that ends.
    fn open_main(&mut self) {
        let main = self.main_channel();
        if let Some(at) = self.place_of(&main) {
            self.swap(at);
        }
    }

    fn forget_talk(&mut self) {
        self.talk = Talk::new(self.talk.conversation.clone());
    }

    /// Sets the delivery state of a message, in whichever conversation it is.
    pub(super) fn deliver(&mut self, id: &MessageId, delivery: Delivery) {
        if let Some(log) = self.log_with(id) {
            log.deliver(id, delivery);
        }
    }

    /// The log that has a message. Only that one is copied, if it is shared.
    fn log_with(&mut self, id: &MessageId) -> Option<&mut Timeline> {
        let talk = if self.talk.log.has(id) {
            &mut self.talk
        } else {
            let at = self.others.iter().position(|talk| talk.log.has(id))?;
            Rc::make_mut(Rc::make_mut(&mut self.others).get_mut(at)?)
        };
        Some(Rc::make_mut(&mut talk.log))
    }

    /// The number of unread messages in all conversations, and how many of them mention the person.
    pub fn all_unread(&self) -> (u32, u32) {
        let others = self.others.iter().map(|talk| (talk.unread, talk.mentioned));
        others.fold((self.talk.unread, self.talk.mentioned), |sum, one| {
            (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1))
        })
    }

    /// Somebody who is here with this key.
    fn holder(&self, key: &PublicKey) -> Option<&PeerView> {
        let mut people = self.people.iter();
        let holder = people.find(|peer| peer.key == *key && is_here(peer.state));
        holder.map(|peer| &**peer)
    }

    /// The number of unread messages in each conversation that has any.
    pub fn unread_by_conversation(&self) -> Vec<(Conversation, u32)> {
        let others = self.others.iter().map(|talk| &**talk);
        let all = [&self.talk].into_iter().chain(others);
        all.filter(|talk| talk.unread > 0)
            .map(|talk| (talk.conversation.clone(), talk.unread))
            .collect()
    }

    /// The name of whoever holds a key.
    fn name_of(&self, talk: &Talk, key: &PublicKey) -> (String, bool) {
        let own = self.own.as_ref().filter(|own| own.key == *key);
        match (own, self.holder(key)) {
            (Some(own), _) => (texts::yourself(&own.user), true),
            (None, Some(peer)) => (peer.name.to_string(), true),
            (None, None) if talk.name.is_empty() => (key.fingerprint(), false),
            (None, None) => (talk.name.clone(), false),
        }
    }

    fn list(&self, talk: &Talk, is_open: bool) -> Listed {
        let (title, is_here, channel) = match &talk.conversation {
            Conversation::Direct(key) => {
                let (name, is_here) = self.name_of(talk, key);
                (name, is_here, None)
            }
            Conversation::Channel(name) => {
                let mut channels = self.opening.channels.iter();
                let channel = channels.find(|channel| channel.name == *name).cloned();
                (name.clone(), true, channel)
            }
        };
        let holder = match &talk.conversation {
            Conversation::Direct(key) => self.holder(key).filter(|peer| !self.is_own_tab(peer)),
            Conversation::Channel(_) => None,
        };
        let last = talk.log.last_said().map(|said| {
            let message = &said.message;
            let text: String = plain(&message.text).chars().take(MAX_LAST_LINE).collect();
            let line = match (&talk.conversation, message.retracted) {
                (_, true) => texts::TAKEN_BACK.to_owned(),
                (Conversation::Direct(_), false) if !message.own => text,
                _ => texts::last_line(message.own, &message.sender, &text),
            };
            (line, message.at)
        });
        let is_channel = matches!(talk.conversation, Conversation::Channel(_));
        Listed {
            conversation: talk.conversation.clone(),
            title,
            channel,
            is_open,
            is_here,
            activity: holder.and_then(|peer| peer.activity),
            unread: talk.unread,
            is_called: talk.unread > 0 && !is_channel || talk.mentioned > 0,
            is_mentioned: talk.mentioned > 0,
            last,
        }
    }

    /// The conversation that is open.
    pub fn opened(&self) -> Listed {
        self.list(&self.talk, true)
    }

    /// All conversations: the channels as the site names them, then direct ones that have begun or are open, the one with
    /// the last message or call first.
    pub fn listed(&self) -> Vec<Listed> {
        let open = (&self.talk, true);
        let others = self.others.iter().map(|talk| (&**talk, false));
        let rank = |talk: &Talk| match &talk.conversation {
            Conversation::Channel(name) => {
                let mut channels = self.opening.channels.iter();
                (0, channels.position(|channel| channel.name == *name), None)
            }
            Conversation::Direct(_) => (1, None, talk.log.lines().last().map(|line| line.place)),
        };
        let others = others.filter(|(talk, _)| talk.is_listed());
        let all = [open].into_iter().chain(others);
        let sorted = crate::sort::sorted_by(all, |(one, _), (other, _)| {
            let (one, other) = (rank(one), rank(other));
            (one.0, one.1)
                .cmp(&(other.0, other.1))
                .then(other.2.cmp(&one.2))
        });
        let list = |(talk, is_open): (&Talk, bool)| self.list(talk, is_open);
        sorted.into_iter().map(list).collect()
    }

    /// Whether there is more than one conversation, so that a list of them is shown.
    pub fn has_list(&self) -> bool {
        self.others.iter().any(|talk| talk.is_listed())
    }
}
