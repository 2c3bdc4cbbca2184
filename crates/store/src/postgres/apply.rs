//! What a decision changes, as statements: arrays of rows, keys in ascending order, tables always in the same order. So
//! two writers at once wait for each other and do not deadlock, and the order of rows does not tell which came together.
//!
//! A row to be inserted is asked for back by number: one that is there already is another writer's, and then nothing of
//! the batch is written. A quote is changed only from the state that was decided upon.

use std::collections::{BTreeMap, HashMap};

use tacit_core::unit::Unit;
use tacit_ecash::condition::Preimage;
use tacit_service::account::{AccountId, Holder, Usage};
use tacit_service::keyset::KeysetRecord;
use tacit_service::ledger::{Account, Transfer};
use tacit_service::order::{Order, OrderId};
use tacit_service::passport::{DROPPED_AT_ONCE, PreparedAnswer};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::vault::{Balance, Effects, Facts, SpentProof};

use super::bill::{WasBills, put_bills};
use super::fault::Fault;
use super::link::{Param, Step, Wants};
use super::read::keys;
use crate::spelling::{
    MeltColumns, OrderColumns, exponent, holder_state, integer, keyset_state, mint_state,
    order_state, usage_columns,
};

/// The states that a batch was decided upon.
pub(super) struct Was {
    keysets: Vec<KeysetRecord>,
    holders: HashMap<AccountId, Holder>,
    orders: HashMap<OrderId, Order>,
    bills: WasBills,
    mint_quotes: HashMap<QuoteId, i64>,
    melt_quotes: HashMap<QuoteId, (i64, i64)>,
}

impl Was {
    pub(super) fn of(facts: &Facts) -> Self {
        let mint = |quote: &MintQuote| (quote.id, mint_state(&quote.state).0);
        let melt = |quote: &MeltQuote| {
            (quote.id, (MeltColumns::of(&quote.state).state, i64::from(quote.attempt)))
        };
        Self {
            keysets: facts.keysets.clone(),
            holders: facts.holders.clone(),
            orders: facts.orders.clone(),
            bills: WasBills::of(facts),
            mint_quotes: facts.mint_quotes.values().map(mint).collect(),
            melt_quotes: facts.melt_quotes.values().map(melt).collect(),
        }
    }
}

/// Whether a batch changes nothing.
pub(super) fn is_nothing(effects: &Effects) -> bool {
    *effects == Effects::default()
}

/// Whether effects change what every writer takes for granted: keysets, or the open day.
pub(super) fn concerns_all(effects: &Effects) -> bool {
    !effects.keysets.is_empty() || effects.close_day.is_some() || !effects.sealed.is_empty()
}

/// The statements that make effects true. `writer`: whose counters count.
pub(super) fn steps(effects: &Effects, was: &Was, writer: [u8; 16]) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::new();
    put_keysets(&mut steps, effects, was);
    put_holders(&mut steps, effects, was);
    put_usage(&mut steps, effects);
    put_orders(&mut steps, effects, was);
    tell(&mut steps, effects);
    answer(&mut steps, &effects.answers);
    put_bills(&mut steps, effects, &was.bills);
    put_mint_quotes(&mut steps, effects, was);
    put_melt_quotes(&mut steps, effects, was);
    free_held(&mut steps, effects);
    put_proofs(&mut steps, effects)?;
    put_outputs(&mut steps, effects)?;
    post(&mut steps, &effects.transfers, writer)?;
    count_flows(&mut steps, effects, writer)?;
    seal(&mut steps, effects);
    drop_quotes(&mut steps, effects);
    Ok(steps)
}

pub(super) fn rows<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).expect("a length")
}

