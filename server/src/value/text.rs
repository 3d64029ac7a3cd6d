//! Words that people and agents write and other people read.

use std::{fmt, str::FromStr};

use super::{Invalid, serde_text};

/// Whether a character could change how the text around it is shown: controls, bidirectional marks, invisible ones.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A name for a wallet or an agent: 1 to 64 characters, none that deceives the eye, no space at either end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if (1..=64).contains(&length) && text.trim() == text && !text.chars().any(is_deceptive) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("expected 1 to 64 characters without control characters or spaces at the ends"))
        }
    }
}

serde_text!(Label);

/// Free words (a memo, a reason): at most 280 characters; what deceives the eye is taken out, not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Text {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > 280 {
            return Err(Invalid("expected at most 280 characters"));
        }
        let shown = |c: char| if c == '\n' || c == '\t' { ' ' } else { c };
        Ok(Self(text.chars().map(shown).filter(|&c| !is_deceptive(c)).collect()))
    }
}

serde_text!(Text);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_never_reach_a_reader() {
        let text: Text = "pay\u{1b}[2K \u{202e}evil\u{200b}\nrent".parse().expect("short");
        assert_eq!(text.to_string(), "pay[2K evil rent");
        assert!("a\u{202e}b".parse::<Label>().is_err());
    }
}
