//! A login's secret: a way to the user key that lasts as long as the session does.

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{
    master::Master,
    seal::{self, Key, Purpose, SealError},
    user::UserKey,
};
use crate::value::{Invalid, Secret, SessionId, UserId};

/// 32 random bytes that live in the access token and nowhere else. The database keeps what recognises them and what
/// they open, so neither it nor the master secret is a session.
#[derive(Debug, Clone)]
pub struct SessionSecret(Key);

impl SessionSecret {
    /// A new login's secret.
    pub fn generate() -> Self {
        Self(Key::random())
    }

    /// The form in the token: 43 characters of base64url without padding.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64UrlUnpadded::encode_string(self.0.expose()))
    }

    /// Reads what [`text`](Self::text) gave. Fails when it is anything else.
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = Zeroizing::new([0; 32]);
        match Base64UrlUnpadded::decode(text, &mut *bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(Key::new(Secret::new(*bytes)))),
            _ => Err(Invalid("expected a session secret")),
        }
    }

    /// What the session's row keeps to recognise the secret: HKDF-SHA256 (HMAC) over it and the session, sealed under
    /// the master secret.
    pub fn verifier(&self, master: &Master, session: SessionId) -> Vec<u8> {
        let purpose = Purpose::SessionVerifier(session);
        master.seal(&purpose, self.0.derive(&purpose).expose())
    }

    /// Whether this is the secret whose verifier the row keeps, in constant time.
    pub fn verify(&self, master: &Master, session: SessionId, verifier: &[u8]) -> bool {
        let purpose = Purpose::SessionVerifier(session);
        let kept = master.open(&purpose, verifier).and_then(|plain| seal::exactly(&plain));
        kept.is_ok_and(|kept| Key::new(kept).is(&self.0.derive(&purpose)))
    }

    /// Seals the user key for the length of the session, so that approving needs the token and a code, not the
    /// password. The key is HKDF over the session's secret and the master secret: both are needed.
    pub fn seal_user_key(&self, master: &Master, session: SessionId, user: UserId, key: &UserKey) -> Vec<u8> {
        let purpose = Purpose::SessionUserKey(session, user);
        master.seal_under(&self.with(master, &purpose), &purpose, key.0.expose())
    }

    /// Opens what [`seal_user_key`](Self::seal_user_key) gave. Fails when any of session, user, secret, master secret
    /// or record differs; after a good [`verify`](Self::verify) that is damage, not a mistake.
    pub fn open_user_key(
        &self,
        master: &Master,
        session: SessionId,
        user: UserId,
        blob: &[u8],
    ) -> Result<UserKey, SealError> {
        let purpose = Purpose::SessionUserKey(session, user);
        let plain = master.open_under(&self.with(master, &purpose), &purpose, blob)?;
        seal::exactly(&plain).map(|bytes| UserKey(Key::new(bytes)))
    }

    fn with(&self, master: &Master, purpose: &Purpose) -> Key {
        self.0.derive_with(&master.subkey(purpose), purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_opens_the_user_key_with_its_own_secret_only() {
        let (master, session, user) = (Master::new(Secret::random()), SessionId::new(), UserId::new());
        let (secret, key) = (SessionSecret::generate(), UserKey::generate());
        let blob = secret.seal_user_key(&master, session, user, &key);
        assert!(secret.open_user_key(&master, session, user, &blob).expect("its own").0.is(&key.0));
        let other_master = Master::new(Secret::random());
        for result in [
            SessionSecret::generate().open_user_key(&master, session, user, &blob),
            secret.open_user_key(&other_master, session, user, &blob),
            secret.open_user_key(&master, SessionId::new(), user, &blob),
            secret.open_user_key(&master, session, UserId::new(), &blob),
            secret.open_user_key(&master, SessionId(user.0), UserId(session.0), &blob),
        ] {
            assert_eq!(result.err(), Some(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn the_inner_layer_needs_the_master_secret_too() {
        let (master, session, user) = (Master::new(Secret::random()), SessionId::new(), UserId::new());
        let (secret, key) = (SessionSecret::generate(), UserKey::generate());
        let purpose = Purpose::SessionUserKey(session, user);
        let blob = secret.seal_user_key(&master, session, user, &key);
        let inner = master.open(&purpose, &blob).expect("the outer layer");
        let opens = |secret: &SessionSecret, master: &Master| {
            seal::open(&secret.with(master, &purpose).derive(&purpose), inner.expose()).is_ok()
        };
        assert!(opens(&secret, &master));
        assert!(!opens(&secret, &Master::new(Secret::random())));
        assert!(!opens(&SessionSecret::generate(), &master));
    }

    #[test]
    fn a_verifier_recognises_one_secret_of_one_session() {
        let (master, session, secret) = (Master::new(Secret::random()), SessionId::new(), SessionSecret::generate());
        let verifier = secret.verifier(&master, session);
        assert!(secret.verify(&master, session, &verifier));
        assert!(!SessionSecret::generate().verify(&master, session, &verifier));
        assert!(!secret.verify(&master, SessionId::new(), &verifier));
        assert!(!secret.verify(&Master::new(Secret::random()), session, &verifier));
        assert!(!secret.verify(&master, session, &[]));
        assert!(!secret.verify(&master, session, &master.seal(&Purpose::SessionVerifier(session), &[])));
    }

    #[test]
    fn the_token_form_is_43_characters_and_has_one_spelling() {
        let secret = SessionSecret(Key::new(Secret::new([0xff; 32])));
        let text = secret.text();
        assert_eq!(text.len(), 43);
        assert!(SessionSecret::parse(&text).expect("its own form").0.is(&secret.0));
        let other_last = format!("{}9", &text[..42]);
        for text in ["", &text[1..], &format!("{}=", *text), &format!("{}8", *text), &other_last] {
            assert!(SessionSecret::parse(text).is_err(), "{text}");
        }
    }
}