fn put_keysets(steps: &mut Vec<Step>, effects: &Effects, was: &Was) {
    for keyset in effects.keysets.values() {
        let (number, state) = (i64::from(keyset.number.get()), keyset_state(keyset.state));
        if was.keysets.iter().any(|known| known.number == keyset.number) {
            // It only ever moves on.
            let update = "UPDATE keyset SET state = $2 WHERE number = $1 AND state < $2";
            steps.push(Step::new(update, Wants::Rows(1), vec![Box::new(number), Box::new(state)]));
            continue;
        }
        let spec = &keyset.spec;
        let insert = "INSERT INTO keyset (number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let params: Vec<Param> = vec![
            Box::new(number),
            Box::new(keyset.id.as_bytes().to_vec()),
            Box::new(spec.unit.code().to_owned()),
            Box::new(i64::from(spec.index)),
            Box::new(i64::from(spec.orders)),
            Box::new(integer(spec.input_fee_ppk)),
            Box::new(spec.final_expiry.map(|expiry| integer(expiry.seconds()))),
            Box::new(state),
        ];
        steps.push(Step::new(insert, Wants::Rows(1), params));
    }
}

fn put_holders(steps: &mut Vec<Step>, effects: &Effects, was: &Was) {
    for holder in effects.holders.values() {
        let (level, state) = (i64::from(holder.level.number()), holder_state(holder.state));
        let mut params: Vec<Param> =
            vec![Box::new(holder.id.to_string()), Box::new(level), Box::new(state)];
        let sql = if let Some(was) = was.holders.get(&holder.id) {
            params.push(Box::new(i64::from(was.level.number())));
            params.push(Box::new(holder_state(was.state)));
            "UPDATE holder SET level = $2, state = $3 WHERE id = $1 AND level = $4 AND state = $5"
        } else {
            params.push(Box::new(holder.kind.name()));
            params.push(Box::new(holder.key.map(|key| key.as_bytes().to_vec())));
            "INSERT INTO holder (id, kind, level, state, key) VALUES ($1, $4, $2, $3, $5) ON CONFLICT DO NOTHING"
        };
        steps.push(Step::new(sql, Wants::Rows(1), params));
    }
}

/// Each from the version before: where that is another by now, the balance that was decided upon may be, too.
fn put_usage(steps: &mut Vec<Step>, effects: &Effects) {
    type New<'a> = (&'a (AccountId, Unit), &'a Usage);
    let (new, known): (Vec<New<'_>>, Vec<New<'_>>) =
        effects.usage.iter().partition(|(_, usage)| usage.version == 1);
    let params = |usages: &[New<'_>]| -> Vec<Param> {
        let mut params: Vec<Param> = vec![
            list(usages, |((holder, _), _)| holder.to_string()),
            list(usages, |((_, unit), _)| unit.code().to_owned()),
        ];
        for column in 0..6 {
            params.push(list(usages, |(_, usage)| usage_columns(usage)[column]));
        }
        params
    };
    if !new.is_empty() {
        let insert = "INSERT INTO edge_usage (holder, unit, day, in_day, out_day, in_month, out_month, version)
             SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::bigint[]) ON CONFLICT DO NOTHING";
        steps.push(Step::new(insert, Wants::Rows(rows(&new)), params(&new)));
    }
    if !known.is_empty() {
        let update = "UPDATE edge_usage SET day = new.day, in_day = new.in_day, out_day = new.out_day,
             in_month = new.in_month, out_month = new.out_month, version = new.version
             FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::bigint[])
             AS new (holder, unit, day, in_day, out_day, in_month, out_month, version)
             WHERE edge_usage.holder = new.holder AND edge_usage.unit = new.unit
             AND edge_usage.version = new.version - 1";
        steps.push(Step::new(update, Wants::Rows(rows(&known)), params(&known)));
    }
}

/// Each from the state that was decided upon.
fn put_orders(steps: &mut Vec<Step>, effects: &Effects, was: &Was) {
    for order in effects.orders.values() {
        let of = OrderColumns::of(order);
        let mut params: Vec<Param> = vec![
            Box::new(of.id.to_vec()),
            Box::new(of.state),
            Box::new(of.refunded),
            Box::new(of.blanks),
        ];
        let sql = if let Some(was) = was.orders.get(&order.id) {
            params.push(Box::new(order_state(was.state)));
            params.push(Box::new(integer(was.refunded)));
            "UPDATE sale SET state = $2, refunded = $3, blanks = $4
             WHERE id = $1 AND state = $5 AND refunded = $6"
        } else {
            params.push(Box::new(of.holder));
            params.push(Box::new(of.unit));
            params.push(Box::new(of.amount));
            params.push(Box::new(of.expiry));
            "INSERT INTO sale (id, holder, unit, amount, expiry, state, refunded, blanks)
             VALUES ($1, $5, $6, $7, $8, $2, $3, $4) ON CONFLICT DO NOTHING"
        };
        steps.push(Step::new(sql, Wants::Rows(1), params));
    }
}

