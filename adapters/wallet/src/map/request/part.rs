//! One payment of a transaction, as the merchant asks for it.

use paymux_core::{CreatePayment, Currency, Error, Money, Result, check::filled};
use serde_json::{Map, Value};

use super::new_price;
use crate::{
    config::WalletConfig,
    objects::ProviderPayment,
    options::{Beneficiary, Commission, Item, PaymentType, WalletOptions},
    wire,
};

/// One payment: of a split, or the only one.
pub(super) struct Line<'a> {
    /// Where its fields stand: `options.wallet` or `options.wallet.split[0]`.
    path: String,
    /// Where its price stands.
    price_field: String,
    description_field: String,
    description: &'a str,
    /// What it costs by itself, without what its items say.
    price: Option<Money>,
    items: &'a [Item],
    beneficiary: Option<&'a Beneficiary>,
    commission: Option<&'a Commission>,
    kind: Option<&'a PaymentType>,
    parameters: &'a Map<String, Value>,
}

impl<'a> Line<'a> {
    /// Every payment of a request. Together they cost what it says.
    pub(super) fn all(request: &'a CreatePayment, options: &'a WalletOptions) -> Result<Vec<Self>> {
        if options.split.is_empty() {
            let only = Self::only(request, options);
            only.check_quantities()?;
            if !only.items.is_empty() && only.total()? != request.amount {
                return Err(Error::invalid_request("amount", "must be the total of the items"));
            }
            return Ok(vec![only]);
        }
        refuse_fields_of_one(options)?;
        let mut lines = Vec::new();
        let mut total = Money::zero(request.amount.currency());
        for (nth, split) in options.split.iter().enumerate() {
            let path = format!("options.wallet.split[{nth}]");
            let line = Self {
                price_field: format!("{path}.price"),
                description_field: format!("{path}.description"),
                path,
                description: &split.description,
                price: split.price,
                items: &split.items,
                beneficiary: split.beneficiary.as_ref(),
                commission: split.commission.as_ref(),
                kind: split.payment_type.as_ref(),
                parameters: &split.parameters,
            };
            line.check_quantities()?;
            total = total.checked_add(line.total()?).ok_or_else(|| {
                Error::invalid_request(&line.price_field, "must be of the payment's currency")
            })?;
            lines.push(line);
        }
        if total != request.amount {
            return Err(Error::invalid_request("amount", "must be the sum of the split"));
        }
        Ok(lines)
    }

    fn only(request: &'a CreatePayment, options: &'a WalletOptions) -> Self {
        Self {
            path: "options.wallet".to_owned(),
            price_field: "amount".to_owned(),
            description_field: "description".to_owned(),
            description: &request.description,
            price: options.items.is_empty().then_some(request.amount),
            items: &options.items,
            beneficiary: options.beneficiary.as_ref(),
            commission: options.commission.as_ref(),
            kind: options.payment_type.as_ref(),
            parameters: &options.parameters,
        }
    }

    /// What it costs: by its price, or by its items, and never by both or neither.
    fn total(&self) -> Result<Money> {
        let refuse = |message: &str| Err(Error::invalid_request(&self.price_field, message));
        let mut items = self.items.iter().enumerate().map(|(nth, item)| {
            item.price.checked_mul(item.quantity).ok_or_else(|| {
                Error::invalid_request(self.item_field(nth), "is larger than can be held")
            })
        });
        match (self.price, items.next()) {
            (Some(price), None) => Ok(price),
            (None, Some(first)) => items.try_fold(first?, |sum, item| {
                sum.checked_add(item?).ok_or_else(|| {
                    let field = format!("{}.items", self.path);
                    Error::invalid_request(field, "must be of one currency")
                })
            }),
            (Some(_), Some(_)) => refuse("must not be set beside items, which make the price"),
            (None, None) => refuse("or items must be set"),
        }
    }

    /// Before any total: what nothing is bought of would be missed as a sum that does not fit.
    fn check_quantities(&self) -> Result<()> {
        match self.items.iter().position(|item| item.quantity == 0) {
            Some(nth) => {
                let field = format!("{}.quantity", self.item_field(nth));
                Err(Error::invalid_request(field, "must be at least 1"))
            }
            None => Ok(()),
        }
    }

    fn out_commission(&self) -> Option<Money> {
        self.commission?.out_commission
    }

    /// What the payer pays: the price and the fee, wherever that travels.
    pub(super) fn payable(&self) -> Result<Money> {
        let total = self.total()?;
        match self.out_commission() {
            Some(fee) => total.checked_add(fee).ok_or_else(|| {
                Error::invalid_request(&self.price_field, "is larger than can be held")
            }),
            None => Ok(total),
        }
    }

