//! Argon2id in a bounded pool: few hashes at once, a short queue, and [`HashError::Busy`] behind it, so that a storm of
//! sign-ins takes neither all memory nor all threads (DESIGN 8 and 11).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;

use super::Password;
use crate::random;

/// The cost of a hash and the size of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    /// KiB of memory for each hash.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes; they are computed one after the other.
    pub lanes: u32,
    /// Hashes computed at once.
    pub threads: usize,
    /// Hashes waiting for their turn.
    pub queue: usize,
}

/// Why there is no hash and no verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("too many passwords are being hashed")]
    Busy,
    #[error("the parameters are below {} KiB, {} passes or {} lane, or out of range", FLOOR.memory_kib, FLOOR.passes, FLOOR.lanes)]
    BadParams,
    #[error("the stored password hash is damaged")]
    Damaged,
    #[error("hashing was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// The least that is allowed (DESIGN 8, OWASP), and the default.
const FLOOR: HashParams =
    HashParams { memory_kib: 19_456, passes: 2, lanes: 1, threads: 1, queue: 0 };

impl Default for HashParams {
    /// Two at once, 64 waiting: at 25 ms each nobody waits for a second.
    fn default() -> Self {
        Self { threads: 2, queue: 64, ..FLOOR }
    }
}

/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Inner>);

struct Inner {
    params: Params,
    argon: Argon2<'static>,
    /// Running and waiting.
    places: Arc<Semaphore>,
    /// Running.
    threads: Arc<Semaphore>,
    /// The hash of nothing anybody knows, under the current parameters.
    nobody: String,
    /// Hashes computed so far.
    count: AtomicU64,
}

impl PasswordHasher {
    /// Computes one hash, so it takes as long as one.
    pub fn new(params: HashParams) -> Result<Self, HashError> {
        let is_strong = params.memory_kib >= FLOOR.memory_kib
            && params.passes >= FLOOR.passes
            && params.lanes >= FLOOR.lanes;
        if is_strong { Self::build(params) } else { Err(HashError::BadParams) }
    }

    /// Cheap hashes that protect nothing, for tests that sign in often.
    pub fn weak_for_tests() -> Self {
        let weak = HashParams { memory_kib: 8, passes: 1, ..HashParams::default() };
        Self::build(weak).expect("these are the least parameters that Argon2 has")
    }

    /// The hash to be sealed and stored, a PHC string with its own salt and parameters.
    pub async fn hash(&self, password: &Password) -> Result<String, HashError> {
        let password = password.clone();
        self.run(move |inner| inner.hash(password.expose().as_bytes())).await?
    }

    /// Whether the password is the one that was hashed. Without a hash (no such account) it takes as long, and says no.
    pub async fn verify(&self, password: &Password, phc: Option<&str>) -> Result<bool, HashError> {
        let (password, phc) = (password.clone(), phc.map(str::to_owned));
        self.run(move |inner| {
            let hash = PasswordHash::new(phc.as_deref().unwrap_or(&inner.nobody))
                .ok()
                .filter(|hash| hash.hash.is_some())
                .ok_or(HashError::Damaged)?;
            let is_right = match inner.argon.verify_password(password.expose().as_bytes(), &hash) {
                Ok(()) => true,
                Err(argon2::password_hash::Error::PasswordInvalid) => false,
                Err(_) => return Err(HashError::Damaged),
            };
            Ok(is_right && phc.is_some())
        })
        .await?
    }

    /// Whether a stored hash was made with other parameters than today's: hash again at the next sign-in.
    pub fn needs_upgrade(&self, phc: &str) -> bool {
        let Ok(hash) = PasswordHash::new(phc) else { return true };
        let is_argon2id = Algorithm::new(hash.algorithm.as_str()).ok() == Some(Algorithm::Argon2id);
        let same = |made: Params| {
            let now = &self.0.params;
            (made.m_cost(), made.t_cost(), made.p_cost())
                == (now.m_cost(), now.t_cost(), now.p_cost())
        };
        !is_argon2id || !Params::try_from(&hash).is_ok_and(same)
    }

    /// Hashes computed so far, compared ones included: what a sign-in costs does not depend on who signs in.
    pub fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    fn build(params: HashParams) -> Result<Self, HashError> {
        let argon_params = Params::new(params.memory_kib, params.passes, params.lanes, None)
            .map_err(|_| HashError::BadParams)?;
        let threads = params.threads.max(1);
        let mut inner = Inner {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, argon_params.clone()),
            params: argon_params,
            places: Arc::new(Semaphore::new(threads + params.queue)),
            threads: Arc::new(Semaphore::new(threads)),
            nobody: String::new(),
            count: AtomicU64::new(0),
        };
        inner.nobody = inner.hash(random::secret::<32>().as_ref())?;
        Ok(Self(Arc::new(inner)))
    }

    /// Runs off the async threads. The permits go along, so that a caller who goes away frees nothing too early.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let inner = Arc::clone(&self.0);
        let place = Arc::clone(&inner.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let thread =
            Arc::clone(&inner.threads).acquire_owned().await.map_err(|_| HashError::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            inner.count.fetch_add(1, Ordering::Relaxed);
            let done = work(&inner);
            drop((thread, place));
            done
        });
        task.await.map_err(HashError::Interrupted)
    }
}

impl Inner {
    fn hash(&self, password: &[u8]) -> Result<String, HashError> {
        let salt = random::bits128().to_be_bytes();
        let hash = self
            .argon
            .hash_password_with_salt(password, &salt)
            .map_err(|_| HashError::BadParams)?;
        Ok(hash.to_string())
    }
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordHasher({:?})", self.0.params)
    }
}

#[cfg(test)]
#[path = "hasher_tests.rs"]
mod tests;