/// Lets go what merchants release; puts events for the desk into the outbox, and takes out those it has.
fn tell(steps: &mut Vec<Step>, effects: &Effects) {
    let mut events = effects.outbox.clone();
    events.sort_unstable_by_key(|event| event.id);
    if !events.is_empty() {
        let insert = "INSERT INTO outbox (id, kind, sale, amount)
             SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[]) ON CONFLICT DO NOTHING";
        let params: Vec<Param> = vec![
            keys(events.iter().map(|event| &event.id.as_bytes()[..])),
            list(&events, |event| event.kind.name()),
            keys(events.iter().map(|event| &event.order.as_bytes()[..])),
            list(&events, |event| integer(event.amount)),
        ];
        steps.push(Step::new(insert, Wants::Rows(rows(&events)), params));
    }
    if !effects.release.is_empty() {
        let insert =
            "INSERT INTO released (y) SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING";
        let proofs = keys(effects.release.iter().map(|y| &y.x()[..]));
        steps.push(Step::new(insert, Wants::Any, vec![proofs]));
    }
    if !effects.forget.is_empty() {
        let delete = "DELETE FROM outbox WHERE id = ANY($1)";
        let ids = keys(effects.forget.iter().map(|id| &id.as_bytes()[..]));
        steps.push(Step::new(delete, Wants::Any, vec![ids]));
    }
}

/// Keeps what the passport desk answered, and everything each request showed.
fn answer(steps: &mut Vec<Step>, answers: &[PreparedAnswer]) {
    if answers.is_empty() {
        return;
    }
    let mut names: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.names.iter().map(|name| (*name, answer.digest, answer.keys)))
        .collect();
    names.sort_unstable();
    let insert = "INSERT INTO shown (name, request, keys)
         SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) ON CONFLICT DO NOTHING";
    let params: Vec<Param> = vec![
        list(&names, |(name, _, _)| name.as_bytes().to_vec()),
        list(&names, |(_, digest, _)| digest.as_bytes().to_vec()),
        list(&names, |(_, _, keys)| i64::from(*keys)),
    ];
    steps.push(Step::new(insert, Wants::Rows(rows(&names)), params));
    let mut answers: Vec<_> = answers.iter().collect();
    answers.sort_unstable_by_key(|answer| answer.digest);
    let insert = "INSERT INTO answer (request, bucket, keys, reply, sealed)
         SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
         ON CONFLICT DO NOTHING";
    let params: Vec<Param> = vec![
        list(&answers, |answer| answer.digest.as_bytes().to_vec()),
        list(&answers, |answer| i64::from(answer.bucket.number())),
        list(&answers, |answer| i64::from(answer.keys)),
        list(&answers, |answer| answer.reply.clone()),
        list(&answers, |answer| answer.sealed.clone()),
    ];
    steps.push(Step::new(insert, Wants::Rows(rows(&answers)), params));
}

