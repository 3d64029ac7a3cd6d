//! Access tokens: what a user's client holds between login and logout.

use std::{collections::HashSet, sync::Arc};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::session::SessionSecret;
use crate::value::{Secret, SessionId, Time, UserId};

/// The longest token that is looked at. Ours are under 400 bytes.
const LONGEST: usize = 2048;

/// The token is not one of ours, was changed, or is over. Which of these is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token is not valid")]
pub struct InvalidToken;

/// The operator's own signing key has fewer than 32 bytes (RFC 7518 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token signing key must have at least 32 bytes")]
pub struct ShortKey;

/// What a token says.
#[derive(Debug, Clone)]
pub struct Claims {
    /// Whose token it is.
    pub user_id: UserId,
    /// The login that it came from.
    pub session_id: SessionId,
    /// The secret that opens that login's copy of the user key.
    pub session_secret: SessionSecret,
    /// When it was issued; a token keeps whole seconds.
    pub issued_at: Time,
    /// From when on it is refused; a token keeps whole seconds.
    pub expires_at: Time,
}

/// The claims as they are written: RFC 7519's registered names, and two of our own.
#[derive(Serialize)]
struct Written<'a> {
    sub: UserId,
    sid: SessionId,
    key: &'a str,
    iat: i64,
    exp: i64,
}

/// The claims as they are read: all of them, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    sub: UserId,
    sid: SessionId,
    key: Secret<String>,
    iat: i64,
    exp: i64,
}

/// Issues and verifies tokens: JWT (RFC 7519) signed with HMAC-SHA256. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Keys>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

struct Keys {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// Signs with these bytes.
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        Self::with(key.expose())
    }

    /// Signs with the bytes of a text that the operator chose. Fails when it is shorter than 32 bytes.
    pub fn from_text(text: &Secret<String>) -> Result<Self, ShortKey> {
        let bytes = text.expose().as_bytes();
        if bytes.len() < 32 { Err(ShortKey) } else { Ok(Self::with(bytes)) }
    }

    fn with(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims = HashSet::from(["sub", "exp"].map(str::to_owned));
        validation.leeway = 0;
        // The crate would ask the system's clock; `verify` compares with the time it is given.
        validation.validate_exp = false;
        let (sign, verify) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self(Arc::new(Keys { sign, verify, validation }))
    }

    /// Writes and signs a token.
    pub fn issue(&self, claims: &Claims) -> Secret<String> {
        let Claims { user_id, session_id, session_secret, issued_at, expires_at } = claims;
        let written = Written {
            sub: *user_id,
            sid: *session_id,
            key: &session_secret.text(),
            iat: issued_at.unix_seconds(),
            exp: expires_at.unix_seconds(),
        };
        let token =
            encode(&header(), &written, &self.0.sign).expect("plain fields always encode, and the key is HMAC's");
        Secret::new(token)
    }

    /// Reads a token. Fails when it is too long, has any header but ours (so another `alg`, another `typ` or a `crit`),
    /// a wrong signature, a missing or unknown claim, or when `now` is at or after its expiry; there is no leeway.
    pub fn verify(&self, token: &str, now: Time) -> Result<Claims, InvalidToken> {
        if token.len() > LONGEST || decode_header(token).map_err(|_| InvalidToken)? != header() {
            return Err(InvalidToken);
        }
        let read = decode::<Read>(token, &self.0.verify, &self.0.validation).map_err(|_| InvalidToken)?;
        let Read { sub, sid, key, iat, exp } = read.claims;
        let time = |seconds: i64| {
            let microseconds = seconds.checked_mul(1_000_000).ok_or(InvalidToken)?;
            Ok(Time::from_unix_microseconds(microseconds))
        };
        let (issued_at, expires_at) = (time(iat)?, time(exp)?);
        if now >= expires_at {
            return Err(InvalidToken);
        }
        let session_secret = SessionSecret::parse(key.expose()).map_err(|_| InvalidToken)?;
        Ok(Claims { user_id: sub, session_id: sid, session_secret, issued_at, expires_at })
    }
}

