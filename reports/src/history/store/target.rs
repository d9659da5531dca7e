//! Where a history is: a file of SQLite, or a PostgreSQL server, and how the way to a server is protected.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use postgres::config::{Host, SslMode};

use super::error::StoreError;

/// How long a server may take to answer at first.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a history is. Shown without its password.
#[derive(Clone)]
pub enum Target {
    /// A file of SQLite.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Box<Server>),
}

/// A PostgreSQL server, its database, and the way to it.
#[derive(Clone)]
pub struct Server {
    pub(super) config: postgres::Config,
    pub(super) way: Way,
}

/// How the way to a server is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// As it is.
    Plain,
    /// TLS, with a certificate of the server that someone vouches for and that names it.
    Checked {
        /// Who vouches: the certificates in this file; those that the system trusts when absent.
        roots: Option<PathBuf>,
    },
}

impl FromStr for Target {
    type Err = StoreError;

    /// Reads a path, or a URL that begins with `postgres://` or `postgresql://`.
    fn from_str(text: &str) -> Result<Target, StoreError> {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("postgres://") || lower.starts_with("postgresql://") {
            return server(text).map(|server| Target::Server(Box::new(server)));
        }
        if let Some((scheme, _)) = lower.split_once("://") {
            return Err(refused(format!(
                "a history of {scheme:?} is not known: name a file, or a PostgreSQL server as postgres://USER@HOST/DATABASE"
            )));
        }
        if text.is_empty() {
            return Err(refused("the name of the history is empty: name a file or a PostgreSQL server"));
        }
        Ok(Target::File(PathBuf::from(text)))
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Target {
        Target::File(path.to_owned())
    }
}

fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Target(why.into())
}

/// What the client says of a URL that it cannot read may hold a part of the password, so it is not repeated.
const UNREADABLE: &str = "the PostgreSQL URL of the history cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for @, %2F for / and %3F for ? in names, passwords and options";

fn server(url: &str) -> Result<Server, StoreError> {
    // A password may have a `?` in it, and the client takes it for one.
    let host = url.find('@').unwrap_or_default();
    let (address, options) = match url[host..].find('?') {
        Some(at) => (&url[..host + at], &url[host + at + 1..]),
        None => (url, ""),
    };
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
            _ => others.push(option),
        }
    }
    let plain_url = format!("{address}?{}", others.join("&"));
    // As with an `@` among the options, behind which all of them would be overlooked.
    if ["sslmode=", "sslrootcert="].iter().any(|name| plain_url.contains(name)) {
        return Err(refused(UNREADABLE));
    }
    let mut config: postgres::Config =
        plain_url.trim_end_matches('?').parse().map_err(|_| refused(UNREADABLE))?;
    if config.get_hosts().is_empty() {
        return Err(refused(UNREADABLE));
    }
    let way = way(&config, mode, roots)?;
    let tls = if way == Way::Plain { SslMode::Disable } else { SslMode::Require };
    config.ssl_mode(tls).connect_timeout(CONNECT_TIMEOUT).application_name("highwater");
    Ok(Server { config, way })
}

/// Never one that could become plain text unseen: what may do so in PostgreSQL's own clients is refused here.
fn way(config: &postgres::Config, mode: Option<&str>, roots: Option<PathBuf>) -> Result<Way, StoreError> {
    match mode {
        Some("disable") => Ok(Way::Plain),
        // What does not leave the machine needs no protection.
        None if is_local(config) => Ok(Way::Plain),
        Some("require" | "verify-ca" | "verify-full") if is_socket(config) => Err(refused(
            "sslmode of the history's URL: PostgreSQL has no TLS on a Unix socket; leave sslmode out",
        )),
        None | Some("require" | "verify-ca" | "verify-full") => Ok(Way::Checked { roots }),
        Some("allow" | "prefer") => Err(refused(
            "sslmode=allow and sslmode=prefer of the history's URL may send everything as plain text without a word: write sslmode=verify-full, or sslmode=disable for a network that you trust",
        )),
        Some(_) => Err(refused(
            "sslmode of the history's URL is none that is known: write verify-full, or disable for a network that you trust",
        )),
    }
}

fn is_socket(config: &postgres::Config) -> bool {
    config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)))
}

