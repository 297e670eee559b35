//! Secrets that others repeat in what they say.

/// The text with `***` in place of every secret, as it is or as a quoted text shows it.
///
/// The longest goes first: where one begins with another, nothing of it is left over.
pub fn masked<S: AsRef<str>>(text: &str, secrets: &[S]) -> String {
    let mut hidden: Vec<String> = secrets
        .iter()
        .map(AsRef::as_ref)
        .filter(|secret| secret.len() >= SHORTEST_MASKED)
        .flat_map(|secret| [secret.to_owned(), quoted(secret)])
        .collect();
    hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

/// With the escapes of JSON, and without its quotes.
fn quoted(secret: &str) -> String {
    let json = serde_json::to_string(secret).unwrap_or_default();
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(secret).to_owned()
}

/// In bytes: masking shorter values would only garble a message.
const SHORTEST_MASKED: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_as_it_is_and_as_a_quoted_text_shows_it() {
        for (text, secrets, shown) in [
            ("login secret7 failed", &["secret7"][..], "login *** failed"),
            (r#"at "a\"b\\c-d""#, &[r#"a"b\c-d"#], r#"at "***""#),
            ("secret77 and secret7", &["secret7", "secret77"], "*** and ***"),
            ("nothing here", &["secret7"], "nothing here"),
            ("short ones stay: abc", &["abc", ""], "short ones stay: abc"),
        ] {
            assert_eq!(masked(text, secrets), shown);
        }
    }
}
