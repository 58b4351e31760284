//! The `.env` file: `NAME=value` lines, comments, `export`, single, double and back quotes.
//! Quoted values may span lines; only in double quotes are `\n`, `\r`, `\t`, `\"` and `\\`
//! replaced. Nothing is expanded. Of several lines with one name the last counts.

/// A variable's name and value.
type Variable = (String, String);

/// The variables, and the numbers of the lines (from 1) that could not be understood with the
/// reason. A broken line is not quoted: it may hold a secret.
pub(super) fn parse(text: &str) -> (Vec<Variable>, Vec<(usize, &'static str)>) {
    let mut variables: Vec<Variable> = Vec::new();
    let mut broken = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (length, found) = statement(rest);
        match found {
            Ok(Some((name, value))) => {
                variables.retain(|(known, _)| *known != name);
                variables.push((name, value));
            }
            Ok(None) => {}
            Err(reason) => broken.push((line, reason)),
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    (variables, broken)
}

/// The first statement, and its length with the line end.
fn statement(text: &str) -> (usize, Result<Option<Variable>, &'static str>) {
    let line_end = text.find('\n').map_or(text.len(), |end| end + 1);
    let line = text[..line_end].trim();
    if line.is_empty() || line.starts_with('#') {
        return (line_end, Ok(None));
    }
    let Some(equals) = text[..line_end].find('=') else {
        return (line_end, Err("expected NAME=value"));
    };
    let mut name = text[..equals].trim();
    if let Some(exported) = name.strip_prefix("export").filter(|n| n.starts_with([' ', '\t'])) {
        name = exported.trim_start();
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return (line_end, Err("expected NAME=value with letters, digits and _ in the name"));
    }
    let after = &text[equals + 1..];
    let value = after.trim_start_matches([' ', '\t']);
    let start = text.len() - value.len();
    let Some(quote) = value.chars().next().filter(|c| "'\"`".contains(*c)) else {
        let value = unquoted(&text[start.min(line_end)..line_end]);
        return (line_end, Ok(Some((name.to_owned(), value.to_owned()))));
    };
    match closing(&value[1..], quote) {
        Some(end) => {
            let inner = &value[1..=end];
            let inner = if quote == '"' { unescaped(inner) } else { inner.to_owned() };
            let after_quote = start + end + 2;
            let length = text[after_quote..].find('\n').map_or(text.len(), |n| after_quote + n + 1);
            let trailing = text[after_quote..length].trim();
            match trailing.is_empty() || trailing.starts_with('#') {
                true => (length, Ok(Some((name.to_owned(), inner)))),
                false => (length, Err("expected nothing after the closing quote")),
            }
        }
        None => (line_end, Err("the quote is never closed")),
    }
}

/// A value without quotes ends at a `#` that follows a space, or at the line's end.
fn unquoted(line: &str) -> &str {
    let comment = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line[..*at].is_empty() || line[..*at].ends_with([' ', '\t']));
    line[..comment.unwrap_or(line.len())].trim()
}

/// Where the quote is closed.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => value.push('\n'),
            ('\\', Some('r')) => value.push('\r'),
            ('\\', Some('t')) => value.push('\t'),
            ('\\', Some(kept @ ('"' | '\\'))) => value.push(kept),
            ('\\', Some(other)) => value.extend(['\\', other]),
            (c, _) => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_people_write() {
        let text = concat!(
            "# a comment\n",
            "\n",
            "PLAIN=a value # with a comment\r\n",
            "  export  EXPORTED = x\n",
            "HASH=a#b\n",
            "EMPTY=\n",
            "ONLY_COMMENT= # nothing\n",
            "SINGLE='a # \\n \"b\"' # comment\n",
            "DOUBLE=\"a\\nb \\\"c\\\" \\\\ \\x\"\n",
            "BACK=`it's \"so\"`\n",
            "LINES=\"one\ntwo\"\n",
            "EQUALS=a=b\n",
            "TWICE=1\n",
            "TWICE=2\n",
            "JSON=[{\"url\": \"https://x/\"}]\n",
            "LAST='x'",
        );
        let (variables, broken) = parse(text);
        assert_eq!(broken, []);
        let expected = [
            ("PLAIN", "a value"),
            ("EXPORTED", "x"),
            ("HASH", "a#b"),
            ("EMPTY", ""),
            ("ONLY_COMMENT", ""),
            ("SINGLE", "a # \\n \"b\""),
            ("DOUBLE", "a\nb \"c\" \\ \\x"),
            ("BACK", "it's \"so\""),
            ("LINES", "one\ntwo"),
            ("EQUALS", "a=b"),
            ("TWICE", "2"),
            ("JSON", "[{\"url\": \"https://x/\"}]"),
            ("LAST", "x"),
        ];
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(variables, expected);
    }

    #[test]
    fn names_the_lines_it_does_not_understand() {
        let (variables, broken) = parse("A=\"x\ny\"\nnonsense\nB C=1\nD='x' y\nE=\"open\nF=1\n");
        let lines: Vec<usize> = broken.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6]);
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "F"]);
    }
}
