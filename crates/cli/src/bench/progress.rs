//! Progress on stderr, where that is a terminal; and work spread over the cores with its progress shown.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts to `length`; hidden unless stderr is a terminal, gone when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(what: &'static str, length: usize) -> Self {
        let style = ProgressStyle::with_template("{msg:22} {bar:30} {pos}/{len} {elapsed}")
            .expect("the template is well formed");
        let length = u64::try_from(length).expect("a count fits into 64 bits");
        Self(ProgressBar::new(length).with_style(style).with_message(what))
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.inc(u64::try_from(count).expect("a count fits into 64 bits"));
    }

    pub(crate) fn set(&self, count: usize) {
        self.0.set_position(u64::try_from(count).expect("a count fits into 64 bits"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// How many items a thread works on between two steps of the bar.
const STEP: usize = 64;

/// Does the work on every item, spread over the cores; results in the order of the items, or the first error.
pub(crate) fn in_parallel<T: Send, R: Send, E: Send>(
    what: &'static str,
    mut items: Vec<T>,
    work: impl Fn(T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let progress = Progress::new(what, items.len());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(1);
    let mut shares = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(share.min(items.len()));
        shares.push(std::mem::replace(&mut items, rest));
    }
    let one_share = |items: Vec<T>| -> Result<Vec<R>, E> {
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            results.push(work(item)?);
            if results.len() % STEP == 0 {
                progress.add(STEP);
            }
        }
        Ok(results)
    };
    std::thread::scope(|scope| {
        let one_share = &one_share;
        let threads: Vec<_> =
            shares.into_iter().map(|share| scope.spawn(move || one_share(share))).collect();
        let mut all = Vec::new();
        for thread in threads {
            let results = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.append(&mut results?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 1000] {
            let doubled =
                in_parallel("test", (0..count).collect(), |item: usize| Ok::<_, ()>(2 * item));
            assert_eq!(doubled, Ok((0..count).map(|item| 2 * item).collect()));
        }
    }

    #[test]
    fn one_error_fails_the_whole() {
        let work = |item: usize| if item == 70 { Err(item) } else { Ok(item) };
        assert_eq!(in_parallel("test", (0..100).collect(), work), Err(70));
    }
}
