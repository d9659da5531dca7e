//! Reads a [`Node`] from JSON, keeping what a [`Shape`] asks for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::pack::Packer;
use super::{CutText, Key, Node, Shape};
use crate::json::{cut, text::Measure};

/// How the strings of the text that is read are to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// As they stand.
    Plain,
    /// As the cutting reader gives them out.
    Cut,
}

/// Reads one value.
#[derive(Debug, Clone, Copy)]
pub struct ReadNode {
    /// What is kept.
    pub shape: Shape,
    /// How strings are taken.
    pub strings: Strings,
}

impl<'de> DeserializeSeed<'de> for ReadNode {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match self.shape {
            Shape::Drop => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Node::Null),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl ReadNode {
    fn string(self, text: &str) -> Node {
        let keep_text = match self.shape.bare() {
            Shape::All | Shape::Scalar | Shape::Either { text: true, .. } => true,
            Shape::Measure | Shape::Either { text: false, .. } => false,
            _ => return self.scalar(Node::Null),
        };
        let piece = match self.strings {
            Strings::Plain => cut::Piece { text: text.into(), whole: None },
            Strings::Cut => cut::decode(text),
        };
        match (keep_text, piece.whole) {
            (true, None) => Node::Text(piece.text.into()),
            (true, Some(whole)) => Node::Cut(Box::new(CutText { preview: piece.text.into(), whole })),
            (false, None) => measured(Measure::of(&piece.text)),
            (false, Some(whole)) => measured(whole),
        }
    }

    /// A key of an object, with the shape in which its value is kept, if at all.
    fn key(self, key: &str) -> Option<(Key, Shape)> {
        if let Some((name, shape)) = self.shape.field(key) {
            return Some((Key::Known(name), shape));
        }
        let shape = match self.shape {
            Shape::All => Shape::All,
            Shape::Noted(_) => Shape::Drop,
            _ => return None,
        };
        let name = match self.strings {
            Strings::Plain => key.into(),
            Strings::Cut => cut::decode(key).text.into(),
        };
        Some((Key::Owned(name), shape))
    }

    /// Counts the items of an array, of which none is held.
    fn count<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let fields = if let Shape::CountLines(fields) = self.shape { fields } else { &[] };
        let item = ReadNode { shape: Shape::Object(fields), strings: self.strings };
        let mut count = 0;
        while let Some(node) = items.next_element_seed(item)? {
            count += match self.shape {
                Shape::CountItems => 1,
                Shape::CountObjects => u64::from(node.is_object()),
                _ => {
                    let texts = fields.iter().filter_map(|(key, _)| node.text_at(key));
                    texts.map(|text| text.measure().newlines).sum()
                }
            };
        }
        Ok(Node::Counted(count))
    }

    /// Packs the items of an array, of which one at a time is a node.
    fn pack<'de, A: SeqAccess<'de>>(self, shape: &'static Shape, mut items: A) -> Result<Node, A::Error> {
        let mut packer = Packer::array(shape);
        let item = ReadNode { shape: shape.item(), strings: self.strings };
        while let Some(node) = items.next_element_seed(item)? {
            packer.item(&node);
        }
        Ok(packer.end())
    }

    fn keeps_scalars(self) -> bool {
        use Shape::{Array, CountItems, CountLines, CountObjects, Drop, Noted, Object};
        !matches!(
            self.shape.bare(),
            Drop | Object(_) | Noted(_) | Array(_) | CountItems | CountObjects | CountLines(_)
        )
    }

    /// A scalar; where none is kept but an object or array could stand, something that is seen to be neither.
    fn scalar(self, node: Node) -> Node {
        match self.shape.bare() {
            Shape::Drop => Node::Null,
            _ if self.keeps_scalars() => node,
            _ => Node::Bool(false),
        }
    }
}

fn measured(whole: Measure) -> Node {
    Node::Cut(Box::new(CutText { preview: Box::default(), whole }))
}

impl<'de> Visitor<'de> for ReadNode {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(self.scalar(Node::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(self.scalar(Node::Integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(self.scalar(i64::try_from(value).map_or(Node::Float(value as f64), Node::Integer)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(self.scalar(Node::Float(value)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(self.string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let keeps = matches!(self.shape.bare(), Shape::All | Shape::Array(_) | Shape::Either { .. });
        match self.shape {
            Shape::CountItems | Shape::CountObjects | Shape::CountLines(_) => return self.count(items),
            Shape::Packed(shape) if keeps => return self.pack(shape, items),
            _ => {}
        }
        if !keeps {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Node::Array(Vec::new()));
        }
        let item = ReadNode { shape: self.shape.item(), strings: self.strings };
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element_seed(item)? {
            nodes.push(node);
        }
        nodes.shrink_to_fit();
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        if let Shape::Packed(shape) = self.shape {
            let node = ReadNode { shape: *shape, strings: self.strings }.visit_map(entries)?;
            return Ok(Packer::node(shape, node));
        }
        let mut fields: Vec<(Key, Node)> = Vec::new();
        let keeps =
            matches!(self.shape, Shape::All | Shape::Object(_) | Shape::Noted(_) | Shape::Either { .. });
        while let Some(field) = entries.next_key_seed(ReadKey(|key: &str| self.key(key)))? {
            let Some((key, shape)) = field else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let node = entries.next_value_seed(ReadNode { shape, strings: self.strings })?;
            // Of a repeated key the last value counts. Only keys of the schema are few enough to be looked for here:
            // an image can be an object of a hundred thousand keys.
            let known =
                matches!(key, Key::Known(_)).then(|| fields.iter_mut().find(|(name, _)| *name == key));
            match known.flatten() {
                Some((_, value)) => *value = node,
                None => fields.push((key, node)),
            }
        }
        fields.shrink_to_fit();
        Ok(Node::Object(if keeps { fields } else { Vec::new() }))
    }
}

/// Reads a key as what a function makes of it.
pub struct ReadKey<F>(pub F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for ReadKey<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for ReadKey<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}
