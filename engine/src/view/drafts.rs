//! What was typed, noted and pasted, and not sent yet.

use super::ledger::Ledger;
use super::store::shelf::{Held, Shelf};
use super::strategy::Drafts as Choice;

/// Bytes that images of all drafts take at most, where they have a cap.
pub const IMAGES_AT_MOST: usize = 32 << 20;

/// An image of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: String,
    /// The name of its file.
    pub filename: String,
    /// Its type, such as `image/png`.
    pub mime: String,
    /// The image itself as a `data:` URL.
    pub data_url: String,
}

/// A remark on a line that a session has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is remarked.
    pub text: String,
}

/// The images of one draft.
#[derive(Debug, Default)]
struct Images {
    list: Vec<Image>,
    /// How many had to go.
    dropped: u32,
    /// When it was touched: the larger, the later.
    touched: u64,
}

impl Image {
    fn bytes(&self) -> usize {
        self.id.len() + self.filename.len() + self.mime.len() + self.data_url.len()
    }
}

impl Held for Images {
    fn bytes(&self) -> usize {
        self.list.iter().map(Image::bytes).sum()
    }
}

impl Held for Vec<Remark> {
    fn bytes(&self) -> usize {
        self.iter().map(|remark| remark.file.len() + remark.text.len()).sum()
    }
}

/// The key of a box's draft for a session.
pub fn key(box_name: &str, session: &str) -> String {
    format!("{box_name}:session:{session}")
}

/// The session that a key names; none for a draft of a session that is not made yet.
pub(super) fn session_of(key: &str) -> Option<&str> {
    key.split_once(":session:").map(|(_, session)| session)
}

/// The drafts of all boxes, by keys such as `prompt:session:ses_1`, `prompt:pending:1` and `prompt:new`.
#[derive(Debug)]
pub(super) struct Drafts {
    choice: Choice,
    texts: Shelf<Box<str>>,
    remarks: Shelf<Vec<Remark>>,
    images: Shelf<Images>,
    touches: u64,
}

impl Drafts {
    pub(super) fn new(choice: Choice) -> Drafts {
        let (texts, remarks, images) = (Shelf::default(), Shelf::default(), Shelf::default());
        Drafts { choice, texts, remarks, images, touches: 0 }
    }

    pub(super) fn choice(&self) -> Choice {
        self.choice
    }

    /// Keeps what a box says now; nothing, where it is empty.
    pub(super) fn write(&mut self, ledger: &mut Ledger, key: &str, text: &str) {
        if text.is_empty() {
            self.texts.take(ledger, key);
        } else {
            self.texts.put(ledger, key, text.into());
        }
        self.touch(ledger, key);
    }

    pub(super) fn remark(&mut self, ledger: &mut Ledger, key: &str, remark: Remark) {
        let mut remarks = self.remarks.take(ledger, key).unwrap_or_default();
        remarks.push(remark);
        self.remarks.put(ledger, key, remarks);
        self.touch(ledger, key);
    }

    /// Adds an image. Where images have a cap, others go for it; one that alone is larger goes itself.
    pub(super) fn attach(&mut self, ledger: &mut Ledger, key: &str, image: Image) {
        if !self.images.contains(key) {
            self.images.put(ledger, key, Images::default());
        }
        let is_too_large = self.choice == Choice::Capped && image.bytes() > IMAGES_AT_MOST;
        self.images.change(ledger, key, |images| {
            if is_too_large { images.dropped += 1 } else { images.list.push(image) }
        });
        self.touch(ledger, key);
        if self.choice == Choice::Capped {
            self.make_room(ledger);
        }
    }

    fn touch(&mut self, ledger: &mut Ledger, key: &str) {
        self.touches += 1;
        let now = self.touches;
        self.images.change(ledger, key, |images| images.touched = now);
    }

    fn make_room(&mut self, ledger: &mut Ledger) {
        while self.image_bytes() > IMAGES_AT_MOST {
            let drafts = self.images.iter().filter(|(_, images)| !images.list.is_empty());
            let oldest = drafts.min_by_key(|(_, images)| images.touched).map(|(key, _)| key.to_owned());
            let Some(oldest) = oldest else { return };
            self.images.change(ledger, &oldest, |images| {
                images.list.remove(0);
                images.dropped += 1;
            });
        }
    }

    /// Bytes of the images of all drafts.
    pub(super) fn image_bytes(&self) -> usize {
        self.images.iter().map(|(_, images)| images.bytes()).sum()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(|text| &**text)
    }

