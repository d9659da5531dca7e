//! `highwater serve`: the session-list service over a home, by hand.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use scenarios::listing::serve::{self, Said, Serve};

use crate::{args, show, stop};

/// The environment variable with a token of one's own.
const TOKEN: &str = "HIGHWATER_TOKEN";

/// Serves until Ctrl-C.
pub(crate) fn serve(args: &args::Serve) -> Result<i32> {
    let home = match &args.home {
        Some(home) => home.clone(),
        None => std::env::home_dir().context("there is no home directory; name one with --home DIR")?,
    };
    if !home.is_dir() {
        bail!("{} is not a directory; --home takes a home directory", home.display());
    }
    let strategy = serve::strategy(&args.strategy).with_context(|| {
        format!("--strategy {}: `highwater list strategies` names those of the family listing", args.strategy)
    })?;
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    if token.as_deref().is_some_and(|token| !is_token(token)) {
        bail!("{TOKEN} has at least 16 letters, digits, - and _");
    }
    let token = token.unwrap_or_else(serve::new_token);
    check_address(args)?;
    let index = if args.no_index { None } else { args.index.clone().or_else(|| default_index(&home)) };
    if let Some(directory) = index.as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(directory).with_context(|| {
            format!("failed to make {} for the index (--index FILE, or --no-index)", directory.display())
        })?;
    }
    let wanted = Serve { home, address: args.address, others: args.others, strategy, index };
    let stop = stop::listen()?;
    let mut say = |said: Said| match said {
        Said::Listening(address) => {
            show::result(&format!("http://{address}/api/sessions\ntoken {token}"));
        }
        Said::News(news) => show::note(&news),
    };
    if args.supervise {
        serve::supervised(&wanted, &token, stop, &mut say).map_err(anyhow::Error::msg)?;
    } else {
        serve::alone(&wanted, token.clone(), stop, &mut say).map_err(anyhow::Error::msg)?;
    }
    Ok(0)
}

/// Whether a text can be a token: hard to guess, and a WebSocket can tell it.
fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() >= 16 && text.bytes().all(plain)
}

fn check_address(args: &args::Serve) -> Result<()> {
    let ip = args.address.ip();
    if !ip.is_loopback() && !args.others {
        bail!(
            "--address {}: other machines can reach it; take one of this machine's own, such as 127.0.0.1:{}, or say --others",
            args.address,
            args.address.port()
        );
    }
    if args.supervise && !ip.is_loopback() && !ip.is_unspecified() {
        bail!(
            "--supervise asks the service by a loopback address: take --address 0.0.0.0:{}",
            args.address.port()
        );
    }
    Ok(())
}

/// Where the index of a home is kept: in the user's cache, by the home's digest.
fn default_index(home: &Path) -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = from("XDG_CACHE_HOME")
        .or_else(|| from("LOCALAPPDATA"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?;
    Some(cache.join("highwater").join(scenarios::listing::index_name(home)))
}
