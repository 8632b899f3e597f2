//! Why something was not kept, or could not be read.

/// Why an operation of the store failed. A chat goes on without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The browser or its user forbids databases.
    #[error(
        "This browser does not let the page keep what is said, as in some private windows, where cookies are blocked, \
         or in a frame of another site. You can chat, and what is said is gone when you close this tab."
    )]
    Denied,
    /// The browser gives the site no more space.
    #[error(
        "This browser has no room left to keep what is said. Delete old conversations, or make room on this device."
    )]
    Full,
    /// The database cannot be read.
    #[error(
        "This browser cannot read what was kept here any more. If that stays so after a restart, delete what was kept."
    )]
    Broken,
    /// The database was written by a newer version of the page than this one.
    #[error(
        "What was kept in this browser was written by a newer version of this page. Reload the page to read it."
    )]
    Newer,
    /// Another tab, with a newer version of the page, or the browser has closed the database.
    #[error(
        "This tab has lost its access to what is kept, because a newer version of this page is open in another tab, \
         or because the browser took it away. Reload the page to go on."
    )]
    Closed,
    /// The browser did not answer in time.
    #[error(
        "This browser does not answer when the page asks for what was kept. You can chat; reload the page to try again."
    )]
    NoAnswer,
    /// The browser cannot tell whether a tab is open, or cannot list databases, so that nothing would ever be deleted.
    #[error(
        "This browser cannot keep what is said for the time of one tab only: it is too old, or this page was loaded \
         without HTTPS. So what is said is gone when you reload the page."
    )]
    NoSessions,
    /// Anything else. The browser's console has its words.
    #[error(
        "This browser failed to keep or to read what is said. You can chat; reload the page to try again."
    )]
    Other,
}

impl HistoryError {
    /// The error that a browser reports with a `DOMException` of this name.
    pub fn of(name: &str) -> HistoryError {
        match name {
            // Old versions of Firefox say `InvalidStateError` in private windows.
            "SecurityError" | "NotAllowedError" | "InvalidStateError" => HistoryError::Denied,
            "VersionError" => HistoryError::Newer,
            // A request was under way when the database was closed.
            "AbortError" => HistoryError::Closed,
            "UnknownError" | "NotFoundError" | "NotReadableError" => HistoryError::Broken,
            // Old versions of Firefox have names of their own for `QuotaExceededError`.
            _ if name.to_ascii_lowercase().contains("quota") => HistoryError::Full,
            _ => HistoryError::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_browsers_become_sentences_for_people() {
        let error = HistoryError::of;
        assert_eq!(error("SecurityError"), HistoryError::Denied);
        assert_eq!(error("InvalidStateError"), HistoryError::Denied);
        assert_eq!(error("QuotaExceededError"), HistoryError::Full);
        assert_eq!(
            error("NS_ERROR_DOM_INDEXEDDB_QUOTA_ERR"),
            HistoryError::Full
        );
        assert_eq!(error("UnknownError"), HistoryError::Broken);
        assert_eq!(error("VersionError"), HistoryError::Newer);
        assert_eq!(error("AbortError"), HistoryError::Closed);
        assert_eq!(error("TimeoutError"), HistoryError::Other);
        assert_eq!(error(""), HistoryError::Other);
    }
}
