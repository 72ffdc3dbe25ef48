//! What is true at a provider, whoever heard of it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use paymux_core::{
    CaptureMethod, ConfirmStep, CreatePayment, CreateRefund, Currency, Money, PaymentStatus,
    ProviderPartId, ProviderPaymentId, Reference, RefundStatus, Timestamp,
};

mod fault;

pub(crate) use fault::{FAULTS, Fault};

/// What the references begin with of a payment at the same account that is none of ours.
pub(crate) const SOMEBODY_ELSE: &str = "somebody_else";

/// For how long a provider that takes keys remembers them.
pub(crate) const KEYS_LIVE: Duration = Duration::from_secs(24 * 3600);

/// How a provider behaves, and what it declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a page; remembers keys. Like ToffeePay.
    Page,
    /// May charge at once; refuses a reference it knows. Like MilkyPay.
    Invoice,
    /// Opens, then waits for two steps of ours that each happen only once. Like the wallet.
    Steps,
    /// Opens, then charges by a step that must never be sent twice, and takes its time. Like the
    /// ramp.
    Careless,
    /// Charges at once and remembers keys.
    Card,
    /// Holds at once, and takes only when asked to.
    Hold,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Page, Self::Invoice, Self::Steps, Self::Careless, Self::Card, Self::Hold];

    pub(crate) fn takes_keys(self) -> bool {
        matches!(self, Self::Page | Self::Card | Self::Hold)
    }
}

/// An object at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: ProviderPaymentId,
    pub(crate) reference: Reference,
    pub(crate) amount: Money,
    pub(crate) status: PaymentStatus,
    pub(crate) captured: i128,
    pub(crate) refunded: i128,
    /// What the payer got back by a dispute: this provider's refunds do not know of it.
    pub(crate) charged_back: i128,
    /// It says what went back also when that is nothing.
    pub(crate) says_refunded: bool,
    /// Some went back, and it does not say how much.
    pub(crate) given_back_unstated: bool,
    /// It says how much is held.
    pub(crate) says_held: bool,
    /// How often money was taken.
    pub(crate) charges: u32,
    pub(crate) manual: bool,
    pub(crate) step: Option<ConfirmStep>,
    /// A part of it, where a story says so.
    pub(crate) part: Option<ProviderPartId>,
    /// Every status it ever had.
    pub(crate) was: Vec<PaymentStatus>,
}

impl Object {
    pub(crate) fn become_(&mut self, status: PaymentStatus) {
        self.status = status;
        self.was.push(status);
    }

    /// The payer, or our consent, has it taken or held.
    pub(crate) fn take(&mut self) {
        if self.manual {
            self.become_(PaymentStatus::Authorized);
        } else {
            self.become_(PaymentStatus::Succeeded);
            self.charge(self.amount.minor());
        }
    }

    pub(crate) fn charge(&mut self, minor: i128) {
        self.captured += minor;
        self.charges += 1;
    }
}

/// A refund at the provider.
#[derive(Clone, Debug)]
pub(crate) struct RefundRow {
    pub(crate) id: String,
    pub(crate) reference: String,
    pub(crate) object: String,
    /// The payment that its answers name.
    pub(crate) names: String,
    pub(crate) amount: i128,
    pub(crate) status: RefundStatus,
}

/// Does a provider say how much it holds?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaysHeld {
    Yes,
    No,
}

/// Something that a webhook tells.
#[derive(Clone, Debug)]
pub(crate) enum Telling {
    /// The object as it was at that moment.
    Object(Box<Object>),
    /// A refund changed.
    Refund(String),
    /// Something that is no payment.
    Payout,
}

#[derive(Debug)]
pub(crate) struct Truth {
    /// What its ids begin with: of no two accounts the same, unless a story is about that.
    pub(crate) name: String,
    kind: Kind,
    pub(crate) objects: BTreeMap<String, Object>,
    /// What was made with a key, and when.
    keys: BTreeMap<String, (String, Timestamp)>,
    /// Keys whose request was refused: that is the outcome of all that come with them.
    refused: BTreeMap<String, Timestamp>,
    pub(crate) refunds: Vec<RefundRow>,
    /// How often it was called with each key.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Creates that act when the provider is called next, if that is soon, and when they left.
    pub(crate) late: Vec<(CreatePayment, Timestamp)>,
    /// What webhooks tell, in the order in which it happened.
    pub(crate) tellings: Vec<Telling>,
    /// Which of it was told to us at least once.
    pub(crate) told: BTreeSet<usize>,
    /// Faults of the next calls, the first first.
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) down: bool,
    /// What is left of a hold after a part was taken stays held, and this says how much.
    pub(crate) keeps_holds: Option<SaysHeld>,
    /// References that look-ups do not see yet.
    pub(crate) unseen: BTreeSet<String>,
    /// Do its events name our references, where its answers do not?
    pub(crate) names_in_events: bool,
    /// What refunds name that are made now, where that is another payment.
    pub(crate) refunds_name: Option<String>,
    /// How often it was asked for something.
    pub(crate) looks: u32,
    next: u32,
}

