//! API keys: what an agent proves itself with. An API key opens no record; it only lets an agent ask.

use alloy::primitives::hex;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    master::Master,
    seal::{self, Key, Purpose},
};
use crate::value::{AgentId, Invalid, Secret};

const PREFIX: &str = "wak_";
const ID: usize = 32;
const SECRET: usize = 43;
const CHECKSUM: usize = 8;
/// `wak_`, id, `_`, secret, `_`, checksum. The secret may itself hold `_`, so the parts are found by position.
const LENGTH: usize = PREFIX.len() + ID + 1 + SECRET + 1 + CHECKSUM;

/// An agent's id and 256-bit secret. Text form: `wak_<id, 32 hex>_<secret, 43 base64url>_<checksum, 8 hex>`; the prefix
/// lets leak scanners find it, the checksum tells a cut-off key from a revoked one.
#[derive(Debug, Clone)]
pub struct ApiKey {
    agent_id: AgentId,
    secret: Key,
}

impl ApiKey {
    /// A new agent's key.
    pub fn generate(agent_id: AgentId) -> Self {
        Self { agent_id, secret: Key::random() }
    }

    /// Whether a credential is meant to be an API key, so that it can be told from an access token.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Whose key it says it is.
    pub fn agent_id(&self) -> AgentId {
        self.agent_id
    }

    /// The form to show, once.
    pub fn text(&self) -> Secret<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        let mut secret = Zeroizing::new([0; SECRET]);
        let secret = Base64UrlUnpadded::encode(self.secret.expose(), &mut *secret).expect("32 bytes are 43 characters");
        for part in [PREFIX, &hex::encode(self.agent_id.as_bytes()), "_", secret] {
            text.push_str(part);
        }
        let checksum = hex::encode(&Sha256::digest(text.as_bytes())[..CHECKSUM / 2]);
        text.push('_');
        text.push_str(&checksum);
        Secret::new(std::mem::take(&mut *text))
    }

    /// Reads the shown form. Fails when anything about it differs, checksum and letter case included.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const SHAPE: Invalid = Invalid("expected an API key");
        if text.len() != LENGTH || !text.is_ascii() || !Self::looks_like(text) {
            return Err(SHAPE);
        }
        let (id, rest) = text[PREFIX.len()..].split_at(ID);
        let agent_id = Uuid::try_parse(id).map(AgentId).map_err(|_| SHAPE)?;
        let mut secret = Zeroizing::new([0; 32]);
        Base64UrlUnpadded::decode(&rest[1..=SECRET], &mut *secret).map_err(|_| SHAPE)?;
        let key = Self { agent_id, secret: Key::new(Secret::new(*secret)) };
        // Writing it again checks the separators, the case and the checksum in one.
        let same: bool = key.text().expose().as_bytes().ct_eq(text.as_bytes()).into();
        if same { Ok(key) } else { Err(SHAPE) }
    }

    /// What the agent's row keeps to recognise the key: HKDF-SHA256 (HMAC) over the secret and the agent, sealed under
    /// the master secret. The secret has 256 random bits, so a slow hash would add nothing.
    pub fn verifier(&self, master: &Master) -> Vec<u8> {
        let purpose = Purpose::ApiKeyVerifier(self.agent_id);
        master.seal(&purpose, self.secret.derive(&purpose).expose())
    }

    /// Whether this is the key whose verifier the row keeps, in constant time.
    pub fn verify(&self, master: &Master, verifier: &[u8]) -> bool {
        let purpose = Purpose::ApiKeyVerifier(self.agent_id);
        let kept = master.open(&purpose, verifier).and_then(|plain| seal::exactly(&plain));
        kept.is_ok_and(|kept| Key::new(kept).is(&self.secret.derive(&purpose)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text() {
        for _ in 0..64 {
            let key = ApiKey::generate(AgentId::new());
            let text = key.text();
            assert_eq!(text.expose().len(), 89);
            assert!(ApiKey::looks_like(text.expose()));
            let read = ApiKey::parse(text.expose()).expect("its own form");
            assert_eq!(read.agent_id(), key.agent_id());
            assert!(read.secret.is(&key.secret));
        }
    }

    #[test]
    fn the_text_form_is_the_documented_one() {
        let agent = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".parse().expect("a UUID");
        let key = ApiKey { agent_id: agent, secret: Key::new(Secret::new([0xfb; 32])) };
        let text = key.text();
        let body = "wak_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s";
        assert_eq!(text.expose()[..80], *body);
        assert_eq!(text.expose()[81..], hex::encode(&Sha256::digest(body)[..4]));
    }

    #[test]
    fn a_mistyped_or_cut_key_is_refused() {
        let text = ApiKey::generate(AgentId::new()).text().expose().clone();
        for index in 0..text.len() {
            for other in ["a", "0", "_", "-", "F", "é", " "] {
                let mut changed = text.clone();
                changed.replace_range(index..=index, other);
                assert!(changed == text || ApiKey::parse(&changed).is_err(), "{changed}");
            }
        }
        for text in ["", "wak_", &text[1..], &text[..88], &format!("{text}0"), &text.to_uppercase()] {
            assert!(ApiKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_verifier_recognises_one_key_of_one_agent() {
        let (master, key) = (Master::new(Secret::random()), ApiKey::generate(AgentId::new()));
        let verifier = key.verifier(&master);
        assert!(key.verify(&master, &verifier));
        assert!(!ApiKey::generate(key.agent_id()).verify(&master, &verifier));
        assert!(!key.verify(&Master::new(Secret::random()), &verifier));
        let other_agent = ApiKey { agent_id: AgentId::new(), secret: key.secret.clone() };
        assert!(!other_agent.verify(&master, &verifier));
        assert!(!key.verify(&master, &[]));
    }
}
