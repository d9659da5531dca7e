//! Where a page ends, as a text that only the storage understands.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::StorageError;
use super::files::check_id;

/// No cursor has a longer text.
const TEXT_BYTES: usize = 256;

/// The oldest message of a page: what is older comes on the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Its id.
    pub id: String,
    /// When it was made, ms since 1970.
    pub time: i64,
}

impl Cursor {
    /// The cursor as a client gets it: base64url, without padding, of JSON.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!({"id": self.id, "time": self.time}).to_string())
    }

    /// Reads what [`Cursor::to_text`] wrote.
    ///
    /// # Errors
    /// When the text is no cursor.
    pub fn from_text(text: &str) -> Result<Cursor, StorageError> {
        let bad = || StorageError::BadCursor(text.chars().take(64).collect());
        let json = (text.len() <= TEXT_BYTES).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
        let cursor: Cursor = serde_json::from_slice(&json.ok_or_else(bad)?).map_err(|_| bad())?;
        check_id("message", &cursor.id)?;
        Ok(cursor)
    }
}
