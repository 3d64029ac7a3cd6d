//! From a password to a key, slowly on purpose.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use scrypt::Params;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::seal::Key;
use crate::value::{Password, Secret};

/// log2 of scrypt's cost N = 2^17, with r = 8 and p = 1: OWASP's password storage advice. 128 MiB each time.
/// These belong to the seal's version 1 and are never read from a row.
const LOG_N: u8 = 17;
const R: u32 = 8;
const P: u32 = 1;

/// Too many passwords wait already; the caller should try again in a few seconds. Also given while the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// What makes equal passwords give different keys: 16 random bytes, kept in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// A new salt, for every new password.
    pub fn random() -> Self {
        Self(*Secret::random().expose())
    }

    /// Reads 16 bytes, or gives nothing when there are more or fewer.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a password becomes. It opens one user's key.
#[derive(Debug, Clone)]
pub struct PasswordKey(pub(super) Key);

/// Derives keys from passwords, only so many at a time: each costs 128 MiB and a good part of a second, so strangers
/// who try to log in must not be able to take all the memory. Cheap to clone; clones share the limits.
#[derive(Debug, Clone)]
pub struct Kdf {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    runs: Arc<AtomicU64>,
}

impl Kdf {
    /// At most `permits` derivations run (at least one), and at most `queue` more wait.
    pub fn new(permits: usize, queue: usize) -> Self {
        let permits = permits.clamp(1, Semaphore::MAX_PERMITS);
        let places = permits.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            running: Arc::new(Semaphore::new(permits)),
            runs: Arc::default(),
        }
    }

    /// scrypt (RFC 7914) over the password. Fails at once when the queue is full.
    pub async fn derive(&self, password: &Password, salt: &Salt) -> Result<PasswordKey, Busy> {
        let (password, salt) = (password.clone(), *salt);
        self.run(move || PasswordKey(Key::new(stretch(password.expose(), salt.as_bytes(), (LOG_N, R, P))))).await
    }

    /// How many derivations have begun, for whatever reason: what one costs shows whether there was one.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Anything that costs as much. Fails at once when the queue is full.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Busy)?;
        let permit = self.running.clone().acquire_owned().await.map_err(|_| Busy)?;
        let runs = self.runs.clone();
        let task = tokio::task::spawn_blocking(move || {
            // Both limits stay taken until the memory is free again, even when nobody waits for the answer any more.
            let _held = (place, permit);
            runs.fetch_add(1, Ordering::Relaxed);
            work()
        });
        task.await.map_err(|_| Busy)
    }
}

fn stretch(password: &[u8], salt: &[u8], (log_n, r, p): (u8, u32, u32)) -> Secret<[u8; 32]> {
    let params = Params::new(log_n, r, p).expect("the parameters are constants within scrypt's limits");
    let mut output = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, &mut *output).expect("32 bytes are a length scrypt can give");
    Secret::new(*output)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alloy::primitives::hex;

    use super::*;

    fn password(text: &str) -> Password {
        text.parse().expect("short enough")
    }

    #[test]
    fn rfc_7914_section_12_vectors_hold() {
        // Our output is half as long as the RFC's, and PBKDF2's first block does not depend on the second.
        assert_eq!(
            stretch(b"password", b"NaCl", (10, 8, 16)).expose(),
            &hex!("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
        );
        assert_eq!(
            stretch(b"pleaseletmein", b"SodiumChloride", (14, 8, 1)).expose(),
            &hex!("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
        );
    }

    #[tokio::test]
    async fn a_password_costs_what_the_design_says() {
        // OpenSSL's scrypt with N = 2^17, r = 8, p = 1 and the salt 00 01 ... 0f.
        let salt = Salt(std::array::from_fn(|index| index as u8));
        let key = Kdf::new(1, 0).derive(&password("correct horse battery staple"), &salt).await.expect("idle");
        assert_eq!(key.0.expose(), &hex!("1b2946da71f41179e83b99dc33842d15741b87c4121c8c7f3781c1df864fb58b"));
    }

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_busy_at_once() {
        let (kdf, word, salt) = (Kdf::new(1, 1), password("p"), Salt::random());
        let (first, second, third) =
            tokio::join!(kdf.derive(&word, &salt), kdf.derive(&word, &salt), kdf.derive(&word, &salt));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(third.err(), Some(Busy));
        assert!(kdf.derive(&word, &salt).await.is_ok(), "the places are given back");
    }

    #[tokio::test]
    async fn a_caller_who_leaves_does_not_free_memory_that_is_still_in_use() {
        let (kdf, word, salt) = (Kdf::new(1, 0), password("p"), Salt::random());
        let left = tokio::time::timeout(Duration::from_millis(1), kdf.derive(&word, &salt)).await;
        assert!(left.is_err(), "scrypt takes longer than a millisecond");
        assert_eq!(kdf.derive(&word, &salt).await.err(), Some(Busy));
        while kdf.places.available_permits() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(kdf.derive(&word, &salt).await.is_ok());
    }
}
