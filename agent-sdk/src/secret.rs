//! Text that must not be printed.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A password, key, token or code. Has no printable content, cannot be serialized by accident, and
/// is wiped from memory when dropped.
///
/// Copies made while a request is on its way (the transport's own buffers) are out of its reach.
///
/// ```
/// let secret = agent_sdk::Secret::from("correct horse battery staple");
/// assert_eq!(format!("{secret:?}"), "Secret");
/// ```
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Show it or store it deliberately.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Writes a secret into a request body, for fields that opt in with `serialize_with`.
#[cfg(feature = "user")]
pub(crate) fn reveal<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
