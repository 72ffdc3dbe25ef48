//! What the shop has told, and the payers who act on it; and which process takes webhooks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use fastrand::Rng;
use paymux::{Currency, Money};
use paymux_endurance::{BILLS, Bill, GAMES, HELD_GAMES, INVOICES, Order, Script, Told, WALLET};
use paymux_orchestrator::PaymentId;
use paymux_sandbox::{
    Sandbox, SandboxError,
    toffeepay::{Decline, Method, Payer},
};
use tokio::sync::watch;
use url::Url;

/// The shop's counter as the world outside sees it.
pub(crate) struct Counter {
    sandbox: Sandbox,
    orders: Vec<Order>,
    bills: BTreeMap<u32, Bill>,
    /// What the payers had at first, in cents.
    funds: [(&'static str, i128); 2],
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    dice: Rng,
    doors: BTreeMap<u32, u16>,
    taken: BTreeMap<u32, PaymentId>,
    shown: BTreeSet<(String, String)>,
    finished: BTreeSet<u32>,
    wrong: Vec<String>,
}

impl Counter {
    pub(crate) fn new(sandbox: Sandbox, orders: Vec<Order>, seed: u64) -> Self {
        let bills = orders.iter().filter(|order| order.first == BILLS);
        let bills = bills.map(|order| (order.number, bill(&sandbox, order))).collect();
        let state = State {
            dice: Rng::with_seed(seed),
            doors: BTreeMap::new(),
            taken: BTreeMap::new(),
            shown: BTreeSet::new(),
            finished: BTreeSet::new(),
            wrong: Vec::new(),
        };
        let (funds, changed) = (funds(&sandbox), watch::Sender::new(()));
        Self { sandbox, orders, bills, funds, state: Mutex::new(state), changed }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(crate) fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The bills of those orders that pay one.
    pub(crate) fn bills(&self) -> &BTreeMap<u32, Bill> {
        &self.bills
    }

    /// What the shop was given for each order.
    pub(crate) fn taken(&self) -> BTreeMap<u32, PaymentId> {
        self.state().taken.clone()
    }

    /// By how much less payers have now in their accounts at providers, in cents.
    pub(crate) fn gone(&self) -> impl Iterator<Item = (&'static str, i128)> {
        let left = funds(&self.sandbox);
        self.funds.into_iter().zip(left).map(|((account, had), (_, has))| (account, had - has))
    }

    /// How many payments were shown to payers.
    pub(crate) fn shown(&self) -> usize {
        self.state().shown.len()
    }

    /// How many orders the shop was given a payment for, and how many it is through with.
    pub(crate) fn progress(&self) -> (usize, usize) {
        let state = self.state();
        (state.taken.len(), state.finished.len())
    }

    /// Tells when something was told.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What must not have been.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }

    pub(crate) fn note(&self, wrong: String) {
        self.state().wrong.push(wrong);
        self.changed.send_replace(());
    }

    /// A process, or the shop in it, tells something.
    pub(crate) fn hear(&self, process: u32, told: Told) {
        match told {
            Told::Ready(port) => self.door_opened(process, port),
            Told::Taken { order, payment } => {
                let mut state = self.state();
                let known = state.taken.entry(order).or_insert_with(|| payment.clone());
                if *known != payment {
                    let wrong = format!("order {order} is {known}, and now {payment}");
                    state.wrong.push(wrong);
                }
            }
            Told::Shown { order, account, id } => {
                let new = self.state().shown.insert((account.clone(), id.clone()));
                if new && let Err(error) = self.act(order, &account, &id) {
                    // What is over cannot be paid any more; nobody is harmed by trying.
                    let refused = matches!(error, SandboxError::Refused(_));
                    if !refused {
                        self.note(format!("order {order}, {account} {id}: {error}"));
                    }
                }
            }
            Told::Finished(order) => {
                self.state().finished.insert(order);
            }
            Told::Wrong(wrong) => self.state().wrong.push(wrong),
        }
        self.changed.send_replace(());
    }

    /// The payer does what the order's script says, at every way to pay that was shown.
    fn act(&self, order: u32, account: &str, id: &str) -> Result<(), SandboxError> {
        let script = self.orders[usize::try_from(order).unwrap()].script;
        if script == Script::Leave {
            return Ok(());
        }
        let (games, invoices) = (self.sandbox.toffeepay(), self.sandbox.milkypay());
        let wallet = self.sandbox.wallet();
        let declined = script == Script::PayAfterDecline;
        match account {
            GAMES | HELD_GAMES => {
                if declined {
                    games.decline(id, Decline::InsufficientFunds)?;
                }
                games.pay(id, Payer::new(Method::Card)).map(drop)
            }
            INVOICES => {
                if declined {
                    invoices.decline(id, "insufficient_funds")?;
                }
                invoices.pay(id)
            }
            BILLS if declined => self.sandbox.ramp().decline_checkout(id).map(drop),
            BILLS => self.sandbox.ramp().pay_checkout(id).map(drop),
            WALLET if declined => wallet.reject(id),
            WALLET => wallet.accept(id, wallet.usual_payer()),
            _ => panic!("{account} has no payers"),
        }
    }

    /// A process takes webhooks from now on.
    pub(crate) fn door_opened(&self, process: u32, port: u16) {
        self.state().doors.insert(process, port);
        self.choose_door();
    }

    /// A process is gone, or sleeps. Gives the port that it had.
    pub(crate) fn door_closed(&self, process: u32) -> Option<u16> {
        let port = self.state().doors.remove(&process);
        self.choose_door();
        port
    }

    /// Webhooks go to one of the processes that are there, as a load balancer does it; while there
    /// is none, they go where the last one was.
    pub(crate) fn choose_door(&self) {
        let mut state = self.state();
        let ports: Vec<u16> = state.doors.values().copied().collect();
        let Some(port) = state.dice.choice(ports) else { return };
        drop(state);
        let url = |account: &str| -> Option<Url> {
            format!("http://127.0.0.1:{port}/webhooks/{account}").parse().ok()
        };
        let sandbox = &self.sandbox;
        sandbox.toffeepay().set_webhook_url(url(GAMES)).expect("it is on loopback");
        sandbox.milkypay().set_callback_url(url(INVOICES)).expect("it is on loopback");
        sandbox.wallet().set_callback_url(url(WALLET)).expect("it is on loopback");
        let bills = |endpoint: &str| url(&format!("{BILLS}/{endpoint}"));
        let (platform, external) = (bills("platform"), bills("external"));
        sandbox.ramp().set_webhook_urls(platform, external).expect("it is on loopback");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// What the payers have in their accounts at providers, in cents.
fn funds(sandbox: &Sandbox) -> [(&'static str, i128); 2] {
    let (wallet, ramp) = (sandbox.wallet(), sandbox.ramp());
    let (at_disposal, reserved) = wallet.balance(wallet.usual_payer(), "EUR");
    let account = ramp.usual_account("EUR").expect("the payer has one");
    let balance = ramp.balance(&account).expect("it is there");
    let balance = Money::parse(&balance, Currency::EUR).expect("euros");
    [(WALLET, (at_disposal + reserved).into()), (BILLS, balance.minor())]
}

/// What an order pays at the provider where bills come about.
fn bill(sandbox: &Sandbox, order: &Order) -> Bill {
    let ramp = sandbox.ramp();
    let amount = format!("{}.{:02}", order.cents / 100, order.cents % 100);
    Bill {
        invoice: ramp.add_invoice(&amount, "EUR").expect("euros are known"),
        user: ramp.usual_user().to_owned(),
        account: ramp.usual_account("EUR").expect("the payer has one"),
    }
}
