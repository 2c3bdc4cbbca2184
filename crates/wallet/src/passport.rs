//! The passport, as a wallet keeps it: what is held, what is under way, the bill streams taken on, and the way back to it from the words.

pub mod bills;
pub mod foresee;
pub mod kept;
pub mod recovery;
