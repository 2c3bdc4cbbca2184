//! What a decision changes, written row by row: keys in ascending order, so that neither pages nor the log show
//! which of a batch's rows came together.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use tacit_core::unit::Unit;
use tacit_ecash::condition::Preimage;
use tacit_service::account::{AccountId, Holder, Usage};
use tacit_service::keyset::KeysetRecord;
use tacit_service::ledger::{Account, Transfer};
use tacit_service::order::{Order, OutboxEvent};
use tacit_service::passport::{DROPPED_AT_ONCE, PreparedAnswer};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::vault::{Balance, Effects, SpentProof};

use super::bill::put_bills;
use super::era::Era;
use super::fault::Fault;
use super::row;
use crate::spelling::{MeltColumns, OrderColumns};

/// Writes all effects; `era`: where new rows go. A [`Fault`] that [`Fault::is_key_taken`] means the facts were stale.
pub(super) fn apply(change: &Transaction<'_>, effects: &Effects, era: Era) -> Result<(), Fault> {
    for keyset in effects.keysets.values() {
        put_keyset(change, keyset)?;
    }
    for holder in effects.holders.values() {
        put_holder(change, holder)?;
    }
    for (of, usage) in &effects.usage {
        put_usage(change, *of, usage)?;
    }
    for order in effects.orders.values() {
        put_order(change, order)?;
    }
    tell(change, effects)?;
    answer(change, &effects.answers)?;
    put_bills(change, effects)?;
    for quote in effects.mint_quotes.values() {
        put_mint_quote(change, quote)?;
    }
    for quote in effects.melt_quotes.values() {
        put_melt_quote(change, quote)?;
    }
    free_held(change, effects, era)?; // Before new holds: a payment that failed may be started again in one batch.
    hold(change, effects)?;
    spend(change, &effects.spend, era)?;
    sign(change, effects, era)?;
    post(change, &effects.transfers)?;
    count_flows(change, effects)?;
    seal(change, effects)?;
    drop_quotes(change, effects)
}

fn put_keyset(change: &Transaction<'_>, keyset: &KeysetRecord) -> Result<(), Fault> {
    let spec = &keyset.spec;
    change
        .prepare_cached(
            "INSERT INTO keyset (number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (number) DO UPDATE SET state = excluded.state",
        )?
        .execute(params![
            keyset.number.get(),
            keyset.id.as_bytes(),
            spec.unit.code(),
            spec.index,
            spec.orders,
            row::integer(spec.input_fee_ppk),
            spec.final_expiry.map(|expiry| row::integer(expiry.seconds())),
            row::keyset_state(keyset.state),
        ])?;
    Ok(())
}

fn put_holder(change: &Transaction<'_>, holder: &Holder) -> Result<(), Fault> {
    change
        .prepare_cached(
            "INSERT INTO holder (id, kind, level, state, key) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET level = excluded.level, state = excluded.state",
        )?
        .execute(params![
            holder.id.to_string(),
            holder.kind.name(),
            holder.level.number(),
            row::holder_state(holder.state),
            holder.key.as_ref().map(|key| key.as_bytes()),
        ])?;
    Ok(())
}

fn put_usage(
    change: &Transaction<'_>,
    (holder, unit): (AccountId, Unit),
    usage: &Usage,
) -> Result<(), Fault> {
    let [day, in_day, out_day, in_month, out_month, version] = row::usage_columns(usage);
    change
        .prepare_cached(
            "INSERT INTO edge_usage (holder, unit, day, in_day, out_day, in_month, out_month, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (holder, unit) DO UPDATE SET day = excluded.day, in_day = excluded.in_day,
             out_day = excluded.out_day, in_month = excluded.in_month, out_month = excluded.out_month,
             version = excluded.version",
        )?
        .execute(params![
            holder.to_string(),
            unit.code(),
            day,
            in_day,
            out_day,
            in_month,
            out_month,
            version
        ])?;
    Ok(())
}

