//! Looks for a passport that was answered and is not held: an answer was lost, or another device has the same words.

use tacit_credit::passport::wire;

use super::{Affairs, PassportError, Phase, Result, Want, kept};
use crate::operation::{Wallet, Yield};
use crate::passport::kept::Kept;
use crate::passport::recovery::{self, Recovery};
use crate::transport::{Refusal, Request};

/// A look for what the desk answered.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) recovery: Recovery,
    /// The bucket being read.
    bucket: Vec<recovery::Kept>,
    /// Why the search began: said if it finds nothing.
    refusal: Option<Refusal>,
}

impl Affairs {
    /// A search from what is held, or from the words.
    pub(super) fn search(
        &self,
        wallet: Wallet<'_>,
        kept: &Kept,
        refusal: Option<Refusal>,
    ) -> Search {
        let month = self.info.as_ref().expect("it was taken").month;
        let recovery = match &kept.held {
            Some(held) => Recovery::from_passport(wallet.seed, held.clone()),
            None => Recovery::from_words(wallet.seed, month),
        };
        Search { recovery, bucket: Vec::new(), refusal }
    }

    pub(super) fn ask_bucket(&mut self, after: Option<&str>) -> Result<Want> {
        let search = self.search.as_ref().expect("a search is on");
        let bucket = search.recovery.bucket().ok_or(PassportError::NoAnswer)?;
        self.phase = Phase::Bucket;
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let path = format!("/v1/passport/answers/{bucket}{after}");
        Ok(Yield::Send(Request::get(self.mint(), path)))
    }

    /// Looks through a bucket, and goes on to the next as long as there is one.
    pub(super) fn look(&mut self, wallet: Wallet<'_>, page: wire::Bucket) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let mut search = self.search.take().ok_or(PassportError::NoAnswer)?;
        let answers = page.answers.into_iter();
        let read = |kept: wire::Kept| recovery::Kept { reply: kept.reply, sealed: kept.sealed };
        search.bucket.extend(answers.map(read));
        if let Some(after) = page.next {
            self.search = Some(search);
            return self.ask_bucket(Some(&after));
        }
        let bucket = std::mem::take(&mut search.bucket);
        self.done.found +=
            u16::from(search.recovery.step(wallet.seed, &kept.all_keys(), &bucket)?);
        if search.recovery.bucket().is_some() {
            self.search = Some(search);
            return self.ask_bucket(None);
        }
        let found = search.recovery.passport().cloned();
        let is_news = found != kept.held;
        if is_news || kept.waiting.is_some() {
            // What was under way was answered, or never will be.
            self.refusal = search.refusal.filter(|_| !is_news);
            self.has_changed |= is_news;
            return Ok(self.keep(Kept { held: found, waiting: None, ..kept.next() }));
        }
        self.go_on(wallet)
    }
}
