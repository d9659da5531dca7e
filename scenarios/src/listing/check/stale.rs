//! Everything by which a list could say what is no longer so, and what it must not do twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::listing::Strategy;
use engine::listing::catalog::{Begun, Catalog};
use engine::listing::files::Root;
use engine::listing::row::{Page, Query, Row};
use engine::listing::serve::Times;
use engine::listing::strategy::Cache;
use engine::listing::write;

use super::super::bench::{Bench, listed, rest};
use super::super::client::Client;
use super::super::lists::append;
use super::super::service::{self, Service};
use super::{Check, unless_equal};

const TIME: &str = "2026-01-05T12:00:00.000Z";
/// Longer than anything may be remembered by time alone.
const TTL_MS: u64 = 31_000;
/// More summaries than may be held.
const MANY: usize = 20_001;

pub(super) const STALE: &[Check] = &[
    Check { name: "a second list reads files again", find: second },
    Check { name: "a new title is not shown", find: renamed },
    Check { name: "an append of another program is not shown, or reads more than one file", find: appended },
    Check { name: "a text of the same size is not shown", find: |strategy| rewritten(strategy, true) },
    Check {
        name: "a longer text with the old time is not shown",
        find: |strategy| rewritten(strategy, false),
    },
    Check { name: "two writes within one tick are taken for one", find: twice },
    Check { name: "a file renamed over another is not noticed", find: replaced },
    Check { name: "a file with the number of one that is gone is taken for it", find: reused },
    Check { name: "a deleted session is listed, or remembered", find: deleted },
    Check { name: "a file that another program removed is listed, or remembered", find: removed },
    Check { name: "a busy session keeps what is known of another's directory", find: directory },
    Check { name: "lists at the same time read a file twice", find: together },
    Check { name: "a list that began before a write is remembered after it", find: poisoned },
    Check { name: "pages are not parts of one order", find: pages },
    Check { name: "a project's list is that of all", find: projects },
    Check { name: "a file that could not be read is never read", find: unreadable },
    Check { name: "a torn line is not counted when it is whole", find: torn },
    Check { name: "more than 20,000 summaries are held, or busy ones are dropped", find: many },
    Check { name: "a list of one home has rows of another", find: scopes },
];

/// A home of a few sessions, and its catalog.
struct Home {
    path: PathBuf,
    bench: Bench,
}

impl Home {
    fn new(name: &str, strategy: Strategy, sessions: usize) -> Result<Home, String> {
        let path = Path::new("home").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|error| format!("failed to make {}: {error}", path.display()))?;
        let bench = Bench::new(&path, &strategy)?;
        let home = Home { path, bench };
        for number in 0..sessions {
            home.create(&format!("s{number}"))?;
        }
        rest();
        Ok(home)
    }

    fn root(&self) -> Root {
        Root::new(&self.path)
    }

    fn create(&self, id: &str) -> Result<(), String> {
        write::create(&self.root(), id, "/home/dev/project", TIME).map_err(in_words)
    }

    fn file(&self, id: &str) -> Result<PathBuf, String> {
        write::find(&self.root(), id).map_err(in_words)
    }

    /// Gives a session a title, as the service does.
    fn rename(&mut self, id: &str, title: &str) -> Result<(), String> {
        write::rename(&self.root(), id, title).map_err(in_words)?;
        self.bench.catalog.invalidate();
        Ok(())
    }

    /// A list; what is sent says the same.
    fn list(&mut self) -> Result<Page, String> {
        let query = Query::newest(1_000);
        let page = self.bench.page(&query);
        let text = self.bench.send(&query)?.0;
        let sent = listed(&text)?;
        let same = sent.sessions.len() == page.rows.len()
            && sent.sessions.iter().zip(&page.rows).all(|(sent, row)| {
                *sent.id == *row.id
                    && *sent.title == *row.summary.title
                    && sent.message_count == row.summary.messages
            });
        if same { Ok(page) } else { Err("what is sent is not what is listed".to_owned()) }
    }

    fn bodies(&self) -> u64 {
        self.bench.catalog.stats().bodies
    }

    fn row(&mut self, id: &str) -> Result<Row, String> {
        let page = self.list()?;
        page.rows.into_iter().find(|row| &*row.id == id).ok_or_else(|| format!("{id} is not listed"))
    }

    fn title(&mut self, id: &str) -> Result<String, String> {
        Ok(self.row(id)?.summary.title.to_string())
    }
}

