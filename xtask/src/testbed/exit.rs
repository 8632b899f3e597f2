//! Cleans up at the end of a process that keeps browsers in a static, since statics are never dropped.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::process;

static PROFILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// When this process exits, kills every program that it started, and removes this folder.
pub fn end_at_exit(profile: &Path) {
    let Ok(mut profiles) = PROFILES.lock() else {
        return;
    };
    #[cfg(unix)]
    if profiles.is_empty() {
        // SAFETY: `end` does not unwind, and uses nothing that could be gone by then.
        unsafe { libc::atexit(end) };
    }
    profiles.push(profile.to_owned());
}

#[cfg(unix)]
extern "C" fn end() {
    process::end_descendants(std::process::id());
    if let Ok(profiles) = PROFILES.lock() {
        for profile in profiles.iter() {
            // A folder that cannot be removed is in the folder for temporary files.
            let _ = std::fs::remove_dir_all(profile);
        }
    }
}