fn put_order(change: &Transaction<'_>, order: &Order) -> Result<(), Fault> {
    let of = OrderColumns::of(order);
    change
        .prepare_cached(
            "INSERT INTO sale (id, holder, unit, amount, expiry, state, refunded, blanks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, refunded = excluded.refunded,
             blanks = excluded.blanks",
        )?
        .execute(params![
            of.id,
            of.holder,
            of.unit,
            of.amount,
            of.expiry,
            of.state,
            of.refunded,
            of.blanks
        ])?;
    Ok(())
}

/// Lets go what merchants release; puts events for the desk into the outbox, and takes out those it has.
fn tell(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    let mut events = effects.outbox.clone();
    events.sort_unstable_by_key(|event| event.id);
    for OutboxEvent { id, kind, order, amount } in events {
        change
            .prepare_cached("INSERT INTO outbox (id, kind, sale, amount) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id.as_bytes(), kind.name(), order.as_bytes(), row::integer(amount)])?;
    }
    for y in &effects.release {
        change
            .prepare_cached("INSERT INTO released (y) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([y.x()])?;
    }
    for id in &effects.forget {
        change.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id.as_bytes()])?;
    }
    Ok(())
}

/// Keeps what the passport desk answered, and everything each request showed.
fn answer(change: &Transaction<'_>, answers: &[PreparedAnswer]) -> Result<(), Fault> {
    let mut names: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.names.iter().map(|name| (name, answer.digest, answer.keys)))
        .collect();
    names.sort_unstable();
    let sql = "INSERT INTO shown (name, request, keys) VALUES (?1, ?2, ?3)";
    let mut insert = change.prepare_cached(sql)?;
    for (name, digest, keys) in names {
        insert.execute(params![name.as_bytes(), digest.as_bytes(), keys])?;
    }
    let mut answers: Vec<_> = answers.iter().collect();
    answers.sort_unstable_by_key(|answer| answer.digest);
    let mut insert = change.prepare_cached(
        "INSERT INTO answer (request, bucket, keys, reply, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for answer in answers {
        let PreparedAnswer { digest, reply, sealed, keys, .. } = answer;
        let bucket = answer.bucket.number();
        insert.execute(params![digest.as_bytes(), bucket, keys, reply, sealed])?;
    }
    Ok(())
}

fn put_mint_quote(change: &Transaction<'_>, quote: &MintQuote) -> Result<(), Fault> {
    let (state, digest) = row::mint_state(&quote.state);
    change
        .prepare_cached(
            "INSERT INTO mint_quote (id, unit, method, request, amount, pubkey, expiry, state, outputs_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET expiry = excluded.expiry, state = excluded.state,
             outputs_digest = excluded.outputs_digest",
        )?
        .execute(params![
            quote.id.as_bytes(),
            quote.unit.code(),
            quote.method.name(),
            quote.request,
            row::integer(quote.amount),
            quote.pubkey.as_ref().map(|key| key.as_bytes()),
            row::integer(quote.expiry.seconds()),
            state,
            digest,
        ])?;
    Ok(())
}

fn put_melt_quote(change: &Transaction<'_>, quote: &MeltQuote) -> Result<(), Fault> {
    let MeltColumns { state, inputs, input_fee, outputs, fee_paid, evidence } =
        MeltColumns::of(&quote.state);
    change
        .prepare_cached(
            "INSERT INTO melt_quote (id, unit, method, request, amount, fee_reserve, expiry, attempt, state,
             inputs, input_fee, outputs, fee_paid, evidence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (id) DO UPDATE SET expiry = excluded.expiry, attempt = excluded.attempt,
             state = excluded.state, inputs = excluded.inputs, input_fee = excluded.input_fee,
             outputs = excluded.outputs, fee_paid = excluded.fee_paid, evidence = excluded.evidence",
        )?
        .execute(params![
            quote.id.as_bytes(),
            quote.unit.code(),
            quote.method.name(),
            quote.request,
            row::integer(quote.amount),
            row::integer(quote.fee_reserve),
            row::integer(quote.expiry.seconds()),
            quote.attempt,
            state,
            inputs,
            input_fee,
            outputs,
            fee_paid,
            evidence,
        ])?;
    Ok(())
}

