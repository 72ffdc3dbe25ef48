//! Where the database is, and how it is used.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use paymux_core::SecretString;
use secrecy::ExposeSecret;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

use super::fault::Fault;
use crate::store::{StoreErrorKind, StoreResult};

/// The tenant of a store that was not told another.
const MAIN_TENANT: &str = "main";
/// The schema of a store that was not told another.
const SCHEMA: &str = "paymux";
/// More than this bought nothing where it was measured.
const CONNECTIONS: usize = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After this long without a sign of life a connection is given up, and a commit is unknown.
const SILENCE: Duration = Duration::from_secs(30);
/// Longer than the server works on any statement of ours before it refuses it itself.
const ANSWER: Duration = Duration::from_secs(35);
/// The longest name of a schema that PostgreSQL keeps whole.
const MAX_NAME_LEN: usize = 63;
/// Keys begin with the tenant, and an index takes rows of up to some 2,700 bytes.
const MAX_TENANT_LEN: usize = 255;

/// How the connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostgresTls {
    /// TLS; the server's certificate must be good for its host by the platform's roots.
    Verified,
    /// TLS; the server's certificate must be good for its host by the roots in this PEM file: what
    /// a cloud's database or a company's own authority needs.
    VerifiedBy(PathBuf),
    /// None. Whoever is on the way can read and change payments.
    Plain,
}

/// Where payments are kept, and how the store uses the database. `Debug` shows no secret.
#[derive(Clone)]
#[must_use]
pub struct PostgresSettings {
    server: Config,
    tls: Option<PostgresTls>,
    pub(super) tenant: String,
    pub(super) schema: String,
    pub(super) connections: usize,
    pub(super) commit_timeout: Duration,
    pub(super) answer_timeout: Duration,
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("hosts", &self.server.get_hosts())
            .field("ports", &self.server.get_ports())
            .field("database", &self.server.get_dbname())
            .field("user", &self.server.get_user())
            .field("tls", &self.tls)
            .field("tenant", &self.tenant)
            .field("schema", &self.schema)
            .field("connections", &self.connections)
            .field("commit_timeout", &self.commit_timeout)
            .field("answer_timeout", &self.answer_timeout)
            .finish_non_exhaustive()
    }
}

impl PostgresSettings {
    /// The database of this name on this host, as this user. A host that begins with a slash is
    /// the folder of a Unix socket.
    pub fn new(
        host: impl Into<String>,
        database: impl Into<String>,
        user: impl Into<String>,
    ) -> Self {
        let mut server = Config::new();
        server.host(host).dbname(database).user(user);
        Self::of(server)
    }

    /// The database that a connection string names: `postgres://user:password@host/database`, or
    /// `host=… dbname=… user=…`. Several hosts are tried in order until one takes writes.
    ///
    /// # Errors
    /// `Configuration` when the string cannot be read. It is not quoted.
    pub fn from_url(url: &SecretString) -> StoreResult<Self> {
        let server = Config::from_str(url.expose_secret())
            .map_err(|_| refused("the connection string of the PostgreSQL store cannot be read"))?;
        Ok(Self::of(server))
    }

    fn of(server: Config) -> Self {
        Self {
            server,
            tls: None,
            tenant: MAIN_TENANT.to_owned(),
            schema: SCHEMA.to_owned(),
            connections: CONNECTIONS,
            commit_timeout: SILENCE,
            answer_timeout: ANSWER,
        }
    }

    /// Sets the port; 5432 unless set.
    pub fn port(mut self, port: u16) -> Self {
        self.server.port(port);
        self
    }

    /// Sets the password.
    pub fn password(mut self, password: &SecretString) -> Self {
        self.server.password(password.expose_secret());
        self
    }

    /// Sets how the connection is protected. Unless set, it is [`PostgresTls::Verified`], and
    /// [`PostgresTls::Plain`] where every host is a Unix socket or this machine's loopback.
    pub fn tls(mut self, tls: PostgresTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the tenant whose payments this store sees; `main` unless set. Others in the same
    /// tables are never read or written.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Sets the schema that holds the tables; `paymux` unless set. It is made when it is missing.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets how many connections are opened at most; 16 unless set, at least 2. Half of them, and 8
    /// at most, are for changes alone. With 2, nothing can be read while deliveries wait for a
    /// server that does not answer their commits.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Sets how long the answer to a commit is waited for; 30 s unless set. After that it is
    /// `CommitUnknown`, and the connection is used no more, and closed once the server answers: with
    /// a synchronous standby that is gone, the server does not, and holds on to the connection
    /// itself.
    pub fn commit_timeout(mut self, limit: Duration) -> Self {
        self.commit_timeout = limit;
        self
    }

    /// Sets how long the answer to anything but a commit is waited for; 35 s unless set, which is
    /// longer than the server takes before it refuses. After that it is `Unavailable`, and the
    /// connection is closed: a server that froze, or a proxy in between, can take what is sent and
    /// never answer. A new connection is waited for no longer than this, and 15 s at most.
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.answer_timeout = limit;
        self
    }

