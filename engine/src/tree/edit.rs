//! The operations of an append log, applied to a tree.

use super::{Key, Node, Shape};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A key of an object.
    Key(Box<str>),
    /// An index of an array.
    Index(usize),
}

/// What an operation does at the end of its path.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Puts a value there.
    Set(Node),
    /// Cuts an array to its first items, when a length is given, and appends others.
    Push {
        /// Items that stay.
        keep: Option<usize>,
        /// Items that are appended.
        items: Vec<Node>,
    },
    /// Removes what is there: of an array, the item becomes null.
    Delete,
}

/// Why an operation could not be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// An index is larger than the array is long.
    #[error("index {0} lies beyond the end of its array")]
    BeyondEnd(usize),
    /// A path goes through something that has no such part.
    #[error("the path goes through a value that is no container of that kind")]
    NotAContainer,
    /// Items are appended to something that is no array.
    #[error("items are appended to a value that is no array")]
    NotAnArray,
    /// A key that would reach into a JavaScript object's prototype.
    #[error("the path has a forbidden key")]
    ForbiddenKey,
}

/// Applies an operation at a path below `root`; parts of the path that no field of `shape` uses change nothing.
///
/// # Errors
/// When the operation cannot be applied; `root` is then unchanged.
pub fn edit(root: &mut Node, shape: Shape, path: &[Segment], operation: Edit) -> Result<(), EditError> {
    if path.iter().any(|segment| matches!(segment, Segment::Key(key) if is_forbidden(key))) {
        return Err(EditError::ForbiddenKey);
    }
    let names = known_keys(shape, path);
    unpack(root, &path[..names.len()], matches!(operation, Edit::Push { .. }));
    if names.len() < path.len() {
        let end = check(root, &path[..names.len()], &Edit::Set(Node::Null))?;
        return if can_have(end, &path[names.len()]) { Ok(()) } else { Err(EditError::NotAContainer) };
    }
    let end = check(root, path, &operation)?;
    // What is not there is not made in order to be deleted.
    if matches!(operation, Edit::Delete) && end.is_none() {
        return Ok(());
    }
    let mut target = root;
    for (depth, segment) in path.iter().enumerate() {
        if depth + 1 == path.len() && matches!(operation, Edit::Delete) {
            delete(target, segment);
            return Ok(());
        }
        let next_is_array = match path.get(depth + 1) {
            Some(segment) => matches!(segment, Segment::Index(_)),
            None => matches!(operation, Edit::Push { .. }),
        };
        target = child(target, segment, names[depth], next_is_array);
    }
    match operation {
        Edit::Set(value) => *target = value,
        Edit::Push { keep, items } => push(target, keep, items),
        Edit::Delete => {}
    }
    Ok(())
}

fn is_forbidden(key: &str) -> bool {
    matches!(key, "__proto__" | "constructor" | "prototype")
}

/// The schema's own name of each key on the path, as far as the schema describes it.
fn known_keys(mut shape: Shape, path: &[Segment]) -> Vec<&'static str> {
    let mut names = Vec::with_capacity(path.len());
    for segment in path {
        let (name, next) = match segment {
            Segment::Key(key) => match shape.field(key) {
                Some(field) => field,
                None => break,
            },
            Segment::Index(_) => ("", shape.item()),
        };
        if matches!(next, Shape::Drop) && !matches!(shape.bare(), Shape::Array(_) | Shape::Noted(_)) {
            break;
        }
        names.push(name);
        shape = next;
    }
    names
}

/// Unpacks what the path goes through, and what it ends at where that is changed rather than replaced: no value becomes another by it.
fn unpack(root: &mut Node, path: &[Segment], to_the_end: bool) {
    let mut current = root;
    for (depth, segment) in (0..).zip(path) {
        *current = std::mem::take(current).unpacked();
        let next = match (current, segment) {
            (Node::Object(fields), Segment::Key(key)) => {
                fields.iter_mut().rev().find(|(name, _)| name.as_str() == &**key).map(|(_, value)| value)
            }
            (Node::Array(items), Segment::Index(index)) => items.get_mut(*index),
            _ => None,
        };
        match next {
            Some(next) => current = next,
            None => return,
        }
        if depth + 1 == path.len() && to_the_end {
            *current = std::mem::take(current).unpacked();
        }
    }
}

/// Whether a value can have such a part.
fn can_have(node: Option<&Node>, segment: &Segment) -> bool {
    match node {
        None | Some(Node::Null) => true,
        Some(node @ (Node::Object(_) | Node::Array(_) | Node::Packed(_))) => {
            matches!(segment, Segment::Key(_)) == node.is_object()
        }
        Some(_) => false,
    }
}

/// Walks the path without changing anything; gives what stands at its end.
fn check<'a>(root: &'a Node, path: &[Segment], operation: &Edit) -> Result<Option<&'a Node>, EditError> {
    let mut current = Some(root);
    for (depth, segment) in path.iter().enumerate() {
        let last_delete = depth + 1 == path.len() && matches!(operation, Edit::Delete);
        current = match (current, segment) {
            (None | Some(Node::Null), Segment::Index(index))
                if *index > 0 && !matches!(operation, Edit::Delete) =>
            {
                return Err(EditError::BeyondEnd(*index));
            }
            (None | Some(Node::Null), _) => None,
            (Some(Node::Object(_)), Segment::Key(key)) => current.and_then(|node| node.get(key)),
            (Some(Node::Array(items)), Segment::Index(index)) => {
                if *index > items.len() && !last_delete {
                    return Err(EditError::BeyondEnd(*index));
                }
                items.get(*index)
            }
            _ => return Err(EditError::NotAContainer),
        };
    }
    match (operation, current) {
        (Edit::Push { .. }, Some(node)) if !matches!(node, Node::Array(_) | Node::Null) => {
            Err(EditError::NotAnArray)
        }
        _ => Ok(current),
    }
}