/// Held proofs become spent or free again, promised outputs are forgotten.
fn free_held(change: &Transaction<'_>, effects: &Effects, era: Era) -> Result<(), Fault> {
    let run = |sql: &str, quotes: &[QuoteId]| {
        for quote in quotes {
            change.prepare_cached(sql)?.execute([quote.as_bytes()])?;
        }
        Ok::<_, Fault>(())
    };
    run(
        "INSERT INTO preimage (y, keyset, preimage)
         SELECT y, keyset, preimage FROM held WHERE quote = ?1 AND preimage IS NOT NULL ORDER BY y",
        &effects.spend_held,
    )?;
    for quote in &effects.spend_held {
        change
            .prepare_cached(
                "INSERT INTO spent (era, y, keyset, exponent)
                 SELECT ?2, y, keyset, exponent FROM held WHERE quote = ?1 ORDER BY y",
            )?
            .execute(params![quote.as_bytes(), era])?;
    }
    run("DELETE FROM held WHERE quote = ?1", &effects.spend_held)?;
    run("DELETE FROM held WHERE quote = ?1", &effects.release_held)?;
    run("DELETE FROM promised WHERE quote = ?1", &effects.release_promised)
}

fn hold(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    let mut held: Vec<&(QuoteId, SpentProof)> = effects.hold.iter().collect();
    held.sort_unstable_by_key(|(_, proof)| proof.y);
    let mut insert = change.prepare_cached(
        "INSERT INTO held (y, keyset, exponent, quote, preimage) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (quote, proof) in held {
        let exponent = row::exponent(proof.amount)?;
        let keyset = proof.keyset.get();
        let preimage = proof.preimage.as_ref().map(Preimage::as_bytes);
        insert.execute(params![proof.y.x(), keyset, exponent, quote.as_bytes(), preimage])?;
    }
    let mut promised: Vec<_> = effects.promise.iter().collect();
    promised.sort_unstable_by_key(|(_, output)| *output);
    let mut insert = change.prepare_cached("INSERT INTO promised (b_, quote) VALUES (?1, ?2)")?;
    for (quote, output) in promised {
        insert.execute(params![output.as_bytes(), quote.as_bytes()])?;
    }
    Ok(())
}

fn spend(change: &Transaction<'_>, proofs: &[SpentProof], era: Era) -> Result<(), Fault> {
    let mut proofs: Vec<&SpentProof> = proofs.iter().collect();
    proofs.sort_unstable_by_key(|proof| proof.y);
    let mut spend = change
        .prepare_cached("INSERT INTO spent (era, y, keyset, exponent) VALUES (?1, ?2, ?3, ?4)")?;
    let mut keep =
        change.prepare_cached("INSERT INTO preimage (y, keyset, preimage) VALUES (?1, ?2, ?3)")?;
    for proof in proofs {
        let (y, keyset) = (proof.y.x(), proof.keyset.get());
        spend.execute(params![era, y, keyset, row::exponent(proof.amount)?])?;
        if let Some(preimage) = &proof.preimage {
            keep.execute(params![y, keyset, preimage.as_bytes()])?;
        }
    }
    Ok(())
}

fn sign(change: &Transaction<'_>, effects: &Effects, era: Era) -> Result<(), Fault> {
    let mut outputs: Vec<_> = effects.sign.iter().collect();
    outputs.sort_unstable_by_key(|(output, _)| *output);
    let mut sign = change
        .prepare_cached("INSERT INTO signed (era, b_, keyset, exponent) VALUES (?1, ?2, ?3, ?4)")?;
    for (output, signed) in outputs {
        let exponent = row::exponent(signed.amount)?;
        sign.execute(params![era, output.as_bytes(), signed.keyset.get(), exponent])?;
    }
    Ok(())
}