fn put_mint_quotes(steps: &mut Vec<Step>, effects: &Effects, was: &Was) {
    let (known, new): (Vec<&MintQuote>, Vec<&MintQuote>) =
        effects.mint_quotes.values().partition(|quote| was.mint_quotes.contains_key(&quote.id));
    if !new.is_empty() {
        let insert = "INSERT INTO mint_quote (id, unit, method, request, amount, pubkey, expiry, state, outputs_digest)
             SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[],
             $7::bigint[], $8::bigint[], $9::bytea[]) ON CONFLICT DO NOTHING";
        let params: Vec<Param> = vec![
            keys(new.iter().map(|quote| &quote.id.as_bytes()[..])),
            list(&new, |quote| quote.unit.code().to_owned()),
            list(&new, |quote| quote.method.name()),
            list(&new, |quote| quote.request.clone()),
            list(&new, |quote| integer(quote.amount)),
            list(&new, |quote| quote.pubkey.map(|key| key.as_bytes().to_vec())),
            list(&new, |quote| integer(quote.expiry.seconds())),
            list(&new, |quote| mint_state(&quote.state).0),
            list(&new, |quote| mint_state(&quote.state).1.map(|digest| digest.to_vec())),
        ];
        steps.push(Step::new(insert, Wants::Rows(rows(&new)), params));
    }
    if !known.is_empty() {
        let update = "UPDATE mint_quote SET expiry = new.expiry, state = new.state, outputs_digest = new.digest
             FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
             AS new (id, was, expiry, state, digest)
             WHERE mint_quote.id = new.id AND mint_quote.state = new.was";
        let params: Vec<Param> = vec![
            keys(known.iter().map(|quote| &quote.id.as_bytes()[..])),
            list(&known, |quote| was.mint_quotes[&quote.id]),
            list(&known, |quote| integer(quote.expiry.seconds())),
            list(&known, |quote| mint_state(&quote.state).0),
            list(&known, |quote| mint_state(&quote.state).1.map(|digest| digest.to_vec())),
        ];
        steps.push(Step::new(update, Wants::Rows(rows(&known)), params));
    }
}

fn put_melt_quotes(steps: &mut Vec<Step>, effects: &Effects, was: &Was) {
    let (known, new): (Vec<&MeltQuote>, Vec<&MeltQuote>) =
        effects.melt_quotes.values().partition(|quote| was.melt_quotes.contains_key(&quote.id));
    let state = |quote: &&MeltQuote| MeltColumns::of(&quote.state);
    let of_state = |quotes: &[&MeltQuote]| -> Vec<Param> {
        vec![
            list(quotes, |quote| integer(quote.expiry.seconds())),
            list(quotes, |quote| i64::from(quote.attempt)),
            list(quotes, |quote| state(quote).state),
            list(quotes, |quote| state(quote).inputs),
            list(quotes, |quote| state(quote).input_fee),
            list(quotes, |quote| state(quote).outputs),
            list(quotes, |quote| state(quote).fee_paid),
            list(quotes, |quote| state(quote).evidence),
        ]
    };
    if !new.is_empty() {
        let insert = "INSERT INTO melt_quote (id, unit, method, request, amount, fee_reserve, expiry, attempt, state,
             inputs, input_fee, outputs, fee_paid, evidence)
             SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[], $13::bigint[],
             $14::text[]) ON CONFLICT DO NOTHING";
        let mut params: Vec<Param> = vec![
            keys(new.iter().map(|quote| &quote.id.as_bytes()[..])),
            list(&new, |quote| quote.unit.code().to_owned()),
            list(&new, |quote| quote.method.name()),
            list(&new, |quote| quote.request.clone()),
            list(&new, |quote| integer(quote.amount)),
            list(&new, |quote| integer(quote.fee_reserve)),
        ];
        params.extend(of_state(&new));
        steps.push(Step::new(insert, Wants::Rows(rows(&new)), params));
    }
    if !known.is_empty() {
        let update = "UPDATE melt_quote SET expiry = new.expiry, attempt = new.attempt, state = new.state,
             inputs = new.inputs, input_fee = new.input_fee, outputs = new.outputs, fee_paid = new.fee_paid,
             evidence = new.evidence
             FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bytea[], $8::bigint[], $9::bytea[], $10::bigint[], $11::text[])
             AS new (id, was, attempts, expiry, attempt, state, inputs, input_fee, outputs, fee_paid, evidence)
             WHERE melt_quote.id = new.id AND melt_quote.state = new.was AND melt_quote.attempt = new.attempts";
        let mut params: Vec<Param> = vec![
            keys(known.iter().map(|quote| &quote.id.as_bytes()[..])),
            list(&known, |quote| was.melt_quotes[&quote.id].0),
            list(&known, |quote| was.melt_quotes[&quote.id].1),
        ];
        params.extend(of_state(&known));
        steps.push(Step::new(update, Wants::Rows(rows(&known)), params));
    }
}

