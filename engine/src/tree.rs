//! A JSON value that can be edited: whole, or pruned to what the answer needs.
//!
//! An append log must stay editable to its end, so what is kept of its requests lives in such a tree. [`Shape`] says which
//! parts of a value are kept: the tree of a pruned 100 MB document is a few bytes for each part of a response.

mod edit;
mod pack;
mod read;

pub use edit::{Edit, EditError, Segment, edit};
pub use pack::Packed;
pub use read::{ReadKey, ReadNode, Strings};

use std::borrow::Cow;

use crate::json::text::Measure;

/// A JSON value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Node {
    /// `null`, and what has been pruned.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that fits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A whole string.
    Text(Box<str>),
    /// A string of which only the beginning is kept.
    Cut(Box<CutText>),
    /// An array.
    Array(Vec<Node>),
    /// An array of which only the number of items that count is kept.
    Counted(u64),
    /// An object, in order of appearance; of a repeated key the last value counts.
    Object(Vec<(Key, Node)>),
    /// An array or object as bytes: nothing is found in it before it is unpacked.
    Packed(Box<Packed>),
}

/// What is kept of a long string.
#[derive(Debug, Clone, PartialEq)]
pub struct CutText {
    /// Its beginning.
    pub preview: Box<str>,
    /// The measure of the whole of it.
    pub whole: Measure,
}

/// The key of an object: an index into a table where the schema knows it, so that pruned trees own no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A key that some [`Shape`] names.
    Known(&'static str),
    /// Any other key.
    Owned(Box<str>),
}

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        match self {
            Key::Known(name) => name,
            Key::Owned(name) => name,
        }
    }
}

/// Which parts of a value are kept when it is read.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Nothing: the value becomes null.
    Drop,
    /// Everything.
    All,
    /// Numbers, booleans, and strings with their text.
    Scalar,
    /// Numbers, booleans, and of strings only the measure.
    Measure,
    /// An object's named fields.
    Object(Fields),
    /// Every item of an array, in one shape.
    Array(&'static Shape),
    /// A scalar, the named fields of an object, or the items of an array: where formats vary.
    Either {
        /// Whether a string keeps its text, or only its measure.
        text: bool,
        /// The fields, when it is an object.
        fields: Fields,
        /// The items, when it is an array.
        items: &'static Shape,
    },
    /// Of an array, how many items it has.
    CountItems,
    /// Of an array, how many objects are in it.
    CountObjects,
    /// Of the objects of an array, how many line feeds their texts at the named fields have; each field is to be a [`Shape::Measure`].
    CountLines(Fields),
    /// What this shape keeps; arrays and objects as bytes, an array item by item while it is read.
    Packed(&'static Shape),
    /// An object's named fields; the others are kept as null, so that emptiness can be told.
    Noted(Fields),
}

/// The fields of an object that are kept, each with its shape.
pub type Fields = &'static [(&'static str, Shape)];

/// A string of a tree.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The text, or its beginning.
    pub text: &'a str,
    whole: Option<&'a Measure>,
}

impl<'a> Text<'a> {
    /// The measure of the whole string.
    pub fn measure(&self) -> Cow<'a, Measure> {
        match self.whole {
            Some(measure) => Cow::Borrowed(measure),
            None => Cow::Owned(Measure::of(self.text)),
        }
    }

    /// Whether the whole string is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.whole.is_none_or(|whole| whole.units == 0)
    }
}

