//! Counters for the diagnostics panel: numbers and reasons, never contents.

use litemap::LiteMap;

use super::io::Diagnostics;
use crate::wire::EnvelopeError;

/// The reason why something that arrived was dropped, or something of ours was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dropped {
    TooLarge,
    WrongKey,
    Malformed,
    LaterVersion,
    Repeated,
    Stale,
    WrongTopic,
    WrongPeerId,
    NotNewer,
    BadSignature,
    OverBudget,
    RoomFull,
    Unexpected,
    Departed,
    Declined,
    BadFrame,
    Unshown,
    FloodedFrames,
    SaidTooMuch,
    UnaskedAnswer,
    TooManyCandidates,
    TooManyKnocks,
    TooManyOffers,
    TooManyIntroductions,
    TooManyQuestions,
    TooManyReplies,
    TooManySignals,
    #[cfg(feature = "files")]
    TooManyFiles,
    #[cfg(feature = "files")]
    StrayBytes,
}

impl Dropped {
    /// Whether it may have kept us from meeting somebody. What comes twice, from people who have left or from those whom the
    /// person did not let in, is dropped in every healthy room.
    pub fn hinders(self) -> bool {
        !matches!(
            self,
            Dropped::Repeated
                | Dropped::NotNewer
                | Dropped::Stale
                | Dropped::Departed
                | Dropped::Declined
                | Dropped::RoomFull
                | Dropped::Unexpected
        )
    }

    /// Whether it could not be read, or is not what it says: something that its receiver should have been told, maybe.
    pub fn is_unreadable(self) -> bool {
        matches!(
            self,
            Dropped::BadFrame | Dropped::Unshown | Dropped::TooLarge | Dropped::BadSignature
        )
    }

    /// Whether whoever sent it sends too much, or what nobody reads.
    pub fn breaks_limits(self) -> bool {
        #[cfg(feature = "files")]
        if self == Dropped::TooManyFiles {
            return true;
        }
        self.is_unreadable()
            || matches!(
                self,
                Dropped::FloodedFrames
                    | Dropped::SaidTooMuch
                    | Dropped::OverBudget
                    | Dropped::TooManyQuestions
                    | Dropped::TooManySignals
            )
    }

    /// Whether it was only too much at once, of what anybody may send: it costs nothing, and programs and people who come
    /// back from a bad network do it, too.
    pub fn is_eager(self) -> bool {
        matches!(self, Dropped::SaidTooMuch | Dropped::TooManyQuestions)
    }

    fn words(self) -> &'static str {
        match self {
            Dropped::TooLarge => "too large",
            Dropped::WrongKey => "sealed with another key",
            Dropped::Malformed => "unreadable",
            Dropped::LaterVersion => "of a later version",
            Dropped::Repeated => "the same as before, over another broker or again",
            Dropped::Stale => "for an announcement of ours that has expired",
            Dropped::WrongTopic => "on the wrong topic",
            Dropped::WrongPeerId => "a peer id that does not belong to its keys",
            Dropped::NotNewer => "old or repeated",
            Dropped::BadSignature => "an invalid signature",
            Dropped::OverBudget => "too many signatures to check at once",
            Dropped::RoomFull => "the room is full",
            Dropped::Unexpected => "belonging to no attempt of ours",
            Dropped::Departed => "from somebody who has left",
            Dropped::Declined => "from somebody who was not let in",
            Dropped::BadFrame => "an unreadable frame",
            Dropped::Unshown => "an entry that cannot be shown",
            Dropped::FloodedFrames => "too many frames at once",
            Dropped::SaidTooMuch => "more words at once than are taken without being asked for",
            Dropped::UnaskedAnswer => "an answer to no open question",
            Dropped::TooManyCandidates => "more candidates than a connection needs",
            Dropped::TooManyKnocks => "more knocks than we send at once",
            Dropped::TooManyOffers => "more offers than are answered at once",
            Dropped::TooManyIntroductions => "more introductions than one member may make",
            Dropped::TooManyQuestions => "more questions than may be open",
            Dropped::TooManyReplies => "more replies than may wait for one person",
            Dropped::TooManySignals => "too many negotiations at once",
            #[cfg(feature = "files")]
            Dropped::TooManyFiles => "more files at once than may be offered",
            #[cfg(feature = "files")]
            Dropped::StrayBytes => "bytes that belong to no accepted file",
        }
    }
}

impl From<EnvelopeError> for Dropped {
    fn from(error: EnvelopeError) -> Dropped {
        match error {
            EnvelopeError::TooLarge => Dropped::TooLarge,
            EnvelopeError::Closed => Dropped::WrongKey,
            EnvelopeError::Malformed => Dropped::Malformed,
            EnvelopeError::NotOfSender => Dropped::WrongPeerId,
            EnvelopeError::Unsupported => Dropped::LaterVersion,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    published: u64,
    published_bytes: u64,
    received: u64,
    signatures_checked: u64,
    skipped: u64,
    connections_opened: u64,
    dropped: LiteMap<Dropped, u64>,
}

impl Counters {
    pub fn published(&mut self, bytes: usize) {
        self.published += 1;
        self.published_bytes += bytes as u64;
    }

    pub fn received(&mut self) {
        self.received += 1;
    }

    pub fn skipped(&mut self, bodies: usize) {
        self.skipped += bodies as u64;
    }

    pub fn signature_checked(&mut self) {
        self.signatures_checked += 1;
    }

    pub fn connection_opened(&mut self) {
        self.connections_opened += 1;
    }

    pub fn dropped(&mut self, reason: Dropped) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    pub fn diagnostics(&self) -> Diagnostics {
        Diagnostics {
            published: self.published,
            published_bytes: self.published_bytes,
            received: self.received,
            dropped: self
                .dropped
                .iter()
                .map(|(reason, count)| (reason.words(), *count))
                .collect(),
            skipped: self.skipped,
            signatures_checked: self.signatures_checked,
            connections_opened: self.connections_opened,
        }
    }
}