type Found = Result<Option<String>, String>;

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn title_line(title: &str) -> String {
    format!("{{\"type\":\"custom-title\",\"customTitle\":\"{title}\"}}\n")
}

fn said(text: &str) -> String {
    format!("{{\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":\"{text}\"}}}}\n")
}

fn modified(file: &Path) -> Result<SystemTime, String> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).map_err(in_words)
}

fn set_modified(file: &Path, time: SystemTime) -> Result<(), String> {
    File::options().append(true).open(file).and_then(|file| file.set_modified(time)).map_err(in_words)
}

fn second(strategy: Strategy) -> Found {
    let mut home = Home::new("second", strategy, 10)?;
    home.list()?;
    let before = home.bodies();
    home.bench.pass(6_000);
    home.list()?;
    Ok(unless_equal("files that were opened", home.bodies() - before, 0))
}

fn renamed(strategy: Strategy) -> Found {
    let mut home = Home::new("renamed", strategy, 3)?;
    home.list()?;
    home.rename("s1", "New")?;
    Ok(unless_equal("the title", home.title("s1")?, "New".to_owned()))
}

fn appended(strategy: Strategy) -> Found {
    let mut home = Home::new("appended", strategy, 10)?;
    home.list()?;
    let before = home.bodies();
    append(&home.file("s4")?, said("more").as_bytes())?;
    let page = home.bench.page(&Query::newest(1_000));
    let opened = home.bodies() - before;
    let row = page.rows.iter().find(|row| &*row.id == "s4").ok_or("s4 is not listed")?;
    let count = row.summary.messages;
    Ok(unless_equal("messages", count, 1).or_else(|| unless_equal("files that were opened", opened, 1)))
}

/// Another text in the same file: of the same size at another time, or longer with the old time.
fn rewritten(strategy: Strategy, has_same_size: bool) -> Found {
    let mut home = Home::new(if has_same_size { "rewritten" } else { "rewritten-longer" }, strategy, 3)?;
    let file = home.file("s1")?;
    fs::write(&file, title_line("Old")).map_err(in_words)?;
    rest();
    home.list()?;
    let time = modified(&file)?;
    let title = if has_same_size { "New" } else { "Newer" };
    fs::write(&file, title_line(title)).map_err(in_words)?;
    set_modified(&file, if has_same_size { time + Duration::from_secs(2) } else { time })?;
    home.bench.pass(6_000);
    Ok(unless_equal("the title", home.title("s1")?, title.to_owned()))
}

fn twice(strategy: Strategy) -> Found {
    let mut home = Home::new("twice", strategy, 1)?;
    let file = home.file("s0")?;
    for round in 0..20 {
        for title in [format!("One {round:02}"), format!("Two {round:02}")] {
            fs::write(&file, title_line(&title)).map_err(in_words)?;
            set_modified(&file, UNIX_EPOCH + Duration::from_secs(1_700_000_000 + round))?;
            home.bench.pass(6_000);
            if let Some(how) = unless_equal("the title", home.title("s0")?, title) {
                return Ok(Some(how));
            }
        }
    }
    Ok(None)
}

fn replaced(strategy: Strategy) -> Found {
    let mut home = Home::new("replaced", strategy, 1)?;
    let (file, beside) = (home.file("s0")?, home.path.join("beside"));
    fs::write(&file, title_line("Old")).map_err(in_words)?;
    rest();
    home.list()?;
    fs::write(&beside, title_line("New")).map_err(in_words)?;
    set_modified(&beside, modified(&file)?)?;
    fs::rename(&beside, &file).map_err(in_words)?;
    home.bench.pass(6_000);
    Ok(unless_equal("the title", home.title("s0")?, "New".to_owned()))
}

fn reused(strategy: Strategy) -> Found {
    let mut home = Home::new("reused", strategy, 1)?;
    let file = home.file("s0")?;
    fs::write(&file, title_line("Old")).map_err(in_words)?;
    rest();
    home.list()?;
    let time = modified(&file)?;
    fs::remove_file(&file).map_err(in_words)?;
    fs::write(&file, title_line("New")).map_err(in_words)?;
    set_modified(&file, time)?;
    home.bench.pass(6_000);
    Ok(unless_equal("the title", home.title("s0")?, "New".to_owned()))
}

