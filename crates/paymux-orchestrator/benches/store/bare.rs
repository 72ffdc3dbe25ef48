//! The bare driver: connections, each with the two statements of a payment.

use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::server::Server;

/// A connection with its two statements.
pub(crate) type Raw = (Client, Statement, Statement);

/// What is done by hand, as SQL.
pub(crate) struct Sql {
    pub(crate) table: &'static str,
    pub(crate) insert: &'static str,
    pub(crate) update: &'static str,
}

/// Makes the table, and so many connections to it.
pub(crate) async fn connect(server: &Server, connections: usize, sql: &Sql) -> Vec<Raw> {
    let mut raw = Vec::new();
    for number in 0..connections {
        let mut config = Config::new();
        config.host(&server.socket).port(server.port).user("paymux").dbname("paymux");
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        if number == 0 {
            client.batch_execute(sql.table).await.unwrap();
        }
        let insert = client.prepare(sql.insert).await.unwrap();
        let update = client.prepare(sql.update).await.unwrap();
        raw.push((client, insert, update));
    }
    raw
}
