//! What people and programs name and prove themselves with.

use std::{fmt, str::FromStr};

use super::{Invalid, Secret, serde_text};

/// A user's name: 3 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit. Read in any case, kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Username {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = text.to_ascii_lowercase();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if (3..=64).contains(&name.len()) && begins_well && name.bytes().all(allowed) {
            Ok(Self(name))
        } else {
            Err(Invalid("expected 3 to 64 of the characters a-z 0-9 . _ - beginning with a letter or digit"))
        }
    }
}

serde_text!(Username);

/// A password of at most 1024 bytes. Whether it is strong enough is asked only where one is chosen.
#[derive(Debug, Clone)]
pub struct Password(Secret<String>);

impl Password {
    /// The shortest password that may be chosen, in bytes: NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where a
    /// password stands alone and 8 beside a second factor; a wallet takes the middle.
    pub const SHORTEST: usize = 12;

    /// The bytes that go into scrypt.
    pub fn expose(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }

    /// Whether it may be chosen: long enough, not the username, not one character over and over.
    pub fn is_strong_for(&self, username: &Username) -> bool {
        let text = self.0.expose();
        let first = text.chars().next();
        text.len() >= Self::SHORTEST
            && text.to_lowercase() != username.0
            && text.chars().any(|character| Some(character) != first)
    }
}

impl FromStr for Password {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (1..=1024).contains(&text.len()) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(Invalid("expected a password of 1 to 1024 bytes"))
        }
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text is wiped by its own wrapper, whichever way parsing ends.
        let text = Secret::<String>::deserialize(deserializer)?;
        text.expose().parse().map_err(serde::de::Error::custom)
    }
}

/// Names one creation, so that a repeated request makes nothing twice: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("expected 1 to 255 visible ASCII characters"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_kept_in_lower_case_and_has_only_plain_characters() {
        assert_eq!("Ada.L".parse::<Username>().expect("plain").to_string(), "ada.l");
        for text in ["ab", ".ada", "ada lovelace", "ada:1", "аda", ""] {
            assert!(text.parse::<Username>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn short_repeated_and_own_name_passwords_are_weak() {
        let username: Username = "longusername1".parse().expect("plain");
        let strong = |text: &str| text.parse::<Password>().expect("short enough").is_strong_for(&username);
        assert!(strong("correct horse battery"));
        assert!(!strong("short"));
        assert!(!strong("aaaaaaaaaaaaaaaa"));
        assert!(!strong("LongUsername1"));
    }
}