/// An array of one column.
pub(super) fn list<T, C>(rows: &[T], column: impl Fn(&T) -> C) -> Param
where
    Vec<C>: tokio_postgres::types::ToSql + Sync + Send + 'static,
{
    Box::new(rows.iter().map(column).collect::<Vec<C>>())
}

/// Ends holds and promises: before new ones, for a payment that failed may be started again in the same batch.
fn free_held(steps: &mut Vec<Step>, effects: &Effects) {
    let mut run = |sql, quotes: &[QuoteId]| {
        if !quotes.is_empty() {
            let quotes = keys(quotes.iter().map(|quote| &quote.as_bytes()[..]));
            steps.push(Step::new(sql, Wants::Any, vec![quotes]));
        }
    };
    run("UPDATE proof SET quote = NULL WHERE quote = ANY($1)", &effects.spend_held);
    run(
        "DELETE FROM preimage WHERE y IN (SELECT y FROM proof WHERE quote = ANY($1))",
        &effects.release_held,
    );
    run("DELETE FROM proof WHERE quote = ANY($1)", &effects.release_held);
    run("DELETE FROM output WHERE quote = ANY($1)", &effects.release_promised);
}

/// Proofs spent and proofs held, in one order: what a payment holds is a row with its quote.
fn put_proofs(steps: &mut Vec<Step>, effects: &Effects) -> Result<(), Fault> {
    let held = effects.hold.iter().map(|(quote, proof)| (proof, Some(*quote)));
    let mut proofs: Vec<(&SpentProof, Option<QuoteId>)> =
        effects.spend.iter().map(|proof| (proof, None)).chain(held).collect();
    if proofs.is_empty() {
        return Ok(());
    }
    proofs.sort_unstable_by_key(|(proof, _)| proof.y);
    let exponents = proofs.iter().map(|(proof, _)| exponent(proof.amount));
    let exponents: Vec<i64> = exponents.collect::<Result<_, _>>()?;
    let insert = "INSERT INTO proof (y, keyset, exponent, quote)
         SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[]) ON CONFLICT DO NOTHING";
    let params: Vec<Param> = vec![
        keys(proofs.iter().map(|(proof, _)| &proof.y.x()[..])),
        list(&proofs, |(proof, _)| i64::from(proof.keyset.get())),
        Box::new(exponents),
        list(&proofs, |(_, quote)| quote.map(|quote| quote.as_bytes().to_vec())),
    ];
    steps.push(Step::new(insert, Wants::Rows(rows(&proofs)), params));
    let locked: Vec<(&SpentProof, &Preimage)> =
        proofs.iter().filter_map(|(proof, _)| Some((*proof, proof.preimage.as_ref()?))).collect();
    if !locked.is_empty() {
        let insert = "INSERT INTO preimage (y, keyset, preimage)
             SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) ON CONFLICT DO NOTHING";
        let params: Vec<Param> = vec![
            keys(locked.iter().map(|(proof, _)| &proof.y.x()[..])),
            list(&locked, |(proof, _)| i64::from(proof.keyset.get())),
            keys(locked.iter().map(|(_, preimage)| &preimage.as_bytes()[..])),
        ];
        steps.push(Step::new(insert, Wants::Rows(rows(&locked)), params));
    }
    Ok(())
}

/// Outputs signed and outputs promised, in one order: a promise is a row with its quote and without a keyset.
fn put_outputs(steps: &mut Vec<Step>, effects: &Effects) -> Result<(), Fault> {
    struct New<'a> {
        output: &'a [u8; 33],
        keyset: Option<i64>,
        exponent: Option<i64>,
        quote: Option<QuoteId>,
    }
    let mut outputs = Vec::with_capacity(effects.sign.len() + effects.promise.len());
    for (output, signed) in &effects.sign {
        let (keyset, exponent) = (i64::from(signed.keyset.get()), exponent(signed.amount)?);
        let (keyset, exponent) = (Some(keyset), Some(exponent));
        outputs.push(New { output: output.as_bytes(), keyset, exponent, quote: None });
    }
    for (quote, output) in &effects.promise {
        let (output, quote) = (output.as_bytes(), Some(*quote));
        outputs.push(New { output, keyset: None, exponent: None, quote });
    }
    if outputs.is_empty() {
        return Ok(());
    }
    outputs.sort_unstable_by_key(|new| new.output);
    let insert = "INSERT INTO output (b_, keyset, exponent, quote)
         SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[]) ON CONFLICT DO NOTHING";
    let params: Vec<Param> = vec![
        keys(outputs.iter().map(|new| &new.output[..])),
        list(&outputs, |new| new.keyset),
        list(&outputs, |new| new.exponent),
        list(&outputs, |new| new.quote.map(|quote| quote.as_bytes().to_vec())),
    ];
    steps.push(Step::new(insert, Wants::Rows(rows(&outputs)), params));
    Ok(())
}

