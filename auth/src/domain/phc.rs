//! Argon2id hashes as PHC strings (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`): reading, writing and
//! computing them. Where and when they are computed is the caller's.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use subtle::ConstantTimeEq;

const HASH_LEN: usize = 32;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The cost of hashing a secret of 256 random bits. Guessing one is hopeless whatever a guess
    /// costs, so that the least argon2 takes is enough and a refresh stays cheap.
    pub const RANDOM_SECRET: Self = Self { memory_kib: 32, passes: 1, lanes: 1 };

    /// Memory a hash needs, to be kept for the next one.
    pub fn blocks(self) -> Vec<Block> {
        vec![Block::default(); self.argon2().map_or(0, |argon2| argon2.params().block_count())]
    }

    fn argon2(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH_LEN)).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why a hash could not be computed: costs or lengths out of argon2's bounds.
#[derive(Debug, thiserror::Error)]
#[error("the argon2 parameters are out of bounds")]
pub struct OutOfBounds;

/// A hash with all that is needed to compute it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phc {
    /// What it cost.
    pub cost: Cost,
    salt: Vec<u8>,
    hash: [u8; HASH_LEN],
}

impl Phc {
    /// Hashes a secret, in memory that may be kept between hashes and grows as needed.
    pub fn hash(
        cost: Cost,
        salt: &[u8],
        secret: &[u8],
        memory: &mut Vec<Block>,
    ) -> Result<Self, OutOfBounds> {
        let argon2 = cost.argon2().ok_or(OutOfBounds)?;
        let blocks = argon2.params().block_count();
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        let mut hash = [0; HASH_LEN];
        argon2
            .hash_password_into_with_memory(secret, salt, &mut hash, &mut memory[..blocks])
            .map_err(|_| OutOfBounds)?;
        Ok(Self { cost, salt: salt.to_vec(), hash })
    }

    /// Whether this is the hash of the secret, compared in constant time.
    pub fn matches(&self, secret: &[u8], memory: &mut Vec<Block>) -> bool {
        Self::hash(self.cost, &self.salt, secret, memory)
            .is_ok_and(|computed| computed.hash.ct_eq(&self.hash).into())
    }

    /// Reads a PHC string; `None` where it is no argon2id hash of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let cost = parse_cost(parts.next()?)?;
        let salt = BASE64.decode(parts.next()?).ok()?;
        let hash = BASE64.decode(parts.next()?).ok()?.try_into().ok()?;
        parts.next().is_none().then_some(Self { cost, salt, hash })
    }
}

fn parse_cost(text: &str) -> Option<Cost> {
    let mut numbers = text.split(',');
    let mut number = |name: &str| numbers.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    Some(Cost { memory_kib: number("m")?, passes: number("t")?, lanes: number("p")? })
}

impl std::fmt::Display for Phc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let (salt, hash) = (BASE64.encode(&self.salt), BASE64.encode(self.hash));
        write!(f, "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_knows_its_secret() {
        let mut memory = Vec::new();
        let phc = Phc::hash(Cost::RANDOM_SECRET, b"0123456789abcdef", b"secret", &mut memory).unwrap();
        let back = Phc::parse(&phc.to_string()).unwrap();
        assert_eq!(back, phc);
        assert!(back.matches(b"secret", &mut memory));
        assert!(!back.matches(b"Secret", &mut memory));
    }

    #[test]
    fn what_is_no_hash_of_ours_is_refused() {
        for text in
            ["", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=x,t=1,p=1$AAAA$AAAA", "plain"]
        {
            assert_eq!(Phc::parse(text), None, "{text}");
        }
    }
}
