//! Figures and money. The provider counts hundredths in every currency, even where ISO 4217 has
//! none of them or a thousandth, and writes decimals beside them. Pure.

use paymux_core::{Currency, Money, json::Unreadable};

use super::unfit;

/// The two spellings of one amount: hundredths, and decimal text.
pub(crate) type Figures<'a> = (Option<i64>, Option<&'a str>);

/// The currency of an answer, if it names one that we know. Another one of the right form is that
/// of an amount that we cannot count, and no reason to lose what else there is.
pub(crate) fn currency(code: Option<&str>) -> Result<Option<Currency>, Unreadable> {
    let Some(code) = code else { return Ok(None) };
    match Currency::iso(code) {
        Ok(known) => Ok(Some(known)),
        Err(_) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => Ok(None),
        Err(_) => Err(unfit("currency")),
    }
}

/// Is the code none that we could ask for?
pub(crate) fn is_foreign(code: &str) -> bool {
    Currency::iso(code).is_err()
}

/// The amount that the figures state. Two that disagree are no amount; without a currency they are
/// none either, and still have to agree where both can be counted in hundredths.
pub(crate) fn money(
    (hundredths, decimal): Figures<'_>,
    currency: Option<Currency>,
) -> Result<Option<Money>, Unreadable> {
    // The specification's sparse lists name prices and no currency. Any of two decimals will do
    // to compare the two figures by.
    let by = currency.unwrap_or(Currency::EUR);
    let from_hundredths = hundredths.map(|figure| of_hundredths(figure, by)).transpose()?;
    let parse = |text: &str| Money::parse(text, by).map_err(|_| unfit("amount"));
    let from_decimal = match (currency, decimal) {
        (Some(_), Some(text)) => Some(parse(text)?),
        (None, Some(text)) => parse(text).ok(),
        (_, None) => None,
    };
    if let (Some(first), Some(second)) = (from_hundredths, from_decimal)
        && first != second
    {
        return Err(Unreadable::new("the answer states two amounts for one"));
    }
    Ok(from_hundredths.or(from_decimal).filter(|_| currency.is_some()))
}

fn of_hundredths(figure: i64, currency: Currency) -> Result<Money, Unreadable> {
    let figure = u64::try_from(figure).map_err(|_| unfit("amount"))?;
    let text = format!("{}.{:02}", figure / 100, figure % 100);
    Money::parse(&text, currency).map_err(|_| unfit("amount"))
}

/// The amount in hundredths, for currencies that have them.
pub(crate) fn cents(amount: Money) -> Option<i64> {
    if amount.currency().exponent() != 2 {
        return None;
    }
    i64::try_from(amount.minor()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(hundredths: Option<i64>, decimal: Option<&str>, code: &str) -> Option<String> {
        let currency = currency(Some(code)).expect("a currency");
        let money = money((hundredths, decimal), currency).ok()?;
        money.map(|money| money.to_string())
    }

    #[test]
    fn both_spellings_are_one_amount() {
        for (hundredths, decimal) in
            [(Some(2999), Some("29.99")), (Some(2999), None), (None, Some("29.99"))]
        {
            assert_eq!(read(hundredths, decimal, "EUR").as_deref(), Some("29.99 EUR"));
        }
        for decimal in ["29.98", "2999", "29.990001", "-29.99", "29,99", "", "NaN", "29.99 EUR"] {
            assert_eq!(read(Some(2999), Some(decimal), "EUR"), None, "{decimal:?}");
        }
        assert_eq!(read(Some(-1), None, "EUR"), None);
        assert_eq!(read(Some(0), Some("0.00"), "EUR").as_deref(), Some("0.00 EUR"));
        assert_eq!(read(Some(7), None, "EUR").as_deref(), Some("0.07 EUR"));
    }

    /// The official client multiplies by 100 whatever the currency.
    #[test]
    fn hundredths_are_counted_in_every_currency() {
        assert_eq!(read(Some(150_000), Some("1500.00"), "JPY").as_deref(), Some("1500 JPY"));
        assert_eq!(read(Some(150_000), Some("1500"), "JPY").as_deref(), Some("1500 JPY"));
        assert_eq!(read(Some(150_050), None, "JPY"), None, "half a yen");
        assert_eq!(read(Some(1234), None, "KWD").as_deref(), Some("12.340 KWD"));
        assert_eq!(read(None, Some("12.345"), "KWD").as_deref(), Some("12.345 KWD"));
        assert_eq!(read(Some(1234), Some("12.345"), "KWD"), None, "a digit was lost");
    }

    #[test]
    fn figures_without_currency_are_no_money_and_must_agree() {
        assert!(matches!(money((Some(2999), Some("29.99")), None), Ok(None)));
        assert!(money((Some(2999), Some("30.00")), None).is_err());
        assert!(matches!(money((None, None), Some(Currency::EUR)), Ok(None)));
    }

    #[test]
    fn cents_are_of_currencies_that_have_them() {
        let jpy = Currency::iso("JPY").expect("a currency");
        assert_eq!(cents(Money::new(2999, Currency::EUR).expect("money")), Some(2999));
        assert_eq!(cents(Money::new(2999, jpy).expect("money")), None);
        assert_eq!(cents(Money::new(i128::MAX, Currency::EUR).expect("money")), None);
    }
}