/// Posts transfers and adds them to this writer's share of the balances.
fn post(steps: &mut Vec<Step>, transfers: &[Transfer], writer: [u8; 16]) -> Result<(), Fault> {
    if transfers.is_empty() {
        return Ok(());
    }
    let mut sums: BTreeMap<Account, Balance> = BTreeMap::new();
    for transfer in transfers {
        let add = |sum: &mut u64| {
            *sum = sum.checked_add(transfer.amount).ok_or(Fault::OutOfRange)?;
            Ok::<_, Fault>(())
        };
        add(&mut sums.entry(transfer.debit).or_default().debits)?;
        add(&mut sums.entry(transfer.credit).or_default().credits)?;
    }
    let mut transfers: Vec<&Transfer> = transfers.iter().collect();
    transfers.sort_unstable_by_key(|transfer| transfer.id);
    let insert = "INSERT INTO transfer (id, kind, debit, credit, amount, day)
         SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
         ON CONFLICT DO NOTHING";
    let params: Vec<Param> = vec![
        keys(transfers.iter().map(|transfer| &transfer.id.as_bytes()[..])),
        list(&transfers, |transfer| transfer.kind.name()),
        list(&transfers, |transfer| transfer.debit.to_string()),
        list(&transfers, |transfer| transfer.credit.to_string()),
        list(&transfers, |transfer| integer(transfer.amount)),
        list(&transfers, |transfer| integer(transfer.day.number())),
    ];
    // Where its quote or the day is this transaction's already, nobody else can have posted it in between.
    let have_rows = transfers.iter().all(|transfer| transfer.kind.has_row());
    let count = rows(&transfers);
    let wants = if have_rows { Wants::Certainly(count) } else { Wants::Rows(count) };
    steps.push(Step::new(insert, wants, params));
    let sums: Vec<(Account, Balance)> = sums.into_iter().collect();
    let (mut debits, mut credits) = (Vec::new(), Vec::new());
    for (_, sum) in &sums {
        debits.push(summand(sum.debits)?);
        credits.push(summand(sum.credits)?);
    }
    let upsert = "INSERT INTO balance (writer, account, debits, credits)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])
         ON CONFLICT (writer, account) DO UPDATE
         SET debits = balance.debits + excluded.debits, credits = balance.credits + excluded.credits";
    let params: Vec<Param> = vec![
        Box::new(writer.to_vec()),
        list(&sums, |(account, _)| account.to_string()),
        Box::new(debits),
        Box::new(credits),
    ];
    steps.push(Step::new(upsert, Wants::Any, params));
    Ok(())
}

/// A number that the database adds up: it must not be one that only looks negative.
fn summand(value: u64) -> Result<i64, Fault> {
    i64::try_from(value).map_err(|_| Fault::OutOfRange)
}

