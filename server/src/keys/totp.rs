//! Codes of an authenticator app: a gate before a decision, not a key to anything.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use super::{
    master::Master,
    seal::{self, Purpose, SealError},
    user::UserKey,
};
use crate::value::{Secret, Time, TotpCode, UserId, Username};

/// Seconds that one code is shown (RFC 6238 section 4).
const STEP: i64 = 30;

/// The secret shared with an authenticator app: 20 random bytes, the length RFC 4226 section 4 recommends. Codes are
/// SHA-1, 6 digits, 30 seconds, because that is what every app understands.
#[derive(Debug, Clone)]
pub struct TotpSecret(Secret<[u8; 20]>);

impl TotpSecret {
    /// A new secret.
    pub fn generate() -> Self {
        Self(Secret::random())
    }

    /// What a QR code holds: `otpauth://totp/<issuer>:<user>?secret=…&issuer=…`. A colon in the issuer becomes a space,
    /// because the form has no way to write one.
    pub fn uri(&self, issuer: &str, username: &Username) -> Secret<String> {
        let builder =
            builder(&self.0).with_issuer(Some(issuer.replace(':', " "))).with_account_name(username.to_string());
        let totp = builder.build().expect("20 bytes are enough, and neither name has a colon");
        Secret::new(totp.to_url().expect("a username is never empty and has no colon"))
    }

    /// What a human types into the app where there is no camera: 32 characters of RFC 4648 base32.
    pub fn base32(&self) -> Secret<String> {
        Secret::new(self.totp().secret().to_base32())
    }

    /// The step (30 seconds since 1970) whose code this is: the one of `now`, the one before or the one after (RFC 6238
    /// section 5.2). The caller must refuse a step that is not later than the last one used. All three are always
    /// compared, in constant time.
    pub fn check(&self, code: &TotpCode, now: Time) -> Option<i64> {
        const NONE: i64 = -1;
        let totp = self.totp();
        let current = now.unix_seconds().div_euclid(STEP);
        let mut found = NONE;
        for step in current - 1..=current + 1 {
            let Ok(seconds) = u64::try_from(step * STEP) else { continue };
            let expected = Zeroizing::new(totp.generate(seconds).to_string());
            let same = expected.as_bytes().ct_eq(code.expose().as_bytes());
            found.conditional_assign(&step, same);
        }
        (found != NONE).then_some(found)
    }

    /// Seals it under the user key.
    pub fn seal(&self, master: &Master, user: UserId, key: &UserKey) -> Vec<u8> {
        master.seal_under(&key.0, &Purpose::TotpSecret(user), self.0.expose())
    }

    /// Opens what [`seal`](Self::seal) gave. Fails when the record was changed or is another user's.
    pub fn open(master: &Master, user: UserId, key: &UserKey, blob: &[u8]) -> Result<Self, SealError> {
        let plain = master.open_under(&key.0, &Purpose::TotpSecret(user), blob)?;
        seal::exactly(&plain).map(Self)
    }

    /// What the app shows.
    #[cfg(test)]
    pub(crate) fn code(&self, now: Time) -> TotpCode {
        let seconds = u64::try_from(now.unix_seconds()).expect("after 1970");
        self.totp().generate(seconds).to_string().parse().expect("six digits")
    }

    fn totp(&self) -> Totp {
        builder(&self.0).build().expect("20 bytes are enough")
    }
}

/// The crate's defaults are ours: SHA-1, 6 digits, 30 seconds. It wipes its copy of the secret.
fn builder(secret: &Secret<[u8; 20]>) -> Builder {
    Builder::new().with_secret(secret.expose().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc_secret() -> TotpSecret {
        TotpSecret(Secret::new(*b"12345678901234567890"))
    }

    fn at(seconds: i64) -> Time {
        Time::from_unix_microseconds(seconds * 1_000_000)
    }

    fn code(text: &str) -> TotpCode {
        text.parse().expect("six digits")
    }

    /// RFC 6238 appendix B, SHA-1; six digits are the last six of its eight.
    const VECTORS: [(i64, &str); 6] = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];

    #[test]
    fn rfc_6238_appendix_b_codes_are_good_for_one_step_either_way() {
        for (seconds, digits) in VECTORS {
            let (code, step) = (code(&digits[2..]), seconds / 30);
            for late in [-1, 0, 1] {
                assert_eq!(rfc_secret().check(&code, at(seconds + late * 30)), Some(step), "{seconds} {late}");
            }
            for late in [-2, 2] {
                assert_eq!(rfc_secret().check(&code, at(seconds + late * 30)), None, "{seconds} {late}");
            }
        }
    }

    #[test]
    fn a_code_of_another_secret_is_refused() {
        assert_eq!(TotpSecret(Secret::new([1; 20])).check(&code("287082"), at(59)), None);
        assert_eq!(rfc_secret().check(&code("287083"), at(59)), None);
    }

    #[test]
    fn times_around_and_before_1970_do_not_panic() {
        for seconds in [-100_000, -31, -1, 0, 29, 30] {
            let _ = rfc_secret().check(&code("755224"), at(seconds));
        }
        // RFC 4226 appendix D, counter 0.
        assert_eq!(rfc_secret().check(&code("755224"), at(0)), Some(0));
        assert_eq!(rfc_secret().check(&code("755224"), at(-1)), Some(0));
    }

    #[test]
    fn the_uri_is_the_one_authenticator_apps_read() {
        let uri = rfc_secret().uri("Wallet: Test", &"ada.l".parse().expect("plain"));
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Wallet%20%20Test:ada.l?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Wallet%20%20Test"
        );
        assert_eq!(rfc_secret().base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_sealed_secret_opens_for_its_own_user_only() {
        let (master, user, key) = (Master::new(Secret::random()), UserId::new(), UserKey::generate());
        let blob = rfc_secret().seal(&master, user, &key);
        let open = |master: &Master, user, key: &UserKey| TotpSecret::open(master, user, key, &blob);
        assert_eq!(open(&master, user, &key).expect("its own").0.expose(), rfc_secret().0.expose());
        assert!(open(&master, UserId::new(), &key).is_err());
        assert!(open(&master, user, &UserKey::generate()).is_err());
        assert!(open(&Master::new(Secret::random()), user, &key).is_err());
    }
}