/// The part of a container that a segment names, made when it is missing or null.
fn child<'a>(node: &'a mut Node, segment: &Segment, name: &'static str, make_array: bool) -> &'a mut Node {
    if matches!(node, Node::Null) {
        *node = match segment {
            Segment::Key(_) => Node::Object(Vec::new()),
            Segment::Index(_) => Node::Array(Vec::new()),
        };
    }
    let slot = match (node, segment) {
        (Node::Object(fields), Segment::Key(key)) => {
            let at = fields.iter().rposition(|(field, _)| field.as_str() == &**key).unwrap_or_else(|| {
                fields.push((Key::Known(name), Node::Null));
                fields.len() - 1
            });
            &mut fields[at].1
        }
        (Node::Array(items), Segment::Index(index)) => {
            if *index == items.len() {
                items.push(Node::Null);
            }
            &mut items[*index]
        }
        _ => unreachable!("the path was checked"),
    };
    if make_array && matches!(slot, Node::Null) {
        *slot = Node::Array(Vec::new());
    }
    slot
}

fn push(target: &mut Node, keep: Option<usize>, mut items: Vec<Node>) {
    let Node::Array(present) = target else { return };
    if let Some(keep) = keep {
        present.truncate(keep);
    }
    present.append(&mut items);
}

fn delete(node: &mut Node, segment: &Segment) {
    match (node, segment) {
        (Node::Object(fields), Segment::Key(key)) => fields.retain(|(field, _)| field.as_str() != &**key),
        (Node::Array(items), Segment::Index(index)) => {
            if let Some(item) = items.get_mut(*index) {
                *item = Node::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: Shape =
        Shape::Object(&[("requests", Shape::Array(&Shape::Object(&[("id", Shape::Scalar)])))]);

    fn path(segments: &[&str]) -> Vec<Segment> {
        segments
            .iter()
            .map(|text| text.parse().map_or_else(|_| Segment::Key((*text).into()), Segment::Index))
            .collect()
    }

    fn apply(root: &mut Node, segments: &[&str], operation: Edit) -> Result<(), EditError> {
        edit(root, STATE, &path(segments), operation)
    }

    fn numbers(root: &Node) -> Vec<Option<i64>> {
        root.items_at("requests").iter().map(|item| item.integer_at("id")).collect()
    }

    #[test]
    fn missing_containers_are_made() {
        let mut root = Node::default();
        apply(&mut root, &["requests", "0", "id"], Edit::Set(Node::Integer(7))).unwrap();
        assert_eq!(numbers(&root), [Some(7)]);
    }

    #[test]
    fn a_push_with_an_index_truncates_first() {
        let item = |id| Node::Object(vec![(Key::Known("id"), Node::Integer(id))]);
        let mut root = Node::default();
        apply(&mut root, &["requests"], Edit::Push { keep: None, items: vec![item(1), item(2), item(3)] })
            .unwrap();
        apply(&mut root, &["requests"], Edit::Push { keep: Some(1), items: vec![item(9)] }).unwrap();
        assert_eq!(numbers(&root), [Some(1), Some(9)]);
        apply(&mut root, &["requests"], Edit::Push { keep: Some(0), items: vec![] }).unwrap();
        assert_eq!(numbers(&root), []);
    }

    #[test]
    fn a_deleted_item_becomes_null_and_a_deleted_key_goes() {
        let mut root = Node::default();
        apply(&mut root, &["requests", "0", "id"], Edit::Set(Node::Integer(7))).unwrap();
        apply(&mut root, &["requests", "0", "id"], Edit::Delete).unwrap();
        assert_eq!(root.items_at("requests")[0], Node::Object(vec![]));
        apply(&mut root, &["requests", "0"], Edit::Delete).unwrap();
        assert_eq!(root.items_at("requests")[0], Node::Null);
        apply(&mut root, &["requests", "5"], Edit::Delete).unwrap();
        apply(&mut root, &["requests", "1", "id"], Edit::Delete).unwrap();
        assert_eq!(root.items_at("requests").len(), 1, "nothing is made in order to be deleted");
    }

    #[test]
    fn what_cannot_be_applied_changes_nothing() {
        let mut root = Node::default();
        apply(&mut root, &["requests", "0", "id"], Edit::Set(Node::Integer(7))).unwrap();
        let before = root.clone();
        assert_eq!(
            apply(&mut root, &["requests", "2000000000"], Edit::Set(Node::Null)),
            Err(EditError::BeyondEnd(2_000_000_000))
        );
        assert_eq!(
            apply(&mut root, &["requests", "id"], Edit::Set(Node::Null)),
            Err(EditError::NotAContainer),
            "an array has no keys"
        );
        assert_eq!(
            apply(&mut root, &["requests", "0", "other", "1"], Edit::Set(Node::Null)),
            Ok(()),
            "no field uses this path"
        );
        assert_eq!(apply(&mut root, &["__proto__"], Edit::Delete), Err(EditError::ForbiddenKey));
        assert_eq!(
            apply(&mut root, &["requests", "0", "id"], Edit::Push { keep: None, items: vec![] }),
            Err(EditError::NotAnArray)
        );
        assert_eq!(root, before);
    }
}
