//! Where a page of messages ends, for a server that did not say it.

/// The letters of base64 for addresses.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The cursor of the page that ends before a message: the base64 of its id and its time.
pub(super) fn before(id: &str, created: i64) -> String {
    base64(serde_json::json!({"id": id, "time": created}).to_string().as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let joined = group.iter().fold(0_usize, |joined, byte| joined << 8 | usize::from(*byte));
        let joined = joined << (8 * (3 - group.len()));
        let letters = (0..=group.len()).map(|at| LETTERS[joined >> (18 - 6 * at) & 63]);
        text.extend(letters.map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_addresses_without_padding() {
        let found: Vec<String> = [&b""[..], b"f", b"fo", b"foo", &[0xfb, 0xff]].map(base64).into();
        assert_eq!(found, ["", "Zg", "Zm8", "Zm9v", "-_8"]);
        assert_eq!(before("msg_1", 5), base64(br#"{"id":"msg_1","time":5}"#));
    }
}
