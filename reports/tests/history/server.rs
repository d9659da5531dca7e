//! A PostgreSQL server of the test's own: its files in a folder that goes with it, its users those who can reach that folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set in continuous integration: no server is a failure then, and not a reason to pass the tests over.
const REQUIRED: &str = "HIGHWATER_REQUIRE_POSTGRES";

/// A server that runs until this is dropped.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    databases: std::cell::Cell<u32>,
}

impl Server {
    /// Starts a server; `None`, with the reason printed, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            let required = std::env::var_os(REQUIRED).is_some_and(|value| value == "1");
            assert!(!required, "{REQUIRED}=1, but PostgreSQL is not installed: apt-get install postgresql");
            println!("passed over: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        // Short, since the path of a socket may not be long.
        let folder = tempfile::Builder::new().prefix("hwpg").tempdir_in("/tmp").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { folder, programs, port, databases: 0.into() };
        server.certificates();
        if is_root() {
            // PostgreSQL refuses to run as root; its package has made a user for it.
            done(Command::new("chown").args(["-R", "postgres"]).arg(server.path("")));
        }
        let data = server.path("data");
        done(server.program("initdb").arg("-D").arg(&data).args(["-A", "trust", "-U", "hw", "--no-sync"]));
        // By network only with TLS, so that plain text is found out.
        let access = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        fs::write(data.join("pg_hba.conf"), access).unwrap();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={0} -c ssl=on \
             -c ssl_cert_file={0}/server.pem -c ssl_key_file={0}/server.key",
            server.path("").display()
        );
        let mut start = server.program("pg_ctl");
        start.arg("-D").arg(&data).arg("-l").arg(server.path("log")).args(["-w", "-o", &options, "start"]);
        done(&mut start);
        Some(server)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The URL of an empty database.
    pub(crate) fn database(&self) -> String {
        let number = self.databases.get();
        self.databases.set(number + 1);
        let mut client = postgres::Client::connect(&self.url("postgres"), postgres::NoTls).unwrap();
        // Whatever the locale of whoever runs the tests.
        let sql = format!("CREATE DATABASE d{number} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'");
        client.batch_execute(&sql).unwrap();
        self.url(&format!("d{number}"))
    }

    /// The URL of a database by the server's socket.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://hw@{folder}:{}/{database}", self.port)
    }

    /// The URL of a database by network.
    pub(crate) fn network_url(&self, database: &str, options: &str) -> String {
        format!("postgres://hw:s3cret@localhost:{}/{database}?hostaddr=127.0.0.1&{options}", self.port)
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        // Where it is may not be allowed to that user.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// A certificate for `localhost`, and that of who vouches for it; and one of somebody else.
    fn certificates(&self) {
        for name in ["ca", "other"] {
            let mut make = self.openssl(&["req", "-x509", "-nodes", "-days", "2"]);
            make.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
            done(make.args(["-subj", &format!("/CN={name}")]));
        }
        let mut ask = self.openssl(&["req", "-nodes", "-subj", "/CN=localhost"]);
        done(ask.args(["-keyout", "server.key", "-out", "server.csr"]));
        fs::write(self.path("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
        let mut sign = Command::new("openssl");
        sign.args(["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"]);
        sign.args(["-set_serial", "2", "-days", "2", "-extfile", "names", "-out", "server.pem"]);
        done(sign.current_dir(self.path("")));
        done(Command::new("chmod").arg("600").arg(self.path("server.key")));
    }

    fn openssl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        command.args(arguments).args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.current_dir(self.path(""));
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.path("data")).args(["-m", "immediate", "-w", "stop"]);
        done(&mut stop);
    }
}

fn done(command: &mut Command) {
    // The output goes to files: the server that is started would hold a pipe open.
    let log = tempfile::NamedTempFile::new().unwrap();
    command.stdout(log.reopen().unwrap()).stderr(log.reopen().unwrap());
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}\n{}", fs::read_to_string(log.path()).unwrap());
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Where the server's programs are: those of the newest version, as Debian puts them, or of `pg_ctl` on the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, path)| path.join("initdb").is_file())
        .collect();
    found.sort();
    let on_path = || {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).find(|folder: &PathBuf| Path::is_file(&folder.join("initdb")))
    };
    found.pop().map(|(_, path)| path).or_else(on_path)
}
