//! Shell patterns as Go's `path.Match` knows them: `*`, `?`, `[a-z]`, `[^a]`, and backslashes.

/// A pattern that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadPattern;

/// Whether a name fits.
pub(crate) fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pieces = parsed(pattern)?;
    let letters: Vec<char> = name.chars().collect();
    Ok(fits(&pieces, &letters))
}

enum Piece {
    Any,
    One,
    Letter(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

fn parsed(pattern: &str) -> Result<Vec<Piece>, BadPattern> {
    let mut pieces = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Letter(letters.next().ok_or(BadPattern)?),
            '[' => {
                let negated = letters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    if letters.peek() == Some(&']') && !ranges.is_empty() {
                        letters.next();
                        break;
                    }
                    let low = class_letter(&mut letters)?;
                    let high = match letters.next_if_eq(&'-') {
                        Some(_) => class_letter(&mut letters)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Piece::Class { negated, ranges }
            }
            _ => Piece::Letter(letter),
        });
    }
    Ok(pieces)
}

fn class_letter(letters: &mut impl Iterator<Item = char>) -> Result<char, BadPattern> {
    match letters.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => letters.next().ok_or(BadPattern),
        Some(letter) => Ok(letter),
    }
}

/// Greedy with one place to come back to: the time is bounded by the product of the lengths.
fn fits(pieces: &[Piece], letters: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pieces.get(at), letters.get(place)) {
            (None, None) => return true,
            (Some(Piece::Any), _) => {
                retry = Some((at + 1, place));
                at += 1;
                continue;
            }
            (Some(piece), Some(&letter)) if fits_one(piece, letter) => {
                at += 1;
                place += 1;
                continue;
            }
            (_, _) => {}
        }
        match retry {
            Some((back, from)) if from < letters.len() => {
                retry = Some((back, from + 1));
                at = back;
                place = from + 1;
            }
            Some(_) | None => return false,
        }
    }
}

fn fits_one(piece: &Piece, letter: char) -> bool {
    match piece {
        Piece::Any => false,
        Piece::One => letter != '/',
        Piece::Letter(own) => *own == letter,
        Piece::Class { negated, ranges } => {
            ranges.iter().any(|&(low, high)| low <= letter && letter <= high) != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BadPattern;
    use super::matches;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, fits) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txtx", false),
            ("[ab].*", "b.conf", true),
            ("[^ab].*", "b.conf", false),
            ("?u?", "sub", true),
            ("*a*b*c", "xaybzc", true),
            ("*a*b*c", "xaybz", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), Ok(fits), "{pattern} {name}");
        }
        for bad in ["[", "[]", "[a", "[-]", "a\\"] {
            assert_eq!(matches(bad, "x"), Err(BadPattern), "{bad}");
        }
    }
}
