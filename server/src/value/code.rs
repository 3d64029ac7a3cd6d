//! One-time codes.

use std::str::FromStr;

use super::{Invalid, Secret, serde_text};

/// Six decimal digits of an authenticator app (RFC 6238).
#[derive(Debug, Clone)]
pub struct TotpCode(Secret<String>);

impl TotpCode {
    /// The six digits.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for TotpCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(Invalid("expected a code of six digits"))
        }
    }
}

serde_text!(read TotpCode);

/// A code that stands in for the authenticator app when that is lost: 20 characters of lower-case Crockford base32.
#[derive(Debug, Clone)]
pub struct BackupCode(Secret<String>);

impl BackupCode {
    const ALPHABET: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const LENGTH: usize = 20;

    /// A new code of 100 random bits.
    pub fn random() -> Self {
        let random = Secret::<[u8; Self::LENGTH]>::random();
        // 256 is a multiple of 32, so taking five bits of each byte is uniform.
        let text = random.expose().iter().map(|byte| char::from(Self::ALPHABET[usize::from(byte % 32)])).collect();
        Self(Secret::new(text))
    }

    /// The 20 characters without dashes.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The form a human reads: four groups of five.
    pub fn grouped(&self) -> String {
        let text = self.expose();
        format!("{}-{}-{}-{}", &text[..5], &text[5..10], &text[10..15], &text[15..])
    }
}

impl FromStr for BackupCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let code: String = text.chars().filter(|&c| c != '-').map(|c| c.to_ascii_lowercase()).collect();
        if code.len() == Self::LENGTH && code.bytes().all(|byte| Self::ALPHABET.contains(&byte)) {
            Ok(Self(Secret::new(code)))
        } else {
            Err(Invalid("expected a backup code: four groups of five letters and digits"))
        }
    }
}

/// What a human may give to replace the authenticator app.
#[derive(Debug, Clone)]
pub enum MfaCode {
    /// From the app.
    Totp(TotpCode),
    /// From the list of backup codes.
    Backup(BackupCode),
}

impl FromStr for MfaCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .map(Self::Totp)
            .or_else(|_| text.parse().map(Self::Backup))
            .map_err(|_: Invalid| Invalid("expected a code of six digits, or a backup code"))
    }
}

serde_text!(read MfaCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_code_is_read_back_from_its_grouped_form_in_any_case() {
        let code = BackupCode::random();
        for text in [code.grouped(), code.grouped().to_uppercase(), code.expose().to_owned()] {
            assert_eq!(text.parse::<BackupCode>().expect("its own form").expose(), code.expose());
        }
    }

    #[test]
    fn only_six_digits_are_a_totp_code() {
        for text in ["", "12345", "1234567", "12 456", "12345a", "１２３４５６"] {
            assert!(text.parse::<TotpCode>().is_err(), "{text:?}");
        }
        assert!("012345".parse::<TotpCode>().is_ok());
    }
}
