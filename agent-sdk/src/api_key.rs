//! The agent's credential.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Error, Secret};

/// The agent an API key belongs to: `wak_<agent id, 32 hex>_<secret, 43 base64url>_<checksum, 8
/// hex>`.
///
/// The checksum is the first 4 bytes of SHA-256 over what precedes its underscore. It finds a key
/// that was cut or mistyped before anything is sent; it proves nothing.
pub(crate) fn agent_id(api_key: &Secret) -> Result<Uuid, Error> {
    parse(api_key.expose()).ok_or(Error::InvalidApiKey)
}

fn parse(api_key: &str) -> Option<Uuid> {
    let (signed, checksum) = api_key.rsplit_once('_')?;
    // The secret may contain underscores, the agent's id cannot.
    let (agent_id, secret) = signed.strip_prefix("wak_")?.split_once('_')?;
    let secret_is_base64url =
        secret.len() == 43 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));

    let hash = Sha256::digest(signed.as_bytes());
    let expected = format!("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);

    let well_formed = agent_id.len() == 32 && secret_is_base64url && checksum == expected;
    well_formed.then(|| Uuid::try_parse(agent_id).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its checksum was computed by another program.
    const KEY: &str = "wak_0197a3c10000700080000000000000a9_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_-_abc_c1165446";

    #[test]
    fn a_key_names_its_agent() {
        let agent_id = agent_id(&Secret::from(KEY)).expect("a whole key");
        assert_eq!(agent_id.to_string(), "0197a3c1-0000-7000-8000-0000000000a9");
    }

    #[test]
    fn a_key_that_was_cut_mistyped_or_recased_is_refused_without_being_repeated() {
        let cut = &KEY[..KEY.len() - 1];
        let mistyped = KEY.replace("AbCd", "AbCe");
        let recased = KEY.to_uppercase();
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo";
        for key in ["", "wak_", cut, &mistyped, &recased, token] {
            let error = agent_id(&Secret::from(key)).expect_err("not a key");
            assert!(matches!(error, Error::InvalidApiKey), "{key}");
            assert!(key.len() < 5 || !error.to_string().contains(key));
        }
    }
}