    /// Is an answer's payment this one, as far as it shows it? What is shown must agree to the
    /// cent, and a fee that nobody asked for is shown as none.
    pub(super) fn is_meant_by(
        &self,
        payment: &ProviderPayment,
        config: &WalletConfig,
    ) -> Result<bool> {
        let sent = self.with_fee(config, self.total()?)?;
        let none = Money::zero(sent.currency());
        let is_fee = |shown: Option<Money>, asked: Option<Money>| {
            shown.is_none_or(|fee| fee == asked.unwrap_or(none))
        };
        let in_commission = self.commission.and_then(|fees| fees.in_commission);
        let is_beneficiary = match (self.beneficiary, &payment.beneficiary) {
            (Some(asked), Some(shown)) => is_alike(asked, shown),
            (None, _) | (_, None) => true,
        };
        Ok(is_beneficiary
            && payment.price.is_none_or(|price| price == sent)
            && is_fee(payment.in_commission, in_commission)
            && is_fee(payment.out_commission, self.out_commission()))
    }

    /// Does an answer's payment say what this one says to the payer and to us? That is only as far
    /// as the provider repeats it word by word.
    pub(super) fn is_told_by(&self, payment: &ProviderPayment) -> bool {
        let shown = &payment.parameters;
        payment.description.as_deref().is_none_or(|words| words == self.description)
            && (shown.is_empty()
                || self.parameters.iter().all(|(name, value)| shown.get(name) == Some(value)))
    }

    /// Would the other one's money reach the same beneficiary?
    pub(super) fn is_for_the_same(&self, other: &Self) -> bool {
        self.beneficiary == other.beneficiary
    }

    fn item_field(&self, nth: usize) -> String {
        format!("{}.items[{nth}]", self.path)
    }

    /// As it travels. The currency always does, since the specification requires it.
    pub(super) fn payment(
        &self,
        config: &WalletConfig,
        currency: Currency,
    ) -> Result<wire::NewPayment<'a>> {
        let total = self.total()?;
        if total.currency() != currency {
            return Err(Error::invalid_request("currency", "must be that of the items"));
        }
        let commission = self.commission(config, total)?;
        let price = match self.price {
            Some(price) => new_price(&self.price_field, self.with_fee(config, price)?)?,
            None => wire::Price::default(),
        };
        let reserved = config.reference_parameter.as_deref();
        if let Some(name) = reserved.filter(|name| self.parameters.contains_key(*name)) {
            let field = format!("{}.parameters.{name}", self.path);
            return Err(Error::invalid_request(field, "is where the reference travels"));
        }
        Ok(wire::NewPayment {
            description: filled(&self.description_field, self.description)?,
            price,
            currency: currency.code().to_owned(),
            items: self.items()?,
            kind: self.kind()?,
            beneficiary: self.beneficiary(config.nested_beneficiary)?,
            commission,
            parameters: self.parameters.clone(),
            freeze_until: None,
        })
    }

    /// The price as it is sent: with the payer's fee, where the account is set up so.
    fn with_fee(&self, config: &WalletConfig, price: Money) -> Result<Money> {
        match self.out_commission().filter(|_| config.commission_in_price) {
            Some(fee) => price.checked_add(fee).ok_or_else(|| {
                Error::invalid_request(&self.price_field, "is larger than can be held")
            }),
            None => Ok(price),
        }
    }

    fn items(&self) -> Result<Vec<wire::NewItem<'a>>> {
        let items = self.items.iter().enumerate().map(|(nth, item)| {
            let field = |name: &str| format!("{}.{name}", self.item_field(nth));
            Ok(wire::NewItem {
                title: filled(&field("title"), &item.title)?,
                description: item.description.as_deref(),
                price: new_price(&field("price"), item.price)?,
                quantity: item.quantity,
                image_uri: item.image_uri.as_ref().map(url::Url::as_str),
                parameters: item.parameters.clone(),
            })
        });
        items.collect()
    }

    fn kind(&self) -> Result<Option<&'a str>> {
        let field = format!("{}.payment_type", self.path);
        self.kind.map(|kind| filled(&field, kind.as_str())).transpose()
    }

    /// Named in exactly one way: with two, one of two people would be paid.
    fn beneficiary(&self, nested: bool) -> Result<wire::BeneficiaryFields<'a>> {
        let Some(found) = self.beneficiary else { return Ok(wire::BeneficiaryFields::default()) };
        let field = |name: &str| format!("{}.beneficiary{name}", self.path);
        let (id, email, phone) = (found.wallet, found.email.as_deref(), found.phone.as_deref());
        match (id, email, phone) {
            (Some(number), None, None) if number <= 0 => {
                return Err(Error::invalid_request(field(".wallet"), "must be above zero"));
            }
            (None, Some(email), None) if !looks_like_email(email) => {
                return Err(Error::invalid_request(field(".email"), "must be an e-mail address"));
            }
            (None, None, Some(phone)) if !looks_like_phone(phone) => {
                let message = "must be digits alone, the country's code first, without + or 00";
                return Err(Error::invalid_request(field(".phone"), message));
            }
            (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => {}
            _ => {
                let message = "must be named in one way: by wallet, email or phone";
                return Err(Error::invalid_request(field(""), message));
            }
        }
        if nested {
            let beneficiary = Some(wire::BeneficiaryObject { id, email, phone });
            return Ok(wire::BeneficiaryFields { beneficiary, ..Default::default() });
        }
        Ok(wire::BeneficiaryFields { beneficiary_id: id, email, phone, beneficiary: None })
    }

    /// Fees in the currency of the price; what is taken from the beneficiary cannot be more than
    /// there is.
    fn commission(
        &self,
        config: &WalletConfig,
        price: Money,
    ) -> Result<Option<wire::NewCommission>> {
        let Some(commission) = self.commission else { return Ok(None) };
        let field = |name: &str| format!("{}.commission.{name}", self.path);
        for (name, fee) in [
            ("in_commission", commission.in_commission),
            ("out_commission", commission.out_commission),
        ] {
            if fee.is_some_and(|fee| fee.currency() != price.currency()) {
                return Err(Error::invalid_request(field(name), "must be of the price's currency"));
            }
        }
        if commission.in_commission.is_some_and(|fee| fee > price) {
            let message = "must not be more than the price";
            return Err(Error::invalid_request(field("in_commission"), message));
        }
        let is_fee = |fee: Money| !fee.is_zero();
        let in_price = config.commission_in_price && commission.out_commission.is_some_and(is_fee);
        if in_price && !self.items.is_empty() {
            let message =
                "must be in the price for this account, and items make that by themselves";
            return Err(Error::invalid_request(field("out_commission"), message));
        }
        let (in_fee, in_decimal) = fee(&field("in_commission"), commission.in_commission)?;
        let (out_fee, out_decimal) = fee(&field("out_commission"), commission.out_commission)?;
        Ok(Some(wire::NewCommission {
            in_commission: in_fee,
            out_commission: out_fee,
            in_commission_decimal: in_decimal,
            out_commission_decimal: out_decimal,
        }))
    }
}

