//! Base64, as secrets, binary YAML and the output of actions have it.

/// The text of some bytes, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let padded = group.iter().copied().chain([0; 3]).take(3);
        let value = padded.fold(0_usize, |value, byte| value << 8 | usize::from(byte));
        for place in 0..4 {
            let digit = ALPHABET.get(value >> (18 - 6 * place) & 63);
            let digit = digit.filter(|_| place <= group.len());
            text.push(char::from(*digit.unwrap_or(&b'=')));
        }
    }
    text
}

/// The bytes of a text; line breaks in it do not count.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let text: Vec<u8> = text.bytes().filter(|each| !matches!(each, b'\n' | b'\r')).collect();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|each| **each == b'=').count();
    let (digits, _) = text.split_at_checked(text.len().checked_sub(padding)?)?;
    let (mut value, mut bits) = (0_u32, 0);
    for digit in digits {
        let place = ALPHABET.iter().position(|each| each == digit)?;
        value = (value << 6 | u32::try_from(place).ok()?) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(value >> bits & 0xff).ok()?);
        }
    }
    (padding <= 2).then_some(bytes)
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::decode;
    use super::encode;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let cases: [(&[u8], &str); 5] = [
            (b"", ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xff\xfe\x00\x10", "//4AEA=="),
        ];
        for (bytes, text) in cases {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        for broken in ["Zg", "Zg=", "Z===", "Z!==", "===="] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