impl Truth {
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            objects: BTreeMap::new(),
            keys: BTreeMap::new(),
            refused: BTreeMap::new(),
            refunds: Vec::new(),
            calls: BTreeMap::new(),
            late: Vec::new(),
            tellings: Vec::new(),
            told: BTreeSet::new(),
            faults: VecDeque::new(),
            down: false,
            keeps_holds: None,
            unseen: BTreeSet::new(),
            names_in_events: false,
            refunds_name: None,
            looks: 0,
            next: 0,
        }
    }

    fn made_with(&self, key: &str, now: Timestamp) -> Option<String> {
        let (id, since) = self.keys.get(key)?;
        (self.kind.takes_keys() && now.since(*since) < KEYS_LIVE).then(|| id.clone())
    }

    /// Refuses what comes with this key, now and later. `false` when it has led to something, and
    /// the provider remembers that.
    pub(crate) fn refuse(&mut self, key: &str, now: Timestamp) -> bool {
        let refuses = self.made_with(key, now).is_none();
        if refuses && self.kind.takes_keys() {
            self.refused.insert(key.to_owned(), now);
        }
        refuses
    }

    pub(crate) fn is_refused(&self, key: &str, now: Timestamp) -> bool {
        self.refused.get(key).is_some_and(|since| now.since(*since) < KEYS_LIVE)
    }

    pub(crate) fn create(&mut self, request: &CreatePayment, now: Timestamp) -> Object {
        let key = request.key.as_str().to_owned();
        let same =
            |object: &&Object| self.kind == Kind::Invoice && object.reference == request.reference;
        let known = self.made_with(&key, now).and_then(|id| self.objects.get(&id));
        if let Some(known) = known.or_else(|| self.objects.values().find(same)) {
            return known.clone();
        }
        self.next += 1;
        let id = format!("{}-obj{}", self.name, self.next);
        let (status, step) = match self.kind {
            Kind::Page | Kind::Invoice => (PaymentStatus::RequiresAction, None),
            Kind::Steps => (PaymentStatus::RequiresConfirmation, Some(ConfirmStep::Authorize)),
            Kind::Careless => (PaymentStatus::RequiresConfirmation, Some(ConfirmStep::Commit)),
            Kind::Card | Kind::Hold => (PaymentStatus::Processing, None),
        };
        let mut object = Object {
            id: ProviderPaymentId::new(id.clone()).expect("an id"),
            reference: request.reference.clone(),
            amount: request.amount,
            status,
            captured: 0,
            refunded: 0,
            charged_back: 0,
            says_refunded: false,
            given_back_unstated: false,
            says_held: self.keeps_holds != Some(SaysHeld::No),
            charges: 0,
            manual: request.capture == CaptureMethod::Manual,
            step,
            part: None,
            was: vec![status],
        };
        if matches!(self.kind, Kind::Card | Kind::Hold) {
            object.take();
        }
        self.keys.insert(key, (id, now));
        self.unseen.insert(request.reference.as_str().to_owned());
        self.put(object.clone());
        object
    }

    /// A payment that is none of ours, of which nothing is told.
    pub(crate) fn add_somebody_elses(&mut self) {
        let id = format!("{}-other", self.name);
        let other = Object {
            id: ProviderPaymentId::new(id.clone()).expect("an id"),
            reference: Reference::new(format!("{SOMEBODY_ELSE}-1")).expect("a reference"),
            amount: Money::new(77, Currency::iso("EUR").expect("a currency")).expect("money"),
            status: PaymentStatus::RequiresAction,
            captured: 0,
            refunded: 0,
            charged_back: 0,
            says_refunded: false,
            given_back_unstated: false,
            says_held: true,
            charges: 0,
            manual: false,
            step: None,
            part: None,
            was: vec![PaymentStatus::RequiresAction],
        };
        self.objects.insert(id, other);
    }

    /// Keeps an object as it is now, and has the webhooks tell of it.
    pub(crate) fn put(&mut self, object: Object) {
        self.tellings.push(Telling::Object(Box::new(object.clone())));
        self.objects.insert(object.id.as_str().to_owned(), object);
    }

    /// Our consent. `None` when the object does not wait for it. One kind does not look whether it
    /// had it before.
    pub(crate) fn confirm(&mut self, id: &str, step: ConfirmStep) -> Option<Object> {
        let mut object = self.objects.get(id)?.clone();
        if self.kind == Kind::Careless {
            object.step = None;
            object.become_(PaymentStatus::Processing);
            object.charge(object.amount.minor());
            self.put(object.clone());
            return Some(object);
        }
        if object.step != Some(step) {
            return None;
        }
        match step {
            ConfirmStep::Authorize => object.step = Some(ConfirmStep::Commit),
            ConfirmStep::Commit => {
                object.step = None;
                object.take();
            }
        }
        self.put(object.clone());
        Some(object)
    }

    pub(crate) fn capture(&mut self, id: &str, amount: Option<Money>) -> Option<Object> {
        let mut object = self.objects.get(id)?.clone();
        if object.status != PaymentStatus::Authorized {
            return None;
        }
        let left = object.amount.minor() - object.captured;
        let minor = amount.map_or(left, Money::minor);
        let rest = self.keeps_holds.is_some() && minor < left;
        if !rest {
            object.become_(PaymentStatus::Succeeded);
        }
        object.charge(minor);
        self.put(object.clone());
        Some(object)
    }

    pub(crate) fn cancel(&mut self, id: &str) -> Option<Object> {
        let mut object = self.objects.get(id)?.clone();
        // What is on its way cannot be called back.
        if object.status.is_final() || object.charges > 0 {
            return None;
        }
        object.become_(PaymentStatus::Cancelled);
        self.put(object.clone());
        Some(object)
    }

    pub(crate) fn refund(&mut self, request: &CreateRefund, now: Timestamp) -> Option<RefundRow> {
        let key = request.key.as_str().to_owned();
        if let Some(known) = self.made_with(&key, now) {
            return self.refunds.iter().find(|refund| refund.id == known).cloned();
        }
        let object = self.objects.get(request.payment.id.as_str())?;
        let waits = |refund: &&RefundRow| {
            refund.object == object.id.as_str() && refund.status == RefundStatus::Processing
        };
        let on_its_way: i128 = self.refunds.iter().filter(waits).map(|refund| refund.amount).sum();
        let left = object.captured - object.refunded - on_its_way;
        let amount = request.amount.map_or(left, Money::minor);
        if amount > left || amount == 0 {
            return None;
        }
        let refund = RefundRow {
            id: format!("{}-ref{}", self.name, self.refunds.len() + 1),
            reference: request.reference.as_str().to_owned(),
            object: object.id.as_str().to_owned(),
            names: self.refunds_name.clone().unwrap_or_else(|| object.id.to_string()),
            amount,
            status: RefundStatus::Processing,
        };
        self.keys.insert(key, (refund.id.clone(), now));
        self.refunds.push(refund);
        let slow = matches!(self.kind, Kind::Page | Kind::Invoice);
        let last = self.refunds.len() - 1;
        if !slow {
            self.finish_refund(last, RefundStatus::Succeeded);
        }
        self.refunds.last().cloned()
    }

    pub(crate) fn finish_refund(&mut self, place: usize, status: RefundStatus) {
        let refund = &mut self.refunds[place];
        if refund.status != RefundStatus::Processing {
            return;
        }
        refund.status = status;
        let (id, amount) = (refund.object.clone(), refund.amount);
        self.tellings.push(Telling::Refund(refund.id.clone()));
        if status == RefundStatus::Succeeded {
            let mut object = self.objects[&id].clone();
            object.refunded += amount;
            self.put(object);
        }
    }

    /// What was on its way arrives.
    pub(crate) fn finish(&mut self, fails: bool) {
        let on_its_way = |object: &&Object| object.status == PaymentStatus::Processing;
        let done: Vec<Object> = self.objects.values().filter(on_its_way).cloned().collect();
        for mut object in done {
            object.become_(PaymentStatus::Succeeded);
            self.put(object);
        }
        for place in 0..self.refunds.len() {
            let status = if fails { RefundStatus::Failed } else { RefundStatus::Succeeded };
            self.finish_refund(place, status);
        }
    }
}
