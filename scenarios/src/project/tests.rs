//! What the file may say, what is refused where, and that the schema agrees.

use super::*;

const GOOD: &str = r#"
build = ["cargo", "build", "--release"]
budgets = "budgets.toml"

[[measure]]
name = "app/start:main"
command = ["target/release/app", "{corpus}"]
corpus = "smoke@0.5"
seed = 7
warm = true
samples = 5
instrument = ["os", "count"]
timeout = 30
expect_exit = 143
phase_regex = 'phase=(\w+)'
stdin = "input.json"
trace = false

[[measure]]
name = "app/start:other"
command = ["node", "app.js"]
"#;

fn parse(text: &str) -> Result<Project, Error> {
    Project::parse(text, Path::new(FILE))
}

fn refusal(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

/// A file with one entry that has this line, which is line 4.
fn with(line: &str) -> String {
    format!("[[measure]]\nname = \"app/start:main\"\ncommand = [\"./app\"]\n{line}\n")
}

fn schema() -> String {
    serde_json::to_string_pretty(&schemars::schema_for!(Project)).unwrap() + "\n"
}

fn fits_schema(text: &str) -> bool {
    let value: toml::Value = toml::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    validator.is_valid(&serde_json::to_value(value).unwrap())
}

#[test]
fn every_key_is_read() {
    let project = parse(GOOD).unwrap();
    assert_eq!(project.budgets.as_deref(), Some(Path::new("budgets.toml")));
    let first = &project.measure[0];
    assert_eq!(first.corpus.as_ref().unwrap().scale, Some(0.5));
    assert_eq!((first.seed, first.warm, first.samples, first.timeout), (Some(7), true, 5, 30));
    assert_eq!((first.expect_exit, first.trace, first.instrument.len()), (143, false, 2));
    assert_eq!(first.stdin.as_deref(), Some(Path::new("input.json")));
    assert!(first.phase_regex.as_ref().unwrap().is_match(b"phase=parse"));
    assert_eq!(first.cases(), ["app/start:main", "app/start:main-quiet"]);
    let second = &project.measure[1];
    assert_eq!((second.samples, second.timeout, second.trace), (3, 600, true));
    assert_eq!(second.instrument, [Wanted::Auto]);
}

#[test]
fn what_cannot_be_meant_is_refused_where_it_stands() {
    for (text, line, said) in [
        (with("comand = []"), 4, "unknown field `comand`"),
        (with("samples = 0"), 4, "at least 1"),
        (with("samples = -1"), 4, "-1"),
        (with("timeout = 0"), 4, "at least 1"),
        (with("instrument = [\"valgrind\"]"), 4, "unknown instrument \"valgrind\""),
        (with("instrument = []"), 4, "name one at least"),
        (with("corpus = \"nothing\""), 4, "corpus: "),
        (with("corpus = \"smoke@x\""), 4, "is no scale"),
        (with("phase_regex = \"(\""), 4, "phase_regex: "),
        (with("seed = 2"), 2, "there is none"),
        (with("warm = true"), 2, "there is none"),
        (with("budget = 1"), 4, "unknown field `budget`"),
        ("baseline = \"b.json\"\n".to_owned() + &with(""), 1, "budgets"),
        ("\nbuild = []\n".to_owned() + &with(""), 2, "at least the program"),
        ("\n\nmesure = 1\n".to_owned(), 3, "unknown field `mesure`"),
        ("budgets = \"b.toml\"\n".to_owned(), 1, "nothing to measure"),
        ("[[measure]]\nname = \"app/start:main\"\n".to_owned(), 1, "missing field `command`"),
        ("[[measure]]\nname = \"start\"\ncommand = [\"a\"]\n".to_owned(), 2, "FAMILY/SCENARIO:STRATEGY"),
        ("[[measure]]\nname = \"sync/cold:mine\"\ncommand = [\"a\"]\n".to_owned(), 2, "highwater's own"),
        ("[[measure]]\nname = \"a/b:c\"\ncommand = \"a b\"\n".to_owned(), 3, "invalid type"),
        (with("") + &with(""), 6, "is that of app/start:main already"),
        (
            with("") + "[[measure]]\nname = \"app/start:main-quiet\"\ncommand = [\"a\"]\n",
            6,
            "is that of app/start:main already",
        ),
        ("[[measure]\n".to_owned(), 1, ""),
    ] {
        let refusal = refusal(&text);
        let start = format!("highwater.toml:{line}: ");
        assert!(refusal.starts_with(&start) && refusal.contains(said), "{text}\n{refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Project::read(Path::new("no-such-folder/highwater.toml")).unwrap_err().to_string();
    assert!(said.starts_with("failed to read no-such-folder/highwater.toml: "), "{said}");
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/highwater.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(committed == schema(), "{} is out of date: run this test with UPDATE_SCHEMA=1", path.display());
}

#[test]
fn the_schema_takes_what_the_program_takes_and_refuses_what_it_refuses() {
    assert!(fits_schema(GOOD));
    let command = "[[measure]]\nname = \"a/b:c\"\ncommand = [\"a\"]\n";
    assert!(fits_schema(command));
    for wrong in [
        with("comand = []"),
        with("samples = 0"),
        with("timeout = 0"),
        with("instrument = [\"valgrind\"]"),
        with("instrument = []"),
        with("warm = 1"),
        "mesure = 1\n".to_owned() + command,
        "build = []\n".to_owned() + command,
        "measure = []\n".to_owned(),
        "[[measure]]\nname = \"a/b:c\"\n".to_owned(),
        "[[measure]]\nname = \"start\"\ncommand = [\"a\"]\n".to_owned(),
        "[[measure]]\nname = \"a/b:c\"\ncommand = \"a b\"\n".to_owned(),
        "[[measure]]\nname = \"a/b:c\"\ncommand = []\n".to_owned(),
    ] {
        assert!(parse(&wrong).is_err(), "{wrong}");
        assert!(!fits_schema(&wrong), "{wrong}");
    }
}

/// The names that an editor offers are those that there are.
#[test]
fn the_schema_names_every_instrument() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let offered: Vec<String> = serde_json::from_value(schema["$defs"]["Instrument"]["enum"].clone()).unwrap();
    let own = harness::instrument::Instrument::ALL.map(harness::instrument::Instrument::name);
    let known: std::collections::BTreeSet<&str> = ["auto", "quiet"].into_iter().chain(own).collect();
    assert_eq!(offered.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), known);
}