fn header() -> Header {
    Header::new(Algorithm::HS256)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64ct::{Base64UrlUnpadded, Encoding};
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::json;
    use sha2::Sha256;

    use super::*;

    const KEY: [u8; 32] = [9; 32];

    fn now() -> Time {
        Time::from_unix_microseconds(1_795_428_000_000_000)
    }

    fn tokens() -> Tokens {
        Tokens::new(&Secret::new(KEY))
    }

    fn claims() -> Claims {
        Claims {
            user_id: UserId::new(),
            session_id: SessionId::new(),
            session_secret: SessionSecret::generate(),
            issued_at: now(),
            expires_at: now() + Duration::from_secs(1_800),
        }
    }

    fn body() -> serde_json::Value {
        json!({ "sub": UserId::new(), "sid": SessionId::new(), "key": *SessionSecret::generate().text(),
            "iat": now().unix_seconds(), "exp": now().unix_seconds() + 60 })
    }

    /// Signs any header over any claims, as someone with the key could.
    fn sign(header: &serde_json::Value, body: &serde_json::Value) -> String {
        sign_text(&header.to_string(), &body.to_string())
    }

    fn sign_text(header: &str, body: &str) -> String {
        let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let message = format!("{}.{}", part(header), part(body));
        let mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("any length").chain_update(&message).finalize();
        format!("{message}.{}", Base64UrlUnpadded::encode_string(&mac.into_bytes()))
    }

    fn is_refused(token: &str) -> bool {
        tokens().verify(token, now()).is_err()
    }

    #[test]
    fn a_token_says_again_what_was_put_in() {
        let claims = claims();
        let token = tokens().issue(&claims);
        let read = tokens().verify(token.expose(), now()).expect("its own");
        assert_eq!((read.user_id, read.session_id), (claims.user_id, claims.session_id));
        assert_eq!((read.issued_at, read.expires_at), (claims.issued_at, claims.expires_at));
        assert_eq!(*read.session_secret.text(), *claims.session_secret.text());
        assert!(token.expose().len() < 400);
    }

    #[test]
    fn a_token_is_refused_from_its_expiry_on_without_leeway() {
        let claims = claims();
        let token = tokens().issue(&claims);
        assert!(tokens().verify(token.expose(), claims.expires_at - Duration::from_micros(1)).is_ok());
        assert!(tokens().verify(token.expose(), claims.expires_at).is_err());
        assert!(tokens().verify(token.expose(), claims.expires_at + Duration::from_secs(9_999 * 86_400)).is_err());
    }

    #[test]
    fn a_change_of_any_character_or_another_key_is_refused() {
        let token = tokens().issue(&claims());
        assert!(Tokens::new(&Secret::new([8; 32])).verify(token.expose(), now()).is_err());
        for index in 0..token.expose().len() {
            for other in ["A", "B", "_", ".", "="] {
                let mut changed = token.expose().clone();
                changed.replace_range(index..=index, other);
                assert!(changed == *token.expose() || is_refused(&changed), "character {index} as {other}");
            }
        }
    }

    #[test]
    fn only_our_own_header_is_accepted() {
        assert!(!is_refused(&sign(&json!({ "alg": "HS256", "typ": "JWT" }), &body())));
        for header in [
            json!({ "alg": "none", "typ": "JWT" }),
            json!({ "alg": "HS512", "typ": "JWT" }),
            json!({ "alg": "RS256", "typ": "JWT" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "HS256", "typ": "at+jwt" }),
            json!({ "alg": "HS256", "typ": "JWT", "crit": ["exp"] }),
            json!({ "alg": "HS256", "typ": "JWT", "crit": [] }),
            json!({ "alg": "HS256", "typ": "JWT", "kid": "1" }),
            json!({ "alg": "HS256", "typ": "JWT", "jwk": {} }),
            json!({ "alg": "HS256", "typ": "JWT", "b64": false }),
        ] {
            assert!(is_refused(&sign(&header, &body())), "{header}");
        }
        let unsigned = sign(&json!({ "alg": "none", "typ": "JWT" }), &body());
        let dot = unsigned.rfind('.').expect("three parts");
        assert!(is_refused(&unsigned[..=dot]) && is_refused(&unsigned[..dot]));
    }

    #[test]
    fn every_claim_is_required_and_no_other_is_known() {
        let ours = json!({ "alg": "HS256", "typ": "JWT" });
        for claim in ["sub", "sid", "key", "iat", "exp"] {
            let mut without = body();
            without.as_object_mut().expect("an object").remove(claim);
            assert!(is_refused(&sign(&ours, &without)), "{claim}");
            let mut null = body();
            null[claim] = serde_json::Value::Null;
            assert!(is_refused(&sign(&ours, &null)), "{claim}");
        }
        for (claim, value) in [("aud", json!("x")), ("nbf", json!(0)), ("exp", json!(1e300)), ("exp", json!(i64::MAX))]
        {
            let mut changed = body();
            changed[claim] = value;
            assert!(is_refused(&sign(&ours, &changed)), "{claim}");
        }
    }

    #[test]
    fn a_long_token_is_not_even_read() {
        // Spaces between claims change nothing but the length.
        let padded = |spaces| sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &format!("{}{}", " ".repeat(spaces), body()));
        assert!(!is_refused(&padded(1)));
        assert!(is_refused(&padded(LONGEST)));
        for token in ["", ".", "..", "a.b", "a.b.c.d"] {
            assert!(is_refused(token), "{token}");
        }
    }

    #[test]
    fn an_operators_key_has_at_least_32_bytes() {
        assert_eq!(Tokens::from_text(&Secret::new("k".repeat(31))).err(), Some(ShortKey));
        assert!(Tokens::from_text(&Secret::new("k".repeat(32))).is_ok());
    }
}
