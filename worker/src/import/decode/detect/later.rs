//! What comes behind the bytes by which an encoding was guessed: letters that are others in a like encoding make a doubt.

use statemachine::Encoding;

use super::{Guess, says_the_same, western};

/// A guess, and the bytes that have been seen since.
pub(in super::super) struct Later {
    pub(in super::super) guess: Guess,
    seen: [bool; 128],
}

impl Later {
    /// None where what comes tells nothing more.
    pub(in super::super) fn new(guess: Guess, ahead: &[u8]) -> Option<Self> {
        let mut later =
            western::LATIN.contains(&guess.encoding).then_some(Self { guess, seen: [false; 128] })?;
        later.unseen(ahead).for_each(drop);
        Some(later)
    }

    /// Whether these bytes, which come next, make other encodings possible. They are added to the guess.
    pub(in super::super) fn makes_doubtful(&mut self, raw: &[u8]) -> bool {
        let unseen: Vec<_> = self.unseen(raw).collect();
        let Guess { encoding, others } = &mut self.guess;
        let is_other = |other: &Encoding| other != encoding && !says_the_same(*other, *encoding, &unseen);
        let before = others.len();
        for other in western::LATIN.into_iter().filter(is_other) {
            if !others.contains(&other) {
                others.push(other);
            }
        }
        others.len() > before
    }

    /// The bytes beyond ASCII that have not been seen before, each once.
    fn unseen(&mut self, raw: &[u8]) -> impl Iterator<Item = u8> {
        raw.iter().copied().filter(|byte| match byte.checked_sub(0x80) {
            Some(at) => self.seen.get_mut(usize::from(at)).is_some_and(|seen| !std::mem::replace(seen, true)),
            None => false,
        })
    }
}
