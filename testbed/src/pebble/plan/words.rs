//! Splits a command into words as a shell would, and nothing more: no variables, no globs.

use thiserror::Error;

/// Why a command cannot be split.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum WordsError {
    #[error("EOF found when expecting closing quote")]
    OpenQuote,
    #[error("EOF found after escape character")]
    OpenEscape,
    #[error("cannot start command with [ ... ] group")]
    GroupFirst,
    #[error("cannot have any arguments after [ ... ] group")]
    AfterGroup,
    #[error("cannot have ] outside of [ ... ] group")]
    OutsideGroup,
    #[error("cannot nest [ ... ] groups")]
    Nested,
}

/// A service's command: the words, default arguments between brackets included.
pub(crate) fn command(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let (mut inside, mut over) = (false, false);
    for word in split(text)? {
        if inside {
            match word.as_str() {
                "[" => return Err(WordsError::Nested),
                "]" => (inside, over) = (false, true),
                _ => words.push(word),
            }
            continue;
        }
        if over {
            return Err(WordsError::AfterGroup);
        }
        match word.as_str() {
            "[" if words.is_empty() => return Err(WordsError::GroupFirst),
            "[" => inside = true,
            "]" => return Err(WordsError::OutsideGroup),
            _ => words.push(word),
        }
    }
    Ok(words)
}

/// The words of a line; `#` begins a comment where a word would begin.
pub(crate) fn split(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut letters = text.chars();
    let mut word: Option<String> = None;
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                letters.by_ref().find(|&c| c == '\n');
            }
            '\'' => single(&mut letters, word.get_or_insert_default())?,
            '"' => double(&mut letters, word.get_or_insert_default())?,
            '\\' => {
                let escaped = letters.next().ok_or(WordsError::OpenEscape)?;
                word.get_or_insert_default().push(escaped);
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(letters: &mut impl Iterator<Item = char>, word: &mut String) -> Result<(), WordsError> {
    for letter in letters {
        if letter == '\'' {
            return Ok(());
        }
        word.push(letter);
    }
    Err(WordsError::OpenQuote)
}

fn double(letters: &mut impl Iterator<Item = char>, word: &mut String) -> Result<(), WordsError> {
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(()),
            '\\' => word.push(letters.next().ok_or(WordsError::OpenEscape)?),
            _ => word.push(letter),
        }
    }
    Err(WordsError::OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::WordsError;
    use super::command;

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(
            command(r#"a "b c" 'd e' f\ g h#i # j"#).unwrap(),
            ["a", "b c", "d e", "f g", "h#i"]
        );
        assert_eq!(command("a [ b 'c d' ]").unwrap(), ["a", "b", "c d"]);
        assert_eq!(command("a ''").unwrap(), ["a", ""]);
    }

    #[test]
    fn a_broken_command_is_refused() {
        assert_eq!(command("a 'b").unwrap_err(), WordsError::OpenQuote);
        assert_eq!(command("a \\").unwrap_err(), WordsError::OpenEscape);
        assert_eq!(command("[ b ]").unwrap_err(), WordsError::GroupFirst);
        assert_eq!(command("a [ b ] c").unwrap_err(), WordsError::AfterGroup);
        assert_eq!(command("a ]").unwrap_err(), WordsError::OutsideGroup);
        assert_eq!(command("a [ [ b ] ]").unwrap_err(), WordsError::Nested);
    }
}
