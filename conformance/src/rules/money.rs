//! The amount that is sent is the amount that was asked for, in every currency, to the last digit.

use std::{collections::BTreeMap, sync::Arc};

use paymux_core::{
    AmountSource, Currencies, Currency, Effect, ErrorKind, Money, Operation, PaymentProvider,
};
use serde_json::{Value, json};

use super::{Account, Golden};
use crate::{
    data::Problem,
    play::{self, Context, Played, verdict},
    serve::Received,
    suite::trial,
    trial::Trial,
};

/// An amount that every account must take.
const ORDINARY: i128 = 999;
/// The least; a sum that floats get wrong by one when cut; the largest of 32 bits; and the first
/// whole number that a 64-bit float does not hold.
const AMOUNTS: [i128; 6] = [1, ORDINARY, 1_999, 123_456_789, 2_147_483_647, 9_007_199_254_740_993];

/// How the provider writes amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Minor,
    Decimal,
    /// The golden case cannot tell: its currency has no minor unit.
    Either,
}

pub(super) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
) -> Vec<Trial> {
    if account.able.amount == AmountSource::ProviderObject {
        return Vec::new();
    }
    let plain = |golden: &&Golden| golden.input("/options").is_none();
    let mut creates = account.goldens(Operation::CreatePayment);
    let Some(golden) = creates.find(plain).or(account.goldens(Operation::CreatePayment).next())
    else {
        return Vec::new();
    };
    let (currencies, all_taken) = match &account.able.currencies {
        Currencies::Only(set) => (set.iter().copied().collect(), true),
        Currencies::Any => (one_of_each_exponent(), false),
    };
    let trials = currencies.into_iter().map(|currency| {
        let golden = golden.clone();
        let name = account.rule(&format!("money::{}", currency.code()));
        // An account that takes any currency may still refuse the unusual ones.
        let must_take = all_taken || currency.exponent() == 2;
        trial(context, name, move |context| async move {
            check(&context, &golden, currency, must_take).await
        })
    });
    trials.collect()
}

fn one_of_each_exponent() -> Vec<Currency> {
    let usual =
        ["USD", "JPY", "KWD", "CLF"].into_iter().filter_map(|code| Currency::iso(code).ok());
    let by_exponent: BTreeMap<u8, Currency> =
        usual.map(|currency| (currency.exponent(), currency)).collect();
    by_exponent.into_values().collect()
}

async fn check<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    golden: &Golden,
    currency: Currency,
    must_take: bool,
) -> Result<(), Problem> {
    let (_, written) = context.play_as_written(&golden.template).await?;
    let form = form_of(golden)?;
    let echoed = requested(&written);
    let mut problems = Vec::new();
    for minor in AMOUNTS {
        let amount = Money::new(minor, currency).map_err(|error| error.to_string())?;
        let template = golden.with(&golden.case.account, "/amount", json!(amount))?;
        let play = context.play(&template, false, |case| Ok(play::script(case)));
        let (_, played) = play.await?;
        let found = differences(golden, amount, form, &played, echoed.as_ref());
        let refused = is_refused(&played);
        if refused && !(must_take && minor == ORDINARY) {
            continue;
        }
        if refused {
            problems.push(format!("{amount} is refused: {:?}", played.result));
        } else {
            problems.extend(found.into_iter().map(|line| format!("{amount}: {line}")));
        }
    }
    verdict(&problems)
}

/// Refused before anything was sent.
fn is_refused(played: &Played) -> bool {
    match &played.result {
        Ok(_) => false,
        Err(error) => {
            let kind = matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::Unsupported);
            kind && error.effect() == Effect::None && played.received.is_empty()
        }
    }
}

fn differences(
    golden: &Golden,
    amount: Money,
    form: Form,
    played: &Played,
    echoed: Option<&Value>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let at = golden.case.mutating_at().unwrap_or_default();
    let Some(request) = played.received.get(at) else {
        return vec![format!("neither sent nor refused: {:?}", played.result)];
    };
    let texts = figures(amount, form);
    let sent = numbers(request);
    if !texts.iter().any(|text| sent.contains(text)) {
        problems.push(format!("none of {texts:?} is sent: {}", request.describe()));
    }
    let code = amount.currency().code().to_owned();
    let everything = request.describe();
    if !everything.to_ascii_uppercase().contains(&code) {
        problems.push(format!("the currency is not sent: {everything}"));
    }
    // A reply that states amounts still states those of the golden case.
    let asked = json!(amount);
    if let Some(there) = requested(played)
        && there != asked
        && Some(&there) != echoed
    {
        problems.push(format!("the payment says that {there} was requested"));
    }
    problems
}

fn requested(played: &Played) -> Option<Value> {
    let value = played.result.as_ref().ok()?.pointer("/amounts/requested")?;
    (!value.is_null()).then(|| value.clone())
}

/// How the case writes the amount in the request that it wants.
fn form_of(golden: &Golden) -> Result<Form, Problem> {
    let amount = golden.input("/amount").ok_or("the call has no amount")?;
    let amount: Money = crate::data::read_as(amount, "amount")?;
    let at = golden.case.mutating_at().unwrap_or_default();
    let wanted = &golden.case.exchanges[at].request;
    let body = json!([wanted.body, wanted.text, wanted.form, wanted.query]).to_string();
    let sent = numbers(&Received { body: body.into_bytes(), ..Received::default() });
    let holds = |form| figures(amount, form).iter().any(|text| sent.contains(text));
    match (amount.currency().exponent(), holds(Form::Minor), holds(Form::Decimal)) {
        (0, true, _) => Ok(Form::Either),
        (_, true, _) => Ok(Form::Minor),
        (_, false, true) => Ok(Form::Decimal),
        (_, false, false) => {
            Err(format!("{}: the amount does not stand in the request", golden.template.id))
        }
    }
}

/// How an amount can be written.
fn figures(amount: Money, form: Form) -> Vec<String> {
    let minor = amount.minor().to_string();
    let decimal = amount.to_decimal();
    let short = if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        decimal.clone()
    };
    match form {
        Form::Minor => vec![minor],
        Form::Decimal => vec![decimal, short],
        Form::Either => vec![minor, decimal, short],
    }
}

/// The numbers that stand in a request's query and body, as they are written.
fn numbers(request: &Received) -> Vec<String> {
    let body = String::from_utf8_lossy(&request.body);
    let text = format!("{} {body}", request.query);
    let of_a_number = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '-' | '_')
    };
    text.split(|character: char| !of_a_number(character))
        .filter(|word| word.starts_with(|character: char| character.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}
