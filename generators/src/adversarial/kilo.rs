//! Kilo's database with rows that cannot be used, and a page that is damaged.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::types::Value;

use crate::answer::Session;
use crate::opencode::SCHEMA;
use crate::plan::{KILO, ROOTS};
use crate::profile::Spec;
use crate::sqlite::Sheet;
use crate::text::Preview;
use crate::write::{Desk, Facts};

use super::NOT_UTF8;
use super::opencode::{BROKEN, Message, SESSION, forms, messages, prompt, updated};
use super::sketch::Sketch;

/// What the text of the damaged session repeats, in pages that it fills alone.
const WORDS: &str = "on a damaged page ";
/// How often: more than ten pages.
const WORDS_COUNT: usize = 3_000;
/// Bytes of a page.
const PAGE_BYTES: usize = 4_096;
/// The project of all sessions.
const PROJECT: &str = "adversarial";

/// What of a session is unlike an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    /// Rows whose data is no JSON object.
    BrokenRows,
    /// Fields of other types than stated.
    Forms,
    /// A page of its text leads nowhere.
    Page,
    /// Columns that hold something else.
    Columns,
}

/// Sessions by id. The damaged one is among others, which must be read.
const SESSIONS: [(&str, Defect); 6] = [
    ("ses_1", Defect::None),
    ("ses_2", Defect::BrokenRows),
    ("ses_3", Defect::Forms),
    ("ses_4", Defect::Page),
    ("ses_5", Defect::Columns),
    ("ses_6", Defect::None),
];

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Damaged {
    spec: Spec,
}

impl Damaged {
    /// The file's name.
    pub(crate) const FILE: &'static str = "kilo.db";

    pub(crate) fn new(spec: &Spec) -> Damaged {
        Damaged { spec: spec.clone() }
    }

    pub(crate) fn path() -> String {
        format!("{}/{}", ROOTS[KILO].0, Damaged::FILE)
    }

    /// Bytes, estimated.
    pub(crate) fn bytes(&self) -> u64 {
        (WORDS.len() * WORDS_COUNT) as u64 + 120_000
    }

    /// Writes the database, damages it, and tells what a reader finds.
    pub(crate) fn write(&self, desk: &mut Desk<'_>) -> io::Result<()> {
        let path = Damaged::path();
        let mut sheet = Sheet::create(desk.place(&path)?, SCHEMA)?;
        sheet.insert(
            "project",
            "insert into project (id, worktree, time_created, time_updated, sandboxes) values (?1, '/', 0, 0, '[]')",
            &[&PROJECT],
        )?;
        let quirks = ["broken-rows", "column-forms", "damaged-page", "record-forms"].into();
        let mut facts = Facts { quirks, is_refused: true, ..Facts::default() };
        for (id, defect) in SESSIONS {
            let (said, session) = self.session(id, defect);
            insert_session(&mut sheet, id, defect, &session)?;
            said.iter().try_for_each(|message| insert_message(&mut sheet, id, message))?;
            if defect == Defect::BrokenRows {
                facts.skipped_lines = insert_broken(&mut sheet, id, &said[0].id)?;
            }
            if defect != Defect::Page {
                let requests = &session.requests;
                facts.add(Facts {
                    sessions: 1,
                    requests: requests.len() as u64,
                    prompt: requests.iter().fold(0, |sum, request| request.prompt.saturating_add(sum)),
                    completion: requests
                        .iter()
                        .fold(0, |sum, request| request.completion.saturating_add(sum)),
                    ..Facts::default()
                });
                desk.deliver(KILO, id, path.clone(), &session);
            }
        }
        let finished = sheet.finish_with(damage)?;
        desk.note(finished, path, facts);
        Ok(())
    }

    /// What is said in a session, and what a reader finds.
    fn session(&self, id: &str, defect: Defect) -> (Vec<Message>, Session) {
        let mut sketch = SESSION.sketch(&self.spec, PROJECT, id);
        for (number, turn) in (1..).zip(&mut sketch.turns) {
            turn.id = format!("msg_{id}_{number}");
        }
        let mut said: Vec<Message> = sketch.turns.iter().flat_map(messages).collect();
        match defect {
            Defect::Forms => {
                let (forms, change) = forms(&sketch.turns[0].id);
                said.extend(forms);
                sketch.change = Some(change);
            }
            Defect::Page => said.push(prompt(&format!("msg_{id}_9"), &WORDS.repeat(WORDS_COUNT))),
            _ => {}
        }
        let session = answer(&sketch, id, defect);
        (said, session)
    }
}