/// Posts transfers and adds them to the balances kept with each account.
fn post(change: &Transaction<'_>, transfers: &[Transfer]) -> Result<(), Fault> {
    let mut sums: BTreeMap<Account, Balance> = BTreeMap::new();
    for transfer in transfers {
        let add = |sum: &mut u64| {
            *sum = sum.checked_add(transfer.amount).ok_or(Fault::OutOfRange)?;
            Ok::<_, Fault>(())
        };
        add(&mut sums.entry(transfer.debit).or_default().debits)?;
        add(&mut sums.entry(transfer.credit).or_default().credits)?;
    }
    let mut numbers = BTreeMap::new();
    for (account, sum) in sums {
        numbers.insert(account, add_to_account(change, account, sum)?);
    }
    let mut insert = change.prepare_cached(
        "INSERT INTO transfer (id, kind, debit, credit, amount, day) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for transfer in transfers {
        insert.execute(params![
            transfer.id.as_bytes(),
            transfer.kind.name(),
            numbers[&transfer.debit],
            numbers[&transfer.credit],
            row::integer(transfer.amount),
            row::integer(transfer.day.number()),
        ])?;
    }
    Ok(())
}

/// Adds to an account, which is made if it is not there, and returns its number.
fn add_to_account(change: &Transaction<'_>, account: Account, sum: Balance) -> Result<i64, Fault> {
    let kept = super::read::balance(change, account)?;
    let debits = kept.debits.checked_add(sum.debits).ok_or(Fault::OutOfRange)?;
    let credits = kept.credits.checked_add(sum.credits).ok_or(Fault::OutOfRange)?;
    let number = change
        .prepare_cached(
            "INSERT INTO account (name, debits, credits) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET debits = excluded.debits, credits = excluded.credits
             RETURNING number",
        )?
        .query_row(
            params![account.to_string(), row::integer(debits), row::integer(credits)],
            |row| row.get(0),
        )?;
    Ok(number)
}

fn count_flows(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    if let Some(day) = effects.close_day {
        change.prepare_cached("DELETE FROM day_flow")?.execute([])?;
        change
            .prepare_cached("UPDATE vault SET open_day = ?1")?
            .execute([row::integer(day.number())])?;
    }
    let mut add = change.prepare_cached(
        "INSERT INTO day_flow (keyset_from, keyset_to, value, fee) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (keyset_from, keyset_to)
         DO UPDATE SET value = value + excluded.value, fee = fee + excluded.fee",
    )?;
    for ((from, to), flow) in &effects.flows {
        let (value, fee) = (row::integer(flow.value), row::integer(flow.fee));
        add.execute(params![from.get(), to.get(), value, fee])?;
    }
    Ok(())
}

fn seal(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    for (number, totals) in &effects.sealed {
        change
            .prepare_cached(
                "INSERT INTO sealed_keyset (keyset, issued, redeemed, outstanding, signature)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                number.get(),
                row::integer(totals.issued),
                row::integer(totals.redeemed),
                row::integer(totals.outstanding),
                totals.signature,
            ])?;
        // Kept for senders only as long as the keyset was open.
        change.prepare_cached("DELETE FROM preimage WHERE keyset = ?1")?.execute([number.get()])?;
    }
    Ok(())
}

fn drop_quotes(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    for id in &effects.withdraw {
        for sql in ["DELETE FROM mint_quote WHERE id = ?1", "DELETE FROM melt_quote WHERE id = ?1"]
        {
            change.prepare_cached(sql)?.execute([id.as_bytes()])?;
        }
    }
    if let Some((limit, of_paid)) = effects.drop_orders_before {
        change
            .prepare_cached("DELETE FROM sale WHERE expiry < ?1 AND (state <> 1 OR expiry < ?2)")?
            .execute([limit, of_paid].map(|moment| row::integer(moment.seconds())))?;
    }
    if let Some(before) = effects.drop_keys_before {
        for sql in [
            "DELETE FROM shown WHERE name IN (SELECT name FROM shown WHERE keys < ?1 LIMIT ?2)",
            "DELETE FROM answer WHERE request IN (SELECT request FROM answer WHERE keys < ?1 LIMIT ?2)",
        ] {
            change.prepare_cached(sql)?.execute([before, DROPPED_AT_ONCE])?;
        }
    }
    let Some(limit) = effects.drop_quotes_before else { return Ok(()) };
    let limit = row::integer(limit.seconds());
    change
        .prepare_cached("DELETE FROM mint_quote WHERE expiry < ?1 AND state <> 1")?
        .execute([limit])?;
    change
        .prepare_cached("DELETE FROM melt_quote WHERE expiry < ?1 AND state <> 1")?
        .execute([limit])?;
    Ok(())
}
