//! The passport, as a wallet keeps it: what is held, what is under way, and the way back to it from the words.

pub mod kept;
pub mod recovery;
