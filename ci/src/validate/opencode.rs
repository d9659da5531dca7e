//! OpenCode itself: our sessions in a database that it made, as it exports them.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::validate::Bench;
use crate::validate::compare::Comparison;
use crate::validate::deviation::at;
use crate::validate::install::python;

const NAME: &str = "opencode";
const LIMIT: Duration = Duration::from_secs(120);

/// Databases by format; Kilo's is of the same shape.
const DATABASES: [(&str, &str); 2] =
    [("opencode", ".local/share/opencode/opencode.db"), ("kilo", ".local/share/kilo/kilo.db")];

/// Sessions that are exported of each: an export starts the program anew.
const EXPORTED: usize = 24;

/// Puts the rows of our database into one that OpenCode made, as far as it has the columns, and prints the sessions that have a row
/// whose JSON is none. Going by its own database, this also works with versions that know more tables than ours.
const INSERT: &str = "import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('attach ? as ours', (sys.argv[2],))
for table in ('project', 'session', 'message', 'part'):
    columns = [[row[1] for row in db.execute(f'pragma {side}.table_info({table})')] for side in ('main', 'ours')]
    both = ', '.join(column for column in columns[0] if column in columns[1])
    db.execute(f'insert or replace into main.{table} ({both}) select {both} from ours.{table}')
bad = set()
for table in ('message', 'part'):
    for session, data in db.execute(f'select session_id, data from ours.{table}'):
        try:
            json.loads(data)
        except ValueError:
            bad.add(session)
db.commit()
print(json.dumps(sorted(bad)))";

/// An exported session. Its texts are passed over: some have a lone surrogate, which OpenCode keeps.
#[derive(Deserialize)]
struct Export {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    role: String,
}

/// Lets it make a database, fills that, and compares the first sessions as it exports them.
pub(crate) fn check(bench: &Bench<'_>) -> Result<Vec<Comparison>, String> {
    let has = |(_, path): &&(&str, &str)| bench.home.path.join(path).is_file();
    DATABASES.iter().filter(has).map(|(format, path)| compare(bench, format, path)).collect()
}

fn compare(bench: &Bench<'_>, format: &'static str, path: &str) -> Result<Comparison, String> {
    let data = bench.home.scratch.join(format);
    run(bench, &data, &["session", "list"])?;
    let mut insert = bench.home.command(python(&bench.home.scratch, 8)?);
    insert.args(["-c", INSERT]).arg(data.join("opencode/opencode.db")).arg(bench.home.path.join(path));
    let bad = bench.home.run(&mut insert, LIMIT)?.checked("putting our rows into OpenCode's database")?;
    let bad: Vec<String> =
        serde_json::from_str(&bad).map_err(|error| format!("python said no JSON: {error}"))?;
    let known = bench.manifest.files.iter().find(|file| file.path == path).and_then(|file| at(NAME, file));
    let mut comparison = Comparison::new(format, "sessions");
    let sessions = bench.manifest.answer.sessions_index.iter();
    let sessions: Vec<_> =
        sessions.filter(|session| session.source.starts_with(path)).take(EXPORTED).collect();
    if sessions.is_empty() {
        return Err(format!(
            "there is {path}, and the manifest knows no session in it: nothing can be compared"
        ));
    }
    for session in sessions {
        comparison.tell(&session.id, &[("prompts", session.requests)]);
        if let (Some(why), true) = (known, bad.contains(&session.id)) {
            comparison.leave_out(&session.id, why);
            continue;
        }
        let export = run(bench, &data, &["export", &session.id])?;
        let export: Export = serde_json::from_str(&export)
            .map_err(|error| format!("opencode export {} said no session: {error}", session.id))?;
        let prompts = export.messages.iter().filter(|message| message.info.role == "user").count();
        comparison.find(&session.id, &[("prompts", prompts as u64)]);
    }
    Ok(comparison)
}

/// Runs OpenCode with its data in a folder of its own.
fn run(bench: &Bench<'_>, data: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = bench.home.command(bench.programs.join(NAME));
    command.args(arguments).env("XDG_DATA_HOME", data).envs([
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
    ]);
    bench.home.run(&mut command, LIMIT)?.checked(&format!("opencode {}", arguments.join(" ")))
}
