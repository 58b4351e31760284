//! Rules are cited by their ids in the comments of code and tests, in the names of tests and in
//! transcripts, and `docs/protocol.md` says what each of them means: neither has an id that the
//! other lacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The letters that ids begin with.
const FAMILIES: &str = "WHKSA";

/// A family's letter and a number.
type Id = (char, u16);

/// A rule as the page has it.
struct Rule {
    id: Id,
    /// What stands in brackets behind the id, and spares the code from citing it: ids of other
    /// rules, or why there is nothing to cite.
    instead: Option<String>,
}

#[test]
fn every_cited_rule_is_on_the_page() {
    let page = page();
    let known: BTreeSet<Id> = rules(&page).iter().map(|rule| rule.id).collect();
    let on_the_page = page.lines().map(|line| ("docs/protocol.md".to_owned(), line.to_owned()));
    let unknown: Vec<String> = passages()
        .into_iter()
        .chain(on_the_page)
        .flat_map(|(place, text)| ids(&text).into_iter().map(move |id| (place.clone(), id)))
        .filter(|(_, id)| !known.contains(id))
        .map(|(place, (family, number))| format!("{place}: {family}{number}"))
        .collect();
    assert!(unknown.is_empty(), "these are not in docs/protocol.md:\n{}", unknown.join("\n"));
}

#[test]
fn every_rule_is_cited() {
    let cited: BTreeSet<Id> = passages().iter().flat_map(|(_, text)| ids(text)).collect();
    let unused: Vec<String> = rules(&page())
        .into_iter()
        .filter(|rule| rule.instead.is_none() && !cited.contains(&rule.id))
        .map(|Rule { id: (family, number), .. }| format!("{family}{number}"))
        .collect();
    assert!(unused.is_empty(), "nothing cites these rules: {}", unused.join(", "));
}

#[test]
fn no_rule_is_there_twice() {
    let rules = rules(&page());
    let distinct: BTreeSet<Id> = rules.iter().map(|rule| rule.id).collect();
    assert_eq!(distinct.len(), rules.len());
    assert!(rules.iter().filter(|rule| rule.id.0 == 'W').count() > 50, "the page can be read");
}

#[test]
fn ids_are_found_in_sentences() {
    assert_eq!(
        ids("W4, (H2) and K11's; not AW1, W, W1x, V4 or w5"),
        [('W', 4), ('H', 2), ('K', 11)]
    );
    assert_eq!(ids("from H11 to H13"), [('H', 11), ('H', 12), ('H', 13)]);
    assert_eq!(ids("H1-H3"), [('H', 1), ('H', 2), ('H', 3)]);
    assert_eq!(cited_in("let a = W1; // as of W2: see W3", "rs"), "as of W2: see W3");
    assert_eq!(cited_in("//! How W2 goes", "rs"), "How W2 goes");
    assert_eq!(cited_in("fn w22_kinds_are_prefixes() {", "rs"), "W22");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/protocol.md")).expect("the page is there")
}

/// A rule begins with its id in bold: `- **W1** ..`, `- **S3** (W11) ..`, `**A1** ..`.
fn rules(page: &str) -> Vec<Rule> {
    let heads = page.lines().filter_map(|line| {
        let (id, text) = line.trim_start_matches("- ").strip_prefix("**")?.split_once("**")?;
        let [id] = ids(id)[..] else { return None };
        let brackets = text.strip_prefix(" (").and_then(|text| text.split_once(')'));
        Some(Rule { id, instead: brackets.map(|(inside, _)| inside.to_owned()) })
    });
    heads.collect()
}

/// Every passage of the repository's code that may cite rules, with the place where it stands.
fn passages() -> Vec<(String, String)> {
    let mut passages = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "fuzz", "tests", "tools"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("folders can be read") {
            let path = entry.expect("folders can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !["node_modules", "target", "corpus"].contains(&&*name) {
                folders.push(path);
                continue;
            }
            let kind = path.extension().unwrap_or_default().to_string_lossy();
            if ["rs", "js", "py", "jsonl"].contains(&&*kind) {
                let text = fs::read_to_string(&path).expect("code is UTF-8");
                let place = path.strip_prefix(root()).unwrap_or(&path).display();
                passages.extend(
                    text.lines()
                        .enumerate()
                        .map(|(at, line)| (format!("{place}:{}", at + 1), cited_in(line, &kind))),
                );
            }
        }
    }
    passages
}

/// The part of a line that may cite rules.
fn cited_in(line: &str, kind: &str) -> String {
    match kind {
        "jsonl" => {
            let step: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            step["why"].as_str().unwrap_or_default().to_owned()
        }
        // Python has citations in texts, too: those that say what a class or function is for.
        "py" => line.to_owned(),
        _ => match line.trim_start().strip_prefix("fn ") {
            Some(name) => name.split('_').next().unwrap_or_default().to_uppercase(),
            None => {
                let comment = line.split_once("// ").or_else(|| line.split_once("//! "));
                comment.map_or("", |(_, comment)| comment).to_owned()
            }
        },
    }
}

/// The ids in a text, those between the ends of a range (`H1 to H3`, `H1-H3`) as well.
fn ids(text: &str) -> Vec<Id> {
    let text = text.replace('-', " to ");
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let mut found: Vec<Id> = Vec::new();
    let mut range = false;
    for word in words {
        if let Some((family, number)) = id(word) {
            match found.last() {
                Some(&(same, first)) if range && same == family => {
                    found.extend((first + 1..number).map(|between| (family, between)));
                }
                _ => {}
            }
            found.push((family, number));
        }
        range = word == "to";
    }
    found
}

fn id(word: &str) -> Option<Id> {
    let family = word.chars().next().filter(|&letter| FAMILIES.contains(letter))?;
    let digits = &word[1..];
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some((family, digits.parse().ok().filter(|_| is_number)?))
}