fn count_flows(steps: &mut Vec<Step>, effects: &Effects, writer: [u8; 16]) -> Result<(), Fault> {
    if let Some(day) = effects.close_day {
        let own = || -> Vec<Param> { vec![Box::new(writer.to_vec())] };
        let fold = "INSERT INTO balance (writer, account, debits, credits)
             SELECT $1, account, sum(debits)::bigint, sum(credits)::bigint
             FROM balance WHERE writer <> $1 GROUP BY account
             ON CONFLICT (writer, account) DO UPDATE
             SET debits = balance.debits + excluded.debits, credits = balance.credits + excluded.credits";
        steps.push(Step::new("DELETE FROM day_flow", Wants::Any, vec![]));
        // Shares of writers that are gone would pile up; the others' begin anew.
        steps.push(Step::new(fold, Wants::Any, own()));
        steps.push(Step::new("DELETE FROM balance WHERE writer <> $1", Wants::Any, own()));
        let gone = "DELETE FROM writer WHERE id <> $1 AND day < (SELECT open_day FROM vault)";
        steps.push(Step::new(gone, Wants::Any, own()));
        let open = "UPDATE vault SET open_day = $1 WHERE one = 1";
        let day = Box::new(integer(day.number()));
        steps.push(Step::new(open, Wants::Certainly(1), vec![day]));
    }
    if effects.flows.is_empty() {
        return Ok(());
    }
    let flows: Vec<_> = effects.flows.iter().collect();
    let (mut values, mut fees) = (Vec::new(), Vec::new());
    for (_, flow) in &flows {
        values.push(summand(flow.value)?);
        fees.push(summand(flow.fee)?);
    }
    let upsert = "INSERT INTO day_flow (writer, keyset_from, keyset_to, value, fee)
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
         ON CONFLICT (writer, keyset_from, keyset_to) DO UPDATE
         SET value = day_flow.value + excluded.value, fee = day_flow.fee + excluded.fee";
    let params: Vec<Param> = vec![
        Box::new(writer.to_vec()),
        list(&flows, |((from, _), _)| i64::from(from.get())),
        list(&flows, |((_, to), _)| i64::from(to.get())),
        Box::new(values),
        Box::new(fees),
    ];
    steps.push(Step::new(upsert, Wants::Any, params));
    Ok(())
}

fn seal(steps: &mut Vec<Step>, effects: &Effects) {
    for (number, totals) in &effects.sealed {
        let number = i64::from(number.get());
        let insert = "INSERT INTO sealed_keyset (keyset, issued, redeemed, outstanding, signature)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let params: Vec<Param> = vec![
            Box::new(number),
            Box::new(integer(totals.issued)),
            Box::new(integer(totals.redeemed)),
            Box::new(integer(totals.outstanding)),
            Box::new(totals.signature.to_vec()),
        ];
        steps.push(Step::new(insert, Wants::Certainly(1), params));
        // Kept for senders only as long as the keyset was open.
        let drop = "DELETE FROM preimage WHERE keyset = $1";
        steps.push(Step::new(drop, Wants::Any, vec![Box::new(number)]));
    }
}

fn drop_quotes(steps: &mut Vec<Step>, effects: &Effects) {
    if !effects.withdraw.is_empty() {
        for withdraw in [
            "DELETE FROM mint_quote WHERE id = ANY($1)",
            "DELETE FROM melt_quote WHERE id = ANY($1)",
        ] {
            let ids = keys(effects.withdraw.iter().map(|id| &id.as_bytes()[..]));
            steps.push(Step::new(withdraw, Wants::Any, vec![ids]));
        }
    }
    if let Some((limit, of_paid)) = effects.drop_orders_before {
        let drop = "DELETE FROM sale WHERE expiry < $1 AND (state <> 1 OR expiry < $2)";
        let params: Vec<Param> =
            vec![Box::new(integer(limit.seconds())), Box::new(integer(of_paid.seconds()))];
        steps.push(Step::new(drop, Wants::Any, params));
    }
    if let Some(before) = effects.drop_keys_before {
        for drop in [
            "DELETE FROM shown WHERE name IN (SELECT name FROM shown WHERE keys < $1 LIMIT $2)",
            "DELETE FROM answer WHERE request IN (SELECT request FROM answer WHERE keys < $1 LIMIT $2)",
        ] {
            let params: Vec<Param> =
                vec![Box::new(i64::from(before)), Box::new(i64::from(DROPPED_AT_ONCE))];
            steps.push(Step::new(drop, Wants::Any, params));
        }
    }
    let Some(limit) = effects.drop_quotes_before else { return };
    for drop in [
        "DELETE FROM mint_quote WHERE expiry < $1 AND state <> 1",
        "DELETE FROM melt_quote WHERE expiry < $1 AND state <> 1",
    ] {
        steps.push(Step::new(drop, Wants::Any, vec![Box::new(integer(limit.seconds()))]));
    }
}