fn deleted(strategy: Strategy) -> Found {
    let mut home = Home::new("deleted", strategy, 3)?;
    home.list()?;
    write::delete(&home.root(), "s1").map_err(in_words)?;
    home.bench.catalog.invalidate();
    gone(&mut home, "s1", 2)
}

fn removed(strategy: Strategy) -> Found {
    let mut home = Home::new("removed", strategy, 3)?;
    home.list()?;
    fs::remove_file(home.file("s1")?).map_err(in_words)?;
    home.bench.pass(TTL_MS);
    gone(&mut home, "s1", 2)
}

fn gone(home: &mut Home, id: &str, left: usize) -> Found {
    let page = home.list()?;
    if page.total != left || page.rows.iter().any(|row| &*row.id == id) {
        return Ok(Some(format!("{} sessions are listed, not {left}", page.total)));
    }
    let held = home.bench.catalog.stats().held;
    Ok((held > left).then(|| format!("{held} summaries are held for {left} sessions")))
}

fn directory(strategy: Strategy) -> Found {
    let mut home = Home::new("directory", strategy, 1)?;
    let work = std::env::current_dir().map_err(in_words)?.join(&home.path).join("work");
    write::create(&home.root(), "s1", &work.to_string_lossy(), TIME).map_err(in_words)?;
    rest();
    home.list()?;
    fs::create_dir(&work).map_err(in_words)?;
    for _ in 0..4 {
        append(&home.file("s0")?, said("busy").as_bytes())?;
        home.bench.pass(10_000);
        home.list()?;
    }
    Ok(unless_equal("whether it is there", home.row("s1")?.work_dir_exists, true))
}

/// Asks the service itself: what is shared there is shared between requests.
fn together(strategy: Strategy) -> Found {
    const SESSIONS: u64 = 30;
    let home = Home::new("together", strategy, SESSIONS as usize)?;
    for number in 0..SESSIONS {
        append(&home.file(&format!("s{number}"))?, said(&"long ".repeat(20_000)).as_bytes())?;
    }
    rest();
    let service = Service::start(service::options("home/together", strategy, Times::default(), None))?;
    let list = async |limit: u32| {
        let mut client = Client::connect(service.address).await?;
        client.get(&format!("/api/sessions?limit={limit}")).await
    };
    let answers = service::block_on(async {
        tokio::join!(list(30), list(30), list(30), list(30), list(30), list(20), list(20), list(20))
    })?;
    drop(answers);
    let opened = service.stop()?.gauges.catalog.bodies;
    Ok(unless_equal("files that were opened", opened, SESSIONS))
}

/// A scan that began before a write answers whoever asked for it, and nobody else: whether it had read the file before the write or not.
fn poisoned(strategy: Strategy) -> Found {
    for reads_before in [true, false] {
        let mut home = Home::new("poisoned", strategy, 3)?;
        let query = Query::newest(10);
        let now = home.bench.now();
        if let Begun::Read(mut scan) = home.bench.catalog.begin(&query, now) {
            if reads_before {
                home.bench.catalog.read(&mut scan);
            }
            home.rename("s1", "New")?;
            home.bench.catalog.read(&mut scan);
            home.bench.catalog.end(scan);
        }
        let titles = (home.title("s1")?, home.title("s1")?);
        let wanted = ("New".to_owned(), "New".to_owned());
        if let Some(how) = unless_equal("the titles afterwards", titles, wanted) {
            return Ok(Some(how));
        }
    }
    Ok(None)
}

fn pages(strategy: Strategy) -> Found {
    let mut home = Home::new("pages", strategy, 25)?;
    for number in 0..25u64 {
        set_modified(
            &home.file(&format!("s{number}"))?,
            UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number),
        )?;
    }
    rest();
    let ids = |page: &Page| page.rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
    let all = ids(&home.list()?);
    let mut parts = Vec::new();
    for offset in [0, 10, 20] {
        let page = home.bench.page(&Query { limit: 10, offset, ..Query::default() });
        if page.total != 25 {
            return Ok(Some(format!("{} sessions are told from {offset} on, not 25", page.total)));
        }
        parts.extend(ids(&page));
    }
    append(&home.file("s3")?, said("more").as_bytes())?;
    home.bench.pass(6_000);
    let first = ids(&home.list()?).swap_remove(0);
    let wanted: Vec<String> = (0..25).rev().map(|number| format!("s{number}")).collect();
    Ok(unless_equal("the order", &all, &wanted)
        .or_else(|| unless_equal("the pages", &parts, &all))
        .or_else(|| unless_equal("the first after an append", &*first, "s3")))
}

