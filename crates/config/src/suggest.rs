//! "Did you mean": the known name that is nearest to an unknown one.

/// Names longer than this are not compared: the cost is the product of the lengths.
const MAX_LENGTH: usize = 100;

/// The known name that was probably meant: the same but for case and separators, one slip
/// away, made of the same words and some more, or a few slips away.
pub(crate) fn suggest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > MAX_LENGTH {
        return None;
    }
    let (given_bare, given_words) = (bare(given), words(given));
    known
        .filter_map(|name| {
            let bare = bare(name);
            let slips = distance(&given_bare, &bare);
            let longest = given_bare.len().max(bare.len());
            let has_words = given_words.len() > 1 && {
                let words = words(name);
                given_words.iter().all(|word| words.contains(word))
            };
            // Lower is nearer.
            let rank = match slips {
                0..=1 if slips * 3 <= longest => slips,
                _ if has_words => 2 + longest - given_bare.len(),
                _ if slips * 3 <= longest => 100 + slips,
                _ => return None,
            };
            Some((rank, name))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, name)| name)
}

/// Letters and digits in lower case.
fn bare(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of `A_NAME`, `a.name` or `aName`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal
/// string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["METRICS_HOST", "METRICS_SERVER_PORT", "DB_REDIS_HOST", "adapter.driver"];
        for (given, meant) in [
            ("METRICS_PORT", Some("METRICS_SERVER_PORT")),
            ("REDIS_HOST", Some("DB_REDIS_HOST")),
            ("adaptor.driver", Some("adapter.driver")),
            ("adapterDriver", Some("adapter.driver")),
            ("ADAPTER_DRIVRE", Some("adapter.driver")),
            ("kubernetes", None),
            ("", None),
        ] {
            assert_eq!(suggest(given, known.into_iter()), meant, "{given}");
        }
    }
}