fn is_local(config: &postgres::Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    // An address that is given besides the name is where the way really leads.
    named && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

/// A value of a URL's option, with what stands for special characters turned back.
fn decoded(value: &str) -> Result<PathBuf, StoreError> {
    let text = percent_encoding::percent_decode_str(value).decode_utf8().map_err(|_| refused(UNREADABLE))?;
    Ok(PathBuf::from(text.as_ref()))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File(path) => write!(f, "{}", path.display()),
            Target::Server(server) => write!(f, "{server:?}"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        let ports: Vec<String> = self.config.get_ports().iter().map(|port| format!(":{port}")).collect();
        let user = self.config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let database = self.config.get_dbname().map(|name| format!("/{name}")).unwrap_or_default();
        write!(f, "postgres://{user}{}{}{database}", hosts.join(","), ports.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_of(url: &str) -> Result<Way, String> {
        match url.parse::<Target>().map_err(|error| error.to_string())? {
            Target::Server(server) => Ok(server.way),
            Target::File(_) => panic!("{url} is no file"),
        }
    }

    #[test]
    fn a_name_without_a_scheme_is_a_file() {
        for name in [".highwater/history.db", "postgres.db", "C:\\history.db"] {
            assert!(matches!(name.parse(), Ok(Target::File(path)) if path == Path::new(name)));
        }
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_that_is_ruled_out() {
        let checked = Ok(Way::Checked { roots: None });
        assert_eq!(way_of("postgres://u:p@db.example/x"), checked);
        assert_eq!(way_of("postgresql://u:p@db.example/x?sslmode=require"), checked);
        assert_eq!(way_of("postgres://localhost/x?sslmode=verify-full"), checked);
        assert_eq!(way_of("postgres://localhost,db.example/x"), checked);
        assert_eq!(way_of("postgres://u:p@db.example/x?sslmode=disable"), Ok(Way::Plain));
        assert_eq!(way_of("postgres://u@[::1]:5433/x"), Ok(Way::Plain));
        assert_eq!(way_of("postgres://%2Fvar%2Frun%2Fpostgresql/x"), Ok(Way::Plain));
        assert_eq!(way_of("postgres://localhost/x?hostaddr=10.0.0.1"), checked);
        let roots = Some(PathBuf::from("/etc/our ca.pem"));
        assert_eq!(way_of("postgres://db/x?sslrootcert=/etc/our%20ca.pem"), Ok(Way::Checked { roots }));
    }

    #[test]
    fn modes_that_may_fall_back_to_plain_text_are_refused() {
        for mode in ["prefer", "allow", "maybe", ""] {
            let said = way_of(&format!("postgres://db.example/x?sslmode={mode}")).unwrap_err();
            assert!(said.contains("sslmode") && said.contains("verify-full"), "{said}");
        }
        for hidden in ["?user=me@corp&sslmode=verify-full", "?sslmode=verify-full&user=me@corp"] {
            let said = way_of(&format!("postgres://localhost/x{hidden}")).unwrap_err();
            assert!(said.contains("%40 for @"), "{said}");
        }
        let said = way_of("postgres://%2Frun/x?sslmode=verify-full").unwrap_err();
        assert!(said.contains("no TLS on a Unix socket"), "{said}");
    }

    #[test]
    fn a_password_is_in_no_text() {
        let target: Target = "postgres://ada:s3cret@db.example:5433/history".parse().unwrap();
        assert_eq!(target.to_string(), "postgres://ada@db.example:5433/history");
        assert_eq!(format!("{target:?}"), "postgres://ada@db.example:5433/history");
        let target: Target = "postgres://ada:s3cret?s3cret@db/x?sslmode=disable".parse().unwrap();
        assert_eq!(target.to_string(), "postgres://ada@db:5432/x");
        for broken in [
            "postgres://ada:s3cret/s3cret@db:x/x",
            "postgres://ada:s3cret@",
            "postgres://ada:s3cret@db/x?sslmode=s3cret",
            "postgres://ada:s3cret@db/x?s3cret=1",
        ] {
            let said = broken.parse::<Target>().unwrap_err();
            assert!(!format!("{said} {said:?}").contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn another_scheme_is_refused() {
        let said = "mysql://u:s3cret@db/x".parse::<Target>().unwrap_err().to_string();
        assert!(
            said.starts_with("a history of \"mysql\" is not known") && !said.contains("s3cret"),
            "{said}"
        );
    }
}
