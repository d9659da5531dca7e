//! Containers as bytes: a tree that is held long and looked at once takes a quarter of its room so.
//!
//! A node is a tag and what it holds; a container's parts follow it, up to an end mark. A key is its place among the fields of the
//! shape, from 1, or 0 and its text. Numbers are of 7 bits a byte, the least first.

use super::{CutText, Key, Node, Shape};
use crate::json::text::{CodeLines, Measure};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const CUT: u8 = 6;
const ARRAY: u8 = 7;
const OBJECT: u8 = 8;
const COUNTED: u8 = 9;
const PACKED: u8 = 10;
/// The end of a container: no tag of a node, and no place of a field.
const END: u8 = 0x7F;
/// A key that the shape does not name.
const OTHER_KEY: u64 = 0;

/// A node as bytes.
#[derive(Debug, Clone)]
pub struct Packed {
    /// In which the node was read.
    shape: &'static Shape,
    bytes: Box<[u8]>,
}

impl PartialEq for Packed {
    fn eq(&self, other: &Packed) -> bool {
        self.unpack() == other.unpack()
    }
}

impl Packed {
    /// The node again.
    pub fn unpack(&self) -> Node {
        Reader { bytes: &self.bytes }.node(*self.shape).unwrap_or_default()
    }

    /// Whether it is an object, rather than an array.
    pub(super) fn is_object(&self) -> bool {
        self.bytes.first() == Some(&OBJECT)
    }

    /// Shows the items of an array, one at a time.
    pub fn for_each_item(&self, show: &mut dyn FnMut(&Node)) {
        let mut reader = Reader { bytes: &self.bytes };
        if reader.byte() != Some(ARRAY) {
            return;
        }
        while let Some(item) = reader.item(self.shape.item()) {
            show(&item);
        }
    }
}

/// Makes a [`Packed`], of which no more than one item has to be in memory.
#[derive(Debug)]
pub(super) struct Packer {
    shape: &'static Shape,
    bytes: Vec<u8>,
}

impl Packer {
    /// A container: as it is, but for scalars, which take no more room as nodes.
    pub(super) fn node(shape: &'static Shape, node: Node) -> Node {
        if !matches!(node, Node::Array(_) | Node::Object(_)) {
            return node;
        }
        let mut packer = Packer { shape, bytes: Vec::new() };
        packer.put(&node, *shape);
        packer.finish()
    }

    /// Begins an array.
    pub(super) fn array(shape: &'static Shape) -> Packer {
        Packer { shape, bytes: vec![ARRAY] }
    }

    /// Adds its next item.
    pub(super) fn item(&mut self, item: &Node) {
        self.put(item, self.shape.item());
    }

    /// Ends the array.
    pub(super) fn end(mut self) -> Node {
        self.bytes.push(END);
        self.finish()
    }

    fn finish(self) -> Node {
        Node::Packed(Box::new(Packed { shape: self.shape, bytes: self.bytes.into_boxed_slice() }))
    }

