//! What somebody may have meant who wrote something else.

/// Of these words the one that is nearest to what was written; none where none is near. Upper and
/// lower case are the same, and so are the dashes of commands and the underscores of fields.
pub fn closest<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = letters(written);
    let far = 1 + written.len() / 4;
    let near = |word: &'a str| {
        let distance = distance(&written, &letters(word), far)?;
        Some((distance, word))
    };
    let found = words.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance);
    found.map(|(_, word)| word)
}

fn letters(word: &str) -> Vec<char> {
    let longest = word.chars().take(LONGEST);
    longest.flat_map(char::to_lowercase).map(|sign| if sign == '_' { '-' } else { sign }).collect()
}

/// How many letters are left out, put in, changed or swapped with the next; none beyond `far`.
fn distance(one: &[char], other: &[char], far: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > far {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, left) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, right) in other.iter().enumerate() {
            let changed = row[j] + usize::from(left != right);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            let swapped = i > 0 && j > 0 && *left == other[j - 1] && one[i - 1] == *right;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = core::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|distance| *distance <= far)
}

/// Words are not longer; what is, is compared by its beginning.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn what_is_near_was_meant_and_what_is_far_was_not() {
        let kinds = ["phone", "line", "device-pool", "phone-model"];
        for (written, meant) in [
            ("phnoe", Some("phone")),
            ("Phones", Some("phone")),
            ("device_poll", Some("device-pool")),
            ("lien", Some("line")),
            ("phone-modle", Some("phone-model")),
            ("trunk", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(written, kinds), meant, "{written}");
        }
    }
}
