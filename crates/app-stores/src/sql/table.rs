//! The name of a table, which is the only text of others that becomes part of a query as it is.

use std::fmt;

use crate::OpenError;

/// What a name may be, to follow "must be".
const RIGHT: &str = "a table or schema.table, each of 1 to 63 characters and without quotes, `, \\ and control \
     characters";

/// A table, with its schema or not.
#[derive(Debug)]
pub(super) struct TableName {
    parts: Vec<String>,
}

impl TableName {
    /// The table that an option names. Both databases take the case as it is written.
    pub(super) fn new(key: &'static str, name: &str) -> Result<Self, OpenError> {
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        // 63 bytes in PostgreSQL, 64 characters in MySQL.
        let fits = |part: &String| {
            (1..=63).contains(&part.len())
                && !part.chars().any(|c| c.is_control() || "'\"`\\".contains(c))
                && part.trim() == part
        };
        match parts.len() <= 2 && parts.iter().all(fits) {
            true => Ok(Self { parts }),
            false => Err(OpenError::Option { key, value: format!("{name:?}"), right: RIGHT }),
        }
    }

    /// The name between quotes of the database's kind.
    pub(super) fn quoted(&self, quote: char) -> String {
        let quoted: Vec<String> =
            self.parts.iter().map(|part| format!("{quote}{part}{quote}")).collect();
        quoted.join(".")
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_becomes_part_of_a_query() {
        for (name, quoted) in [
            ("apps", "`apps`"),
            ("main.apps", "`main`.`apps`"),
            ("Apps-2", "`Apps-2`"),
            ("приложения", "`приложения`"),
            ("my apps", "`my apps`"),
        ] {
            assert_eq!(TableName::new("k", name).unwrap().quoted('`'), quoted);
        }
        let long = "a".repeat(64);
        for name in ["", ".", "a.", "a.b.c", "a`b", "a\"b", "a'b", "a\\b", "a\0b", " a", &long] {
            let error = TableName::new("appManager.mysql.table", name).unwrap_err().to_string();
            assert!(error.starts_with("appManager.mysql.table = "), "{error}");
        }
    }
}
