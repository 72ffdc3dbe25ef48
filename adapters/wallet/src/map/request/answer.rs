//! The answer to a new transaction: is it about what was asked for, and which payment is which?

use paymux_core::{CaptureMethod, CreatePayment, Result};

use super::part::Line;
use crate::{
    config::WalletConfig,
    map::sum,
    objects::{Freeze, ProviderPayment, Transaction},
    options::WalletOptions,
};

/// Rows are lines of the request, columns are payments of the answer.
type Table = Vec<Vec<bool>>;

/// Puts the payments of an answer in the order in which they were asked for; nobody says in which
/// order it shows them. Where it is not about what was asked for, as far as it shows that, it is
/// left as it is, and what is wrong with it is returned.
pub(crate) fn arrange(
    transaction: &mut Transaction,
    config: &WalletConfig,
    request: &CreatePayment,
    options: &WalletOptions,
) -> Result<Option<String>> {
    let payments = &transaction.payments;
    // The guide's answer has an empty list beside key and status: it shows nothing.
    if payments.is_empty() {
        return Ok(None);
    }
    if payments.iter().any(|payment| is_held_for_less(payment, request, options)) {
        let message = "the provider would not have the money held for as long as was asked for";
        return Ok(Some(message.to_owned()));
    }
    let lines = Line::all(request, options)?;
    let mut fitting = Table::new();
    for line in &lines {
        let row = payments.iter().map(|payment| line.is_meant_by(payment, config));
        fitting.push(row.collect::<Result<_>>()?);
    }
    // What is said beside the amounts is no condition, but can tell payments apart.
    let telling: Table = lines
        .iter()
        .zip(&fitting)
        .map(|(line, row)| {
            row.iter()
                .zip(payments)
                .map(|(fits, payment)| *fits && line.is_told_by(payment))
                .collect()
        })
        .collect();
    let found = [telling, fitting]
        .into_iter()
        .filter(|_| lines.len() == payments.len())
        .find_map(|table| matching(&table).map(|order| (table, order)));
    let Some((table, order)) = found else { return Ok(Some(other_payments(payments))) };
    let is_open = |line: &Line<'_>, other: &Line<'_>| !line.is_for_the_same(other);
    if is_ambiguous(&table, &order, |one, other| is_open(&lines[one], &lines[other])) {
        let message = "the answer does not say which payment is for which beneficiary";
        return Ok(Some(message.to_owned()));
    }
    transaction.payments = order.iter().map(|nth| payments[*nth].clone()).collect();
    Ok(None)
}

fn is_held_for_less(
    payment: &ProviderPayment,
    request: &CreatePayment,
    options: &WalletOptions,
) -> bool {
    let Some(asked) = options.freeze_until.filter(|_| request.capture == CaptureMethod::Manual)
    else {
        return false;
    };
    match payment.freeze {
        Some(Freeze::Off) => true,
        // Whole seconds travel.
        Some(Freeze::Until(shown)) => shown.as_seconds() < asked.as_seconds(),
        // Where it begins, nobody knows yet.
        Some(Freeze::For(_)) | None => false,
    }
}

fn other_payments(payments: &[ProviderPayment]) -> String {
    match sum(payments.iter().map(|payment| payment.price)) {
        Some(other) => format!("the provider made it {other}, or in parts not asked for"),
        None => "the provider made other payments than were asked for".to_owned(),
    }
}

/// A payment for each line: by position if that fits, else in any way that does.
fn matching(table: &Table) -> Option<Vec<usize>> {
    if table.iter().enumerate().all(|(nth, row)| row.get(nth) == Some(&true)) {
        return Some((0..table.len()).collect());
    }
    let mut line_of = vec![None; table.len()];
    for line in 0..table.len() {
        if !place(table, line, &mut vec![false; table.len()], &mut line_of) {
            return None;
        }
    }
    let payment_of = |line| line_of.iter().position(|placed| *placed == Some(line));
    (0..table.len()).map(payment_of).collect()
}

/// Finds a payment for a line, and another one for whichever line had that.
fn place(
    table: &Table,
    line: usize,
    tried: &mut Vec<bool>,
    line_of: &mut Vec<Option<usize>>,
) -> bool {
    for payment in 0..table.len() {
        if !table[line][payment] || tried[payment] {
            continue;
        }
        tried[payment] = true;
        let is_free = match line_of[payment] {
            Some(holder) => place(table, holder, tried, line_of),
            None => true,
        };
        if is_free {
            line_of[payment] = Some(line);
            return true;
        }
    }
    false
}

/// Could two lines between which it matters have each other's payment?
fn is_ambiguous(table: &Table, order: &[usize], matters: impl Fn(usize, usize) -> bool) -> bool {
    let lines = 0..table.len();
    lines.clone().any(|line| {
        lines.clone().any(|other| {
            if !table[line][order[other]] || !matters(line, other) {
                return false;
            }
            let mut exchanged = table.clone();
            for (payment, fits) in exchanged[line].iter_mut().enumerate() {
                *fits = payment == order[other];
            }
            matching(&exchanged).is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&str]) -> Table {
        rows.iter().map(|row| row.bytes().map(|cell| cell == b'x').collect()).collect()
    }

    #[test]
    fn positions_come_first_and_then_whatever_fits() {
        for (rows, order) in [
            (&["xx", "xx"][..], Some(vec![0, 1])),
            (&["xx", "x."], Some(vec![1, 0])),
            (&[".x", "x."], Some(vec![1, 0])),
            (&["xx.", "x..", ".xx"], Some(vec![1, 0, 2])),
            (&["xxx", "x..", "xx."], Some(vec![2, 0, 1])),
            (&["x.", "x."], None),
            (&["..", "xx"], None),
        ] {
            assert_eq!(matching(&table(rows)), order, "{rows:?}");
        }
    }

    #[test]
    fn an_exchange_is_ambiguous_where_it_matters() {
        let both = table(&["xx", "xx"]);
        assert!(is_ambiguous(&both, &[0, 1], |one, other| one != other));
        assert!(!is_ambiguous(&both, &[0, 1], |_, _| false));
        // The second fits one payment alone, so the first has no choice.
        assert!(!is_ambiguous(&table(&["xx", ".x"]), &[0, 1], |one, other| one != other));
        // Three in a ring.
        let ring = table(&["xx.", ".xx", "x.x"]);
        assert!(is_ambiguous(&ring, &[0, 1, 2], |one, other| one != other));
    }
}
