//! Keeps the stored trust book in step with the room.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use crate::identity::web::recheck_trust;
use crate::identity::{Profile, TrustBook, TrustChange};

/// Writes what the room learns about people into the profile, and reads what other tabs wrote there.
pub struct TrustKeeper {
    profile: Rc<RefCell<Profile>>,
    /// Whether other tabs share the profile.
    is_shared: bool,
    /// Whether a check of the stored trust book is scheduled.
    check_scheduled: Rc<Cell<bool>>,
}

impl TrustKeeper {
    /// `is_shared` is whether other tabs use the same stored profile.
    pub fn new(profile: Rc<RefCell<Profile>>, is_shared: bool) -> TrustKeeper {
        TrustKeeper {
            profile,
            is_shared,
            check_scheduled: Rc::default(),
        }
    }

    /// Stores a change to the trust book. Returns sentences about the storage that the person should see.
    pub(super) fn remember(&self, change: &TrustChange) -> Vec<String> {
        let (wrote, notices) = {
            let mut profile = self.profile.borrow_mut();
            (profile.remember(change), profile.take_notices())
        };
        if wrote {
            self.schedule_check();
        }
        notices.iter().map(ToString::to_string).collect()
    }

    /// The trust book as it is stored now, including what other tabs have written.
    ///
    /// It is returned even if this read brought nothing new, because an earlier read, just before this tab wrote a change,
    /// may have merged the entries of other tabs without the room learning of them.
    pub(super) fn reload(&self) -> TrustBook {
        let mut profile = self.profile.borrow_mut();
        profile.refresh();
        profile.trust().clone()
    }

    /// Makes sure that no other tab has overwritten what this one just wrote.
    fn schedule_check(&self) {
        if !self.is_shared || self.check_scheduled.replace(true) {
            return;
        }
        let (profile, scheduled) = (Rc::downgrade(&self.profile), self.check_scheduled.clone());
        spawn_local(async move {
            // A change that is written from now on is covered by this check or by the next one.
            scheduled.set(false);
            recheck_trust(profile).await;
        });
    }
}
