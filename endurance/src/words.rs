//! What the test and a process say to each other, a line of JSON each.

use std::{collections::BTreeMap, path::PathBuf};

use paymux_orchestrator::PaymentId;
use serde::{Deserialize, Serialize};

use crate::{Access, Bill, Pace};

/// Where payments are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Place {
    /// In this file.
    Sqlite(PathBuf),
    /// In this tenant of a server on this machine.
    Postgres {
        /// The folder of its socket.
        socket: String,
        /// What its socket is named by.
        port: u16,
        /// Whose payments.
        tenant: String,
    },
}

/// The first line that a process reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// What histories and leases call it.
    pub node: String,
    /// Which of the processes it is, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// Where payments are kept.
    pub place: Place,
    /// The accounts.
    pub access: Access,
    /// How fast time runs.
    pub pace: Pace,
    /// What the orders are made from.
    pub seed: u64,
    /// How many orders there are.
    pub orders: u32,
    /// The bills of those that pay one, by the order's number.
    pub bills: BTreeMap<u32, Bill>,
}

/// The lines after that. Their end ends the process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Word {
    /// So many of the orders have come in.
    Come(u32),
}

/// What a process, or the shop in it, tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Told {
    /// It takes webhooks at this port.
    Ready(u16),
    /// The shop was given this payment for an order: from now on it must never be lost.
    Taken {
        /// The order's number.
        order: u32,
        /// The payment.
        payment: PaymentId,
    },
    /// The shop shows the payer a way to pay.
    Shown {
        /// The order's number.
        order: u32,
        /// Where.
        account: String,
        /// The payment's id there.
        id: String,
    },
    /// The shop has nothing more to ask for.
    Finished(u32),
    /// Something that must not be.
    Wrong(String),
}
