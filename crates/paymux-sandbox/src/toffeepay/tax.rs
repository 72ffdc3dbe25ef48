//! Tax by country of the billing address.

/// Invented rates in hundredths of a percent, near enough to real ones to look right. The 10 % of
/// the US make the 0.50 on 4.99 of the specification's sample.
const RATES: [(&str, &str, u16); 14] = [
    ("AU", "Australia", 1000),
    ("BR", "Brazil", 1700),
    ("CA", "Canada", 500),
    ("DE", "Germany", 1900),
    ("ES", "Spain", 2100),
    ("FR", "France", 2000),
    ("GB", "United Kingdom", 2000),
    ("IT", "Italy", 2200),
    ("JP", "Japan", 1000),
    ("KR", "South Korea", 1000),
    ("NL", "Netherlands", 2100),
    ("SE", "Sweden", 2500),
    ("SG", "Singapore", 900),
    ("US", "United States", 1000),
];

/// The countries of the checkout page: code and name.
pub(super) fn countries() -> impl Iterator<Item = (&'static str, &'static str)> {
    RATES.into_iter().map(|(code, name, _)| (code, name))
}

/// Cents of tax on `price` cents, half a cent rounded up. A country that is not in the table has
/// no tax.
pub(super) fn tax(price: i32, country: &str) -> i32 {
    let rate = RATES.into_iter().find(|(code, ..)| *code == country).map_or(0, |(_, _, rate)| rate);
    let tax = (i64::from(price) * i64::from(rate) + 5000) / 10_000;
    i32::try_from(tax).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_rounded_half_up_to_whole_cents() {
        for (price, country, expected) in [
            (499, "US", 50),
            (499, "DE", 95),
            (5, "US", 1),
            (4, "US", 0),
            (1, "SE", 0),
            (2, "SE", 1),
            (499, "ZZ", 0),
            (i32::MAX, "SE", 536_870_912),
        ] {
            assert_eq!(tax(price, country), expected, "{price} in {country}");
        }
    }
}
