//! Everything that is left to chance - task tokens, jitter, `$uuid`, `$random` - drawn from one seed that comes in from
//! outside, so that a step of an execution is a pure function of its arguments.

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// A stream of unpredictable values, wholly determined by its seed.
pub struct Chance {
    seed: [u8; 32],
    drawn: u64,
}

impl Chance {
    /// The stream of this seed.
    #[must_use]
    pub const fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A stream that nobody can foretell, seeded by the operating system.
    #[must_use]
    pub fn from_system() -> Self {
        let mut hash = Sha256::new();
        for _ in 0..3 {
            // 122 bits of the system's randomness each.
            hash.update(Uuid::new_v4().as_bytes());
        }
        Self::from_seed(hash.finalize().into())
    }

    /// A stream of its own, for a part that draws an unknown number of values.
    pub(crate) fn fork(&mut self) -> Self {
        Self::from_seed(self.bytes())
    }

    /// A number from 0, inclusive, to 1, exclusive.
    pub(crate) fn fraction(&mut self) -> f64 {
        let bytes = self.bytes();
        let number = bytes.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        // 53 bits are what a double holds.
        (number >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.bytes()[..16]);
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A task token: 256 secret bits and a checksum, by which a mistyped token is told from one that is merely unknown.
    pub(crate) fn token(&mut self) -> String {
        let secret = hex(&self.bytes());
        let check = checksum(&secret);
        secret + &check
    }

    fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_be_bytes()).finalize().into()
    }
}

/// Whether a text has the form of a token that [`Chance::token`] gives out.
pub(crate) fn is_well_formed_token(token: &str) -> bool {
    token.split_at_checked(64).is_some_and(|(secret, check)| checksum(secret) == check)
}

fn checksum(secret: &str) -> String {
    hex(&Sha256::digest(secret)[..8])
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_and_no_value_twice() {
        let draw = |seed| {
            let mut chance = Chance::from_seed([seed; 32]);
            (chance.token(), chance.token(), chance.uuid())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1).0, draw(2).0);
        assert_ne!(draw(1).0, draw(1).1);
    }

    #[test]
    fn a_token_is_told_from_a_mistyped_one() {
        let token = Chance::from_system().token();
        assert!(is_well_formed_token(&token));
        assert!(!is_well_formed_token(&token.to_uppercase()));
        assert!(!is_well_formed_token(&token[1..]));
        assert!(!is_well_formed_token(""));
        assert!(!is_well_formed_token(&"ü".repeat(40)));
    }

    #[test]
    fn a_fraction_lies_in_its_interval() {
        let mut chance = Chance::from_seed([7; 32]);
        assert!((0..1000).map(|_| chance.fraction()).all(|fraction| (0.0..1.0).contains(&fraction)));
    }
}
