//! The search for leaked passwords.

/// Which of these secrets stand in a text. It first proves that it would find one, by planting it.
pub(crate) fn leaked<'a>(secrets: &'a [String], text: &str) -> Vec<&'a str> {
    let find = |text: &str| -> Vec<&'a str> {
        secrets.iter().map(String::as_str).filter(|secret| text.contains(secret)).collect()
    };
    for secret in secrets {
        let planted = format!("{text}\nAUTH {secret}!");
        assert!(find(&planted).contains(&secret.as_str()), "the search finds nothing");
    }
    find(text)
}

#[test]
fn a_planted_password_is_found() {
    let secrets = ["one-secret".to_owned(), "another".to_owned()];
    assert_eq!(leaked(&secrets, "status-set waiting -- one-secret"), ["one-secret"]);
    assert!(leaked(&secrets, "status-set waiting -- nothing").is_empty());
}