fn answer(sketch: &Sketch, id: &str, defect: Defect) -> Session {
    let file = SESSION.finish(sketch, id, PROJECT, Vec::new());
    let mut session = file.session.unwrap_or_default();
    (session.id, session.last) = (Preview::of(id, 128), updated(&sketch.told));
    (session.harness, session.workspace) = (ROOTS[KILO].1, Damaged::path());
    if defect == Defect::Columns {
        (session.name, session.created, session.last) = ("unknown".to_owned(), 1_000, 1);
    }
    session
}

fn insert_session(sheet: &mut Sheet, id: &str, defect: Defect, session: &Session) -> io::Result<()> {
    let sql = "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated) \
               values (?1, ?2, 'slug', ?3, 'Title', '1.2.10', ?4, ?5)";
    let [directory, created, updated] = if defect == Defect::Columns {
        let time = "1970-01-01T00:00:01.000Z".to_owned();
        [Value::Blob(vec![0xFF]), Value::Text(time), Value::Real(1.9)]
    } else {
        let [created, last] = [session.created, session.last].map(|time| Value::Integer(time.cast_signed()));
        [Value::Text(format!("/home/dev/{PROJECT}")), created, last]
    };
    sheet.insert("session", sql, &[&id, &PROJECT, &directory, &created, &updated])
}

fn insert_message(sheet: &mut Sheet, session: &str, message: &Message) -> io::Result<()> {
    message_row(sheet, session, &message.id, &Value::Text(message.data.clone()))?;
    for (id, data) in &message.parts {
        part_row(sheet, session, &message.id, id, &Value::Text(data.clone()))?;
    }
    Ok(())
}

/// Rows of every kind that cannot be used, among the messages of a session and the parts of its first one; returns how many.
fn insert_broken(sheet: &mut Sheet, session: &str, first: &str) -> io::Result<u64> {
    for (number, (_, text)) in BROKEN.iter().enumerate() {
        let data = match text.split_once(NOT_UTF8) {
            Some((before, after)) => Value::Blob([before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat()),
            None => Value::Text((*text).to_owned()),
        };
        let id = format!("{first}b{number:02}");
        message_row(sheet, session, &id, &data)?;
        // What belongs to a message that is skipped is not read.
        part_row(sheet, session, &id, &format!("{id}p"), &data)?;
        part_row(sheet, session, first, &format!("{first}q{number:02}"), &data)?;
    }
    Ok(2 * BROKEN.len() as u64)
}

fn message_row(sheet: &mut Sheet, session: &str, id: &str, data: &Value) -> io::Result<()> {
    let sql =
        "insert into message (id, session_id, time_created, time_updated, data) values (?1, ?2, 0, 0, ?3)";
    sheet.insert("message", sql, &[&id, &session, data])
}

fn part_row(sheet: &mut Sheet, session: &str, message: &str, id: &str, data: &Value) -> io::Result<()> {
    let sql = "insert into part (id, message_id, session_id, time_created, time_updated, data) \
               values (?1, ?2, ?3, 0, 0, ?4)";
    sheet.insert("part", sql, &[&id, &message, &session, data])
}

/// Makes the page in the middle of the long text lead nowhere: its first bytes are the number of the next one.
fn damage(path: &Path) -> io::Result<()> {
    let mut bytes = fs::read(path)?;
    let words = WORDS.as_bytes();
    let is_filled = |page: &[u8]| page[4..].windows(words.len()).filter(|text| *text == words).count() > 200;
    let filled: Vec<usize> = (0..bytes.len() / PAGE_BYTES)
        .filter(|page| is_filled(&bytes[page * PAGE_BYTES..][..PAGE_BYTES]))
        .collect();
    let page = filled.get(filled.len() / 2).ok_or(io::ErrorKind::InvalidData)?;
    bytes[page * PAGE_BYTES..][..4].copy_from_slice(&[0xFF; 4]);
    fs::write(path, bytes)
}