    /// What to tell the driver, and how to protect it.
    pub(super) fn checked(&self) -> StoreResult<(Config, PostgresTls)> {
        if self.tenant.is_empty() || self.tenant.len() > MAX_TENANT_LEN {
            return Err(refused("the tenant must be 1 to 255 bytes long"));
        }
        // A plain name means the same to every tool that is pointed at it, and holds no quote.
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let named = self.schema.as_bytes().first().is_some_and(|first| !first.is_ascii_digit())
            && self.schema.bytes().all(plain)
            && self.schema.len() <= MAX_NAME_LEN;
        if !named {
            return Err(refused("the schema must be named by a-z, 0-9 and _, not a digit first"));
        }
        if self.connections < 2 {
            return Err(refused("the store needs at least 2 connections"));
        }
        if self.commit_timeout.is_zero() || self.answer_timeout.is_zero() {
            return Err(refused("the store must wait for an answer: no timeout may be zero"));
        }
        let local = is_local(&self.server);
        let off = self.server.get_ssl_mode() == SslMode::Disable;
        let tls = match &self.tls {
            Some(tls) => tls.clone(),
            None if local => PostgresTls::Plain,
            None if off => {
                return Err(refused(
                    "the connection string turns TLS off towards another machine: say \
                     PostgresTls::Plain if that is meant",
                ));
            }
            None => PostgresTls::Verified,
        };
        let mut server = self.server.clone();
        let mode = if tls == PostgresTls::Plain { SslMode::Disable } else { SslMode::Require };
        server.ssl_mode(mode).target_session_attrs(TargetSessionAttrs::ReadWrite);
        if server.get_connect_timeout().is_none() {
            server.connect_timeout(CONNECT_TIMEOUT);
        }
        if server.get_tcp_user_timeout().is_none() {
            server.tcp_user_timeout(SILENCE);
        }
        if server.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            server.keepalives_idle(SILENCE);
        }
        if server.get_application_name().is_none() {
            server.application_name("paymux");
        }
        Ok((server, tls))
    }
}

fn refused(message: &str) -> crate::store::StoreError {
    Fault::new(StoreErrorKind::Configuration, message).into()
}

/// Does every connection stay on this machine?
fn is_local(server: &Config) -> bool {
    let addresses = server.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(std::net::IpAddr::is_loopback);
    }
    server.get_hosts().iter().all(|host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PostgresSettings, PostgresTls};
    use crate::store::StoreErrorKind;

    fn protection(url: &str) -> Result<PostgresTls, StoreErrorKind> {
        let settings = PostgresSettings::from_url(&url.into()).map_err(|error| error.kind())?;
        settings.checked().map(|(_, tls)| tls).map_err(|error| error.kind())
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_plain() {
        for url in [
            "postgres://paymux@localhost/paymux",
            "postgres://paymux@127.0.0.1:5433/paymux",
            "postgres://paymux@[::1]/paymux",
            "host=/var/run/postgresql dbname=paymux user=paymux",
        ] {
            assert_eq!(protection(url), Ok(PostgresTls::Plain), "{url}");
        }
        for url in [
            "postgres://paymux@db.example/paymux",
            "postgres://paymux@localhost,db.example/paymux",
            "postgres://paymux@10.0.0.1/paymux?sslmode=prefer",
            "host=localhost hostaddr=10.0.0.1 dbname=paymux user=paymux",
        ] {
            assert_eq!(protection(url), Ok(PostgresTls::Verified), "{url}");
        }
    }

    #[test]
    fn turning_protection_off_must_be_said_in_code() {
        let url = "postgres://paymux@db.example/paymux?sslmode=disable";
        assert_eq!(protection(url), Err(StoreErrorKind::Configuration));
        let said = PostgresSettings::from_url(&url.into()).unwrap().tls(PostgresTls::Plain);
        assert_eq!(said.checked().unwrap().1, PostgresTls::Plain);
    }

    #[test]
    fn no_secret_is_shown() {
        let settings = PostgresSettings::from_url(&"postgres://u:hunter2@localhost/d".into());
        let settings = settings.unwrap().password(&"hunter3".into());
        assert!(!format!("{settings:?}").contains("hunter"), "{settings:?}");
        let unreadable = PostgresSettings::from_url(&"postgres://u:hunter2@[/d".into());
        assert!(!format!("{:?}", unreadable.unwrap_err()).contains("hunter"));
    }

    #[test]
    fn what_the_connection_string_says_of_silence_holds() {
        let told = |url: &str| {
            let settings = PostgresSettings::from_url(&url.into()).unwrap();
            let (server, _) = settings.checked().unwrap();
            (server.get_tcp_user_timeout().copied(), server.get_keepalives_idle())
        };
        let seconds = Duration::from_secs;
        assert_eq!(told("postgres://u@localhost/d"), (Some(seconds(30)), seconds(30)));
        let url = "postgres://u@localhost/d?keepalives_idle=7";
        assert_eq!(told(url), (Some(seconds(30)), seconds(7)));
        let url = "postgres://u@localhost/d?tcp_user_timeout=9";
        assert_eq!(told(url), (Some(seconds(9)), seconds(30)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let settings = || PostgresSettings::new("localhost", "d", "u");
        for wrong in [
            settings().schema("pay mux"),
            settings().schema("1st"),
            settings().schema(""),
            settings().schema("\"; DROP TABLE payments; --"),
            settings().tenant(""),
            settings().tenant("x".repeat(256)),
            settings().connections(1),
            settings().commit_timeout(Duration::ZERO),
            settings().answer_timeout(Duration::ZERO),
        ] {
            assert_eq!(wrong.checked().unwrap_err().kind(), StoreErrorKind::Configuration);
        }
    }
}