fn projects(strategy: Strategy) -> Found {
    let mut home = Home::new("projects", strategy, 2)?;
    write::create(&home.root(), "other", "/home/dev/other", TIME).map_err(in_words)?;
    home.bench.catalog.invalidate();
    let of = |project: &str| Query { project: Some(project.to_owned()), ..Query::newest(10) };
    let counts = [home.list()?.total, home.bench.page(&of("-home-dev-other")).total, home.list()?.total];
    Ok(unless_equal("sessions of all, of one project, of all", counts, [3, 1, 3]))
}

fn unreadable(strategy: Strategy) -> Found {
    let mut home = Home::new("unreadable", strategy, 1)?;
    let now = home.bench.now();
    let Begun::Read(mut scan) = home.bench.catalog.begin(&Query::newest(10), now) else {
        return Err("nothing had to be read".to_owned());
    };
    let failed = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    home.bench.catalog.supply_text(&mut scan, 0, Err(failed()));
    let page = home.bench.catalog.end(scan);
    if (page.rows.len(), page.unusable.count) != (0, 1) {
        return Ok(Some(format!("a file that could not be read is not counted: {:?}", page.unusable)));
    }
    home.bench.pass(6_000);
    Ok(unless_equal("rows afterwards", home.list()?.rows.len(), 1))
}

fn torn(strategy: Strategy) -> Found {
    let mut home = Home::new("torn", strategy, 1)?;
    let (file, line) = (home.file("s0")?, said("hello"));
    append(&file, &line.as_bytes()[..20])?;
    let half = home.row("s0")?.summary.messages;
    append(&file, &line.as_bytes()[20..])?;
    home.bench.pass(6_000);
    Ok(unless_equal(
        "messages of half a line, and of a whole one",
        (half, home.row("s0")?.summary.messages),
        (0, 1),
    ))
}

fn many(strategy: Strategy) -> Found {
    if strategy.cache == Cache::None {
        return Ok(None);
    }
    let home = Home::new("many", strategy, 1)?;
    let project = home.root().path().join("-home-dev-many");
    fs::create_dir_all(&project).map_err(in_words)?;
    for number in 0..MANY {
        fs::write(project.join(format!("m{number}.jsonl")), "{}\n").map_err(in_words)?;
    }
    rest();
    let mut catalog = Catalog::new(&home.path, &strategy, None).map_err(in_words)?;
    let (all, first) = (Query::newest(MANY + 1), Query::newest(10));
    let now = home.bench.now();
    let at = |ms: u64| engine::listing::Now { monotonic_ms: ms, ..now };
    catalog.list(&first, at(0));
    catalog.list(&all, at(6_000));
    let held = catalog.stats().held;
    if held >= MANY {
        return Ok(Some(format!("{held} summaries are held")));
    }
    catalog.list(&first, at(12_000));
    let before = catalog.stats().bodies;
    catalog.list(&first, at(18_000));
    Ok(unless_equal(
        "files that were opened for the page that was just shown",
        catalog.stats().bodies - before,
        0,
    ))
}

fn scopes(strategy: Strategy) -> Found {
    let mut one = Home::new("scope-one", strategy, 2)?;
    let mut other = Home::new("scope-two", strategy, 2)?;
    one.rename("s0", "One")?;
    other.rename("s0", "Two")?;
    // Equal but for what is in them, as a copied home is.
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for home in [&one, &other] {
        set_modified(&home.file("s0")?, time)?;
    }
    rest();
    let index = PathBuf::from("home/scopes.sqlite");
    for (home, title) in [(&one, "One"), (&other, "Two"), (&one, "One")] {
        let mut bench = Bench::with_index(&home.path, &strategy, Some(&index))?;
        let text = bench.send(&Query::newest(10))?.0;
        let found = listed(&text)?;
        let row = found.sessions.iter().find(|row| row.id == "s0").ok_or("s0 is not listed")?;
        if let Some(how) = unless_equal("the title", &*row.title, title) {
            return Ok(Some(how));
        }
    }
    Ok(None)
}