fn fee(field: &str, fee: Option<Money>) -> Result<(Option<i64>, Option<String>)> {
    match fee {
        // No fee is a figure, too.
        Some(fee) if fee.is_zero() && fee.currency().exponent() == 2 => Ok((Some(0), None)),
        Some(fee) if fee.is_zero() => Ok((None, Some(fee.to_decimal()))),
        Some(fee) => new_price(field, fee).map(|price| (price.price, price.price_decimal)),
        None => Ok((None, None)),
    }
}

/// With a split, every payment has these for itself.
fn refuse_fields_of_one(options: &WalletOptions) -> Result<()> {
    let set = [
        ("items", !options.items.is_empty()),
        ("beneficiary", options.beneficiary.is_some()),
        ("commission", options.commission.is_some()),
        ("payment_type", options.payment_type.is_some()),
        ("parameters", !options.parameters.is_empty()),
    ];
    match set.into_iter().find(|(_, set)| *set) {
        Some((name, _)) => {
            let message = "must be set on each payment of the split";
            Err(Error::invalid_request(format!("options.wallet.{name}"), message))
        }
        None => Ok(()),
    }
}

/// Are they one beneficiary, as far as both name one in the same way?
fn is_alike(asked: &Beneficiary, shown: &Beneficiary) -> bool {
    let digits = |phone: &str| phone.trim_start_matches(['+', '0']).to_owned();
    let pairs = [
        (asked.wallet.map(|id| id.to_string()), shown.wallet.map(|id| id.to_string())),
        (
            asked.email.as_deref().map(str::to_lowercase),
            shown.email.as_deref().map(str::to_lowercase),
        ),
        (asked.phone.as_deref().map(digits), shown.phone.as_deref().map(digits)),
    ];
    pairs.into_iter().all(|(asked, shown)| asked.is_none() || shown.is_none() || asked == shown)
}

fn looks_like_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let sound = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    parts.is_some_and(|(name, host)| sound(name) && sound(host) && !host.contains('@'))
}

fn looks_like_phone(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (6..=15).contains(&text.len()) && !text.starts_with('0')
}
