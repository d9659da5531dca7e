//! Maps whose texts are on a ledger, so that what comes in and what goes is counted in one place.

use std::collections::BTreeMap;

use crate::view::ledger::Ledger;

/// Something that a map holds.
pub(in crate::view) trait Held {
    /// Bytes of its texts.
    fn bytes(&self) -> usize;
}

impl Held for Box<str> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Held for () {
    fn bytes(&self) -> usize {
        0
    }
}

impl Held for i64 {
    fn bytes(&self) -> usize {
        size_of::<i64>()
    }
}

/// A map from ids.
#[derive(Debug)]
pub(in crate::view) struct Shelf<V>(BTreeMap<Box<str>, V>);

impl<V> Default for Shelf<V> {
    fn default() -> Shelf<V> {
        Shelf(BTreeMap::new())
    }
}

impl<V: Held> Shelf<V> {
    /// Puts a value in place of what was there.
    pub(in crate::view) fn put(&mut self, ledger: &mut Ledger, key: &str, value: V) {
        self.take(ledger, key);
        ledger.add((key.len() + value.bytes()) as u64);
        self.0.insert(key.into(), value);
    }

    /// Takes a value out.
    pub(in crate::view) fn take(&mut self, ledger: &mut Ledger, key: &str) -> Option<V> {
        let value = self.0.remove(key)?;
        ledger.remove((key.len() + value.bytes()) as u64);
        Some(value)
    }

    /// Changes a value where it is.
    pub(in crate::view) fn change<R>(
        &mut self,
        ledger: &mut Ledger,
        key: &str,
        change: impl FnOnce(&mut V) -> R,
    ) -> Option<R> {
        let value = self.0.get_mut(key)?;
        let before = value.bytes() as u64;
        let result = change(value);
        let after = value.bytes() as u64;
        if after > before {
            ledger.grow(after - before)
        } else {
            ledger.shrink(before - after)
        }
        Some(result)
    }

    /// Takes out what a test says.
    pub(in crate::view) fn take_if(
        &mut self,
        ledger: &mut Ledger,
        mut is_taken: impl FnMut(&str, &V) -> bool,
    ) {
        self.0.retain(|key, value| {
            let is_taken = is_taken(key, value);
            if is_taken {
                ledger.remove((key.len() + value.bytes()) as u64);
            }
            !is_taken
        });
    }

    pub(in crate::view) fn clear(&mut self, ledger: &mut Ledger) {
        self.take_if(ledger, |_, _| true);
    }

    pub(in crate::view) fn get(&self, key: &str) -> Option<&V> {
        self.0.get(key)
    }

    pub(in crate::view) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(in crate::view) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::view) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    pub(in crate::view) fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.keys().map(|key| &**key)
    }

    /// Bytes and entries, counted anew.
    pub(in crate::view) fn walk(&self) -> (u64, u64) {
        let bytes = self.0.iter().map(|(key, value)| key.len() + value.bytes()).sum::<usize>();
        (bytes as u64, self.0.len() as u64)
    }
}

/// A map from ids to maps from ids; none of those is empty.
#[derive(Debug)]
pub(in crate::view) struct Lists<V>(BTreeMap<Box<str>, Shelf<V>>);

impl<V> Default for Lists<V> {
    fn default() -> Lists<V> {
        Lists(BTreeMap::new())
    }
}

impl<V: Held> Lists<V> {
    pub(in crate::view) fn put(&mut self, ledger: &mut Ledger, list: &str, key: &str, value: V) {
        if !self.0.contains_key(list) {
            ledger.add(list.len() as u64);
        }
        self.0.entry(list.into()).or_default().put(ledger, key, value);
    }

    pub(in crate::view) fn take(&mut self, ledger: &mut Ledger, list: &str, key: &str) -> Option<V> {
        let shelf = self.0.get_mut(list)?;
        let value = shelf.take(ledger, key);
        if shelf.len() == 0 {
            self.take_list(ledger, list);
        }
        value
    }

    /// Takes a whole list out.
    pub(in crate::view) fn take_list(&mut self, ledger: &mut Ledger, list: &str) {
        if let Some(mut shelf) = self.0.remove(list) {
            shelf.clear(ledger);
            ledger.remove(list.len() as u64);
        }
    }

    /// Takes out of a list what a test says.
    pub(in crate::view) fn take_if(
        &mut self,
        ledger: &mut Ledger,
        list: &str,
        is_taken: impl FnMut(&str, &V) -> bool,
    ) {
        let Some(shelf) = self.0.get_mut(list) else { return };
        shelf.take_if(ledger, is_taken);
        if shelf.len() == 0 {
            self.take_list(ledger, list);
        }
    }

    pub(in crate::view) fn change<R>(
        &mut self,
        ledger: &mut Ledger,
        list: &str,
        key: &str,
        change: impl FnOnce(&mut V) -> R,
    ) -> Option<R> {
        self.0.get_mut(list)?.change(ledger, key, change)
    }

    pub(in crate::view) fn list(&self, list: &str) -> Option<&Shelf<V>> {
        self.0.get(list)
    }

    /// The entries of a list, none where there is no list, in the order of their keys.
    pub(in crate::view) fn of(&self, list: &str) -> impl DoubleEndedIterator<Item = (&str, &V)> {
        self.0.get(list).into_iter().flat_map(Shelf::iter)
    }

    pub(in crate::view) fn get(&self, list: &str, key: &str) -> Option<&V> {
        self.0.get(list)?.get(key)
    }

    pub(in crate::view) fn contains(&self, list: &str, key: &str) -> bool {
        self.get(list, key).is_some()
    }

    /// How many entries a list has.
    pub(in crate::view) fn len_of(&self, list: &str) -> usize {
        self.0.get(list).map_or(0, Shelf::len)
    }

    pub(in crate::view) fn lists(&self) -> impl Iterator<Item = (&str, &Shelf<V>)> {
        self.0.iter().map(|(list, shelf)| (&**list, shelf))
    }

    /// How many entries all lists have.
    pub(in crate::view) fn len(&self) -> usize {
        self.0.values().map(Shelf::len).sum()
    }

    /// Bytes and entries, counted anew.
    pub(in crate::view) fn walk(&self) -> (u64, u64) {
        let lists = self.0.iter().map(|(list, shelf)| (list.len() as u64, shelf.walk()));
        lists.fold((0, 0), |(bytes, entries), (list, (inner, count))| {
            (bytes + list + inner, entries + 1 + count)
        })
    }
}