    pub(super) fn remarks(&self, key: &str) -> &[Remark] {
        self.remarks.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn images(&self, key: &str) -> &[Image] {
        self.images.get(key).map_or(&[], |images| &images.list)
    }

    /// How many images of a draft had to go for others.
    pub(super) fn dropped(&self, key: &str) -> u32 {
        self.images.get(key).map_or(0, |images| images.dropped)
    }

    /// Takes a draft out: its text with its remarks below it, and its images.
    pub(super) fn take(&mut self, ledger: &mut Ledger, key: &str) -> (String, Vec<Image>) {
        let mut text = self.texts.take(ledger, key).map(String::from).unwrap_or_default();
        for Remark { file, line, text: remark } in self.remarks.take(ledger, key).unwrap_or_default() {
            text.push_str(&format!("\n{file}:{line}: {remark}"));
        }
        let images = self.images.take(ledger, key).map(|images| images.list).unwrap_or_default();
        (text, images)
    }

    /// A session is deleted.
    pub(super) fn forget(&mut self, ledger: &mut Ledger, session: &str) {
        if self.choice == Choice::Ever {
            return;
        }
        let is_of = |key: &str| session_of(key) == Some(session);
        self.texts.take_if(ledger, |key, _| is_of(key));
        self.remarks.take_if(ledger, |key, _| is_of(key));
        self.images.take_if(ledger, |key, _| is_of(key));
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().chain(self.remarks.keys()).chain(self.images.keys())
    }

    /// How many texts, remarks and images there are drafts of.
    pub(super) fn counts(&self) -> [(&'static str, usize); 3] {
        let (texts, remarks) = (self.texts.len(), self.remarks.len());
        [("drafts", texts), ("review_drafts", remarks), ("image_drafts", self.images.len())]
    }

    /// Bytes and entries, counted anew.
    pub(super) fn walk(&self) -> (u64, u64) {
        let walks = [self.texts.walk(), self.remarks.walk(), self.images.walk()];
        walks.into_iter().fold((0, 0), |(bytes, entries), (more, count)| (bytes + more, entries + count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, bytes: usize) -> Image {
        let data_url = "x".repeat(bytes);
        Image { id: id.to_owned(), filename: String::new(), mime: String::new(), data_url }
    }

    fn ids(drafts: &Drafts, key: &str) -> Vec<String> {
        drafts.images(key).iter().map(|image| image.id.clone()).collect()
    }

    #[test]
    fn images_over_the_cap_go_the_least_recently_touched_first_and_the_draft_says_so() {
        let (mut ledger, mut drafts) = (Ledger::default(), Drafts::new(Choice::Capped));
        let (a, b) = (key("box", "a"), key("box", "b"));
        drafts.attach(&mut ledger, &a, image("1", 15 << 20));
        drafts.attach(&mut ledger, &b, image("2", 15 << 20));
        drafts.write(&mut ledger, &a, "touched");
        drafts.attach(&mut ledger, &b, image("3", 1 << 20));
        drafts.write(&mut ledger, &a, "touched again");
        drafts.attach(&mut ledger, &a, image("4", 5 << 20));
        assert_eq!((ids(&drafts, &a), drafts.dropped(&a)), (vec!["1".to_owned(), "4".to_owned()], 0));
        assert_eq!((ids(&drafts, &b), drafts.dropped(&b)), (vec!["3".to_owned()], 1));
        assert_eq!(drafts.walk().0, ledger.live());
    }

    #[test]
    fn an_image_over_the_whole_cap_leaves_its_count_only() {
        let (mut ledger, mut drafts) = (Ledger::default(), Drafts::new(Choice::Capped));
        drafts.attach(&mut ledger, "box:new", image("1", 10));
        drafts.attach(&mut ledger, "box:new", image("2", IMAGES_AT_MOST));
        assert_eq!((ids(&drafts, "box:new"), drafts.dropped("box:new")), (vec!["1".to_owned()], 1));
    }

    #[test]
    fn without_a_cap_every_image_stays_and_only_the_oldest_choice_keeps_those_of_the_dead() {
        for (choice, left) in [(Choice::Ever, 3), (Choice::UntilDeleted, 0), (Choice::Capped, 0)] {
            let (mut ledger, mut drafts) = (Ledger::default(), Drafts::new(choice));
            let of_session = key("box", "s");
            drafts.write(&mut ledger, &of_session, "text");
            let remark = Remark { file: "a.rs".to_owned(), line: 1, text: "why".to_owned() };
            drafts.remark(&mut ledger, &of_session, remark);
            drafts.attach(&mut ledger, &of_session, image("1", 10));
            drafts.write(&mut ledger, "box:session:other", "stays");
            drafts.forget(&mut ledger, "s");
            assert_eq!(drafts.keys().filter(|key| session_of(key) == Some("s")).count(), left);
            assert_eq!((drafts.text("box:session:other"), drafts.walk().0), (Some("stays"), ledger.live()));
        }
    }

    #[test]
    fn a_draft_that_is_taken_is_text_and_remarks_and_images() {
        let (mut ledger, mut drafts) = (Ledger::default(), Drafts::new(Choice::Ever));
        drafts.write(&mut ledger, "k", "text");
        let remark = Remark { file: "a.rs".to_owned(), line: 7, text: "why".to_owned() };
        drafts.remark(&mut ledger, "k", remark);
        drafts.attach(&mut ledger, "k", image("1", 10));
        assert_eq!(drafts.take(&mut ledger, "k"), ("text\na.rs:7: why".to_owned(), vec![image("1", 10)]));
        assert_eq!((ledger.live(), ledger.entries()), (0, 0));
    }
}