impl Node {
    /// The value of a key, when this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Node::Object(fields) = self else {
            return None;
        };
        fields.iter().rev().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }

    /// The value at the end of several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The string, when this is one.
    pub fn text(&self) -> Option<Text<'_>> {
        match self {
            Node::Text(text) => Some(Text { text, whole: None }),
            Node::Cut(cut) => Some(Text { text: &cut.preview, whole: Some(&cut.whole) }),
            _ => None,
        }
    }

    /// The string at a key.
    pub fn text_at(&self, key: &str) -> Option<Text<'_>> {
        self.get(key)?.text()
    }

    /// The characters of the string at a key, for names and marks that are shorter than any cut.
    pub fn str_at(&self, key: &str) -> Option<&str> {
        self.text_at(key).map(|text| text.text)
    }

    /// The number, truncated toward zero.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Node::Integer(value) => Some(*value),
            // `as` saturates, which is what a count beyond all bounds should do.
            Node::Float(value) => Some(*value as i64),
            _ => None,
        }
    }

    /// The number at a key.
    pub fn integer_at(&self, key: &str) -> Option<i64> {
        self.get(key)?.integer()
    }

    /// The number at a key as a count: absent and negative are 0.
    pub fn count_at(&self, key: &str) -> u64 {
        self.integer_at(key).and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
    }

    /// Whether the value at a key is `true`.
    pub fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Node::Bool(true)))
    }

    /// The items, when this is an array, else none.
    pub fn items(&self) -> &[Node] {
        match self {
            Node::Array(items) => items,
            _ => &[],
        }
    }

    /// The items of the array at a key, or none.
    pub fn items_at(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::items)
    }

    /// Shows the items, when this is an array, packed or not.
    pub fn for_each_item(&self, show: &mut dyn FnMut(&Node)) {
        match self {
            Node::Packed(packed) => packed.for_each_item(show),
            _ => self.items().iter().for_each(show),
        }
    }

    /// The node with its own parts to be found; those may again be packed.
    #[must_use]
    pub fn unpacked(self) -> Node {
        match self {
            Node::Packed(packed) => packed.unpack(),
            node => node,
        }
    }

    /// The node in less room, when it is a container: it is held in the shape in which it was read.
    #[must_use]
    pub fn packed(self, shape: &'static Shape) -> Node {
        pack::Packer::node(shape, self)
    }

    /// How many items there are, when this is an array, else 0.
    pub fn count_items(&self) -> u64 {
        match self {
            Node::Array(items) => items.len() as u64,
            Node::Counted(count) => *count,
            _ => 0,
        }
    }

    /// How many objects there are, when this is an array, else 0.
    pub fn count_objects(&self) -> u64 {
        match self {
            Node::Array(items) => items.iter().filter(|item| item.is_object()).count() as u64,
            Node::Counted(count) => *count,
            _ => 0,
        }
    }

    /// How many line feeds the texts at a key have, of the objects of an array.
    pub fn count_lines(&self, key: &str) -> u64 {
        match self {
            Node::Array(items) => {
                items.iter().filter_map(|item| Some(item.text_at(key)?.measure().newlines)).sum()
            }
            Node::Counted(count) => *count,
            _ => 0,
        }
    }

    /// Whether this is an object.
    pub fn is_object(&self) -> bool {
        match self {
            Node::Object(_) => true,
            Node::Packed(packed) => packed.is_object(),
            _ => false,
        }
    }
}

impl Shape {
    /// The shape of an object's field below this one.
    pub fn field(&self, key: &str) -> Option<(&'static str, Shape)> {
        self.fields().iter().find(|(name, _)| *name == key).copied()
    }

    /// The fields of an object that are kept below this shape.
    pub fn fields(&self) -> Fields {
        match self.bare() {
            Shape::Object(fields) | Shape::Noted(fields) | Shape::Either { fields, .. } => fields,
            _ => &[],
        }
    }

    /// What is kept, however it is held.
    #[must_use]
    pub fn bare(self) -> Shape {
        match self {
            Shape::Packed(inner) => inner.bare(),
            shape => shape,
        }
    }

    /// The shape of an array's items below this one.
    pub fn item(&self) -> Shape {
        match self.bare() {
            Shape::Array(item) | Shape::Either { items: item, .. } => *item,
            Shape::All => Shape::All,
            _ => Shape::Drop,
        }
    }
}