    fn put(&mut self, node: &Node, shape: Shape) {
        match node {
            Node::Null => self.bytes.push(NULL),
            Node::Bool(value) => self.bytes.push(if *value { TRUE } else { FALSE }),
            Node::Integer(value) => {
                self.bytes.push(INTEGER);
                // The sign is the last bit, so that small numbers of either sign are short.
                self.number(((value << 1) ^ (value >> 63)).cast_unsigned());
            }
            Node::Float(value) => {
                self.bytes.push(FLOAT);
                self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Node::Text(text) => {
                self.bytes.push(TEXT);
                self.text(text);
            }
            Node::Cut(cut) => {
                self.bytes.push(CUT);
                self.text(&cut.preview);
                self.measure(&cut.whole);
            }
            Node::Array(items) => {
                self.bytes.push(ARRAY);
                items.iter().for_each(|item| self.put(item, shape.item()));
                self.bytes.push(END);
            }
            Node::Object(fields) => {
                self.bytes.push(OBJECT);
                fields.iter().for_each(|(key, value)| self.field(key, value, shape));
                self.bytes.push(END);
            }
            Node::Counted(count) => {
                self.bytes.push(COUNTED);
                self.number(*count);
            }
            Node::Packed(packed) => {
                self.bytes.push(PACKED);
                self.number(packed.bytes.len() as u64);
                self.bytes.extend_from_slice(&packed.bytes);
            }
        }
    }

    fn field(&mut self, key: &Key, value: &Node, shape: Shape) {
        let fields = shape.fields();
        match fields.iter().position(|(name, _)| *name == key.as_str()) {
            Some(place) => {
                self.number(place as u64 + 1);
                self.put(value, fields[place].1);
            }
            None => {
                self.number(OTHER_KEY);
                self.text(key.as_str());
                self.put(value, Shape::All);
            }
        }
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn measure(&mut self, measure: &Measure) {
        self.number(measure.units);
        self.number(measure.newlines);
        self.number(measure.code.iter().len() as u64);
        for (language, lines) in measure.code.iter() {
            self.text(language);
            self.number(lines);
        }
    }
}

/// Reads what [`Packer`] wrote; none where that is not so.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn node(&mut self, shape: Shape) -> Option<Node> {
        Some(match self.byte()? {
            NULL => Node::Null,
            FALSE => Node::Bool(false),
            TRUE => Node::Bool(true),
            INTEGER => {
                let number = self.number()?;
                Node::Integer((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
            }
            FLOAT => Node::Float(f64::from_bits(u64::from_le_bytes(self.take(8)?.try_into().ok()?))),
            TEXT => Node::Text(self.text()?.into()),
            CUT => {
                let preview = self.text()?.into();
                Node::Cut(Box::new(CutText { preview, whole: self.measure()? }))
            }
            ARRAY => {
                let mut items: Vec<Node> = std::iter::from_fn(|| self.item(shape.item())).collect();
                items.shrink_to_fit();
                Node::Array(items)
            }
            OBJECT => {
                let mut fields: Vec<(Key, Node)> = std::iter::from_fn(|| self.field(shape)).collect();
                fields.shrink_to_fit();
                Node::Object(fields)
            }
            COUNTED => Node::Counted(self.number()?),
            PACKED => {
                let length = usize::try_from(self.number()?).ok()?;
                let bytes = self.take(length)?.into();
                let Shape::Packed(shape) = shape else { return None };
                Node::Packed(Box::new(Packed { shape, bytes }))
            }
            _ => return None,
        })
    }

    /// The next item of an array; none at its end.
    fn item(&mut self, shape: Shape) -> Option<Node> {
        if self.is_end() { None } else { self.node(shape) }
    }

    /// The next field of an object; none at its end.
    fn field(&mut self, shape: Shape) -> Option<(Key, Node)> {
        if self.is_end() {
            return None;
        }
        let place = usize::try_from(self.number()?).ok()?;
        match place.checked_sub(1) {
            Some(place) => {
                let (name, shape) = shape.fields().get(place)?;
                Some((Key::Known(name), self.node(*shape)?))
            }
            None => Some((Key::Owned(self.text()?.into()), self.node(Shape::All)?)),
        }
    }

    /// Passes over the end of a container, when that is next.
    fn is_end(&mut self) -> bool {
        let is_end = self.bytes.first() == Some(&END);
        if is_end {
            self.bytes = &self.bytes[1..];
        }
        is_end
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn measure(&mut self) -> Option<Measure> {
        let (units, newlines, languages) = (self.number()?, self.number()?, self.number()?);
        let mut code = CodeLines::default();
        for _ in 0..languages {
            let language = self.text()?;
            code.count(language, self.number()?);
        }
        Some(Measure { units, newlines, code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Edit, ReadNode, Segment, Strings, edit};
    use serde::de::DeserializeSeed;

    const PART: Shape = Shape::Object(&[("kind", Shape::Scalar), ("value", Shape::Measure)]);
    const PARTS: Shape = Shape::Either { text: false, fields: &[], items: &PART };
    const ITEM: Shape = Shape::Object(&[
        ("id", Shape::Scalar),
        ("parts", Shape::Packed(&PARTS)),
        ("noted", Shape::Noted(&[("known", Shape::Scalar)])),
        ("counted", Shape::CountItems),
    ]);
    const PLAIN: Shape = Shape::Object(&[
        ("id", Shape::Scalar),
        ("parts", PARTS),
        ("noted", Shape::Noted(&[("known", Shape::Scalar)])),
        ("counted", Shape::CountItems),
    ]);

    fn read(shape: Shape, text: &str) -> Node {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        ReadNode { shape, strings: Strings::Plain }.deserialize(&mut deserializer).unwrap()
    }

    /// The node with nothing packed in it.
    fn plain(node: Node) -> Node {
        match node.unpacked() {
            Node::Array(items) => Node::Array(items.into_iter().map(plain).collect()),
            Node::Object(fields) => {
                Node::Object(fields.into_iter().map(|(key, value)| (key, plain(value))).collect())
            }
            node => node,
        }
    }

    #[test]
    fn what_is_packed_comes_back() {
        for text in [
            "null",
            "true",
            "17",
            "[]",
            "{}",
            r#"{"id":"x","parts":[{"kind":"a","value":"b\n```rust\nfn"},{},1,null,[],{"kind":-5}],"other":1}"#,
            r#"{"id":-9223372036854775808,"parts":"text","noted":{"known":1.5,"😀":[1]},"counted":[1,{}]}"#,
            r#"{"id":9223372036854775807,"parts":{},"noted":{},"counted":{},"id":false}"#,
        ] {
            let packed = read(Shape::Packed(&ITEM), text);
            let is_container = text.starts_with(['{']);
            assert_eq!(matches!(packed, Node::Packed(_)), is_container, "{text}");
            assert_eq!(packed.is_object(), is_container, "{text}");
            assert_eq!(plain(packed), read(PLAIN, text), "{text}");
        }
    }

    #[test]
    fn items_are_shown_one_at_a_time() {
        let text = r#"[{"kind":"a"},{"value":"bc"},7]"#;
        let (packed, array) = (read(Shape::Packed(&PARTS), text), read(PARTS, text));
        let mut shown = Vec::new();
        packed.for_each_item(&mut |item| shown.push(item.clone()));
        assert_eq!(shown, array.items());
        read(Shape::Packed(&PARTS), "{}").for_each_item(&mut |item| panic!("{item:?}"));
    }

    #[test]
    fn a_tiny_part_takes_a_few_bytes() {
        let text = format!("[{}]", vec![r#"{"kind":"markdown","value":"x"}"#; 1000].join(","));
        let Node::Packed(packed) = read(Shape::Packed(&PARTS), &text) else { panic!("not packed") };
        assert!(packed.bytes.len() < 24 * 1000, "{}", packed.bytes.len());
    }

    #[test]
    fn edits_do_to_what_is_packed_what_they_do_to_a_tree() {
        const PACKED: Shape = Shape::Array(&Shape::Packed(&ITEM));
        let text = r#"[{"id":1,"parts":[{"kind":"a"}]},{"id":2}]"#;
        let value = |text| read(Shape::All, text);
        let edits = [
            (vec![Segment::Index(0), Segment::Key("id".into())], Edit::Set(value("5"))),
            (
                vec![
                    Segment::Index(0),
                    Segment::Key("parts".into()),
                    Segment::Index(0),
                    Segment::Key("kind".into()),
                ],
                Edit::Set(value("\"b\"")),
            ),
            (
                vec![Segment::Index(0), Segment::Key("parts".into())],
                Edit::Push { keep: None, items: vec![value("{}")] },
            ),
            (vec![Segment::Index(1), Segment::Key("parts".into())], Edit::Push { keep: None, items: vec![] }),
            (vec![Segment::Index(0), Segment::Key("parts".into()), Segment::Index(0)], Edit::Delete),
            (vec![Segment::Index(1), Segment::Key("id".into())], Edit::Delete),
            (vec![Segment::Index(0), Segment::Index(1)], Edit::Set(value("5"))),
            (vec![Segment::Index(0), Segment::Key("other".into()), Segment::Index(3)], Edit::Set(value("5"))),
            (vec![Segment::Index(1)], Edit::Set(value("null"))),
            (vec![], Edit::Push { keep: Some(1), items: vec![value("{}")] }),
        ];
        for (path, operation) in edits {
            let (mut packed, mut tree) = (read(PACKED, text), read(Shape::Array(&PLAIN), text));
            let ends = [
                edit(&mut packed, PACKED, &path, operation.clone()),
                edit(&mut tree, Shape::Array(&PLAIN), &path, operation),
            ];
            assert_eq!(ends[0], ends[1], "{path:?}");
            assert_eq!(plain(packed), tree, "{path:?}");
        }
    }

    #[test]
    fn what_leads_outside_the_shape_leaves_an_item_packed() {
        const PACKED: Shape = Shape::Array(&Shape::Packed(&ITEM));
        let mut packed = read(PACKED, r#"[{"id":1}]"#);
        let path = [Segment::Index(0), Segment::Key("other".into())];
        edit(&mut packed, PACKED, &path, Edit::Set(Node::Null)).unwrap();
        assert!(matches!(packed.items(), [Node::Packed(_)]));
    }
}
