//! Bytes as a stranger may send them, and a property test of whoever reads them.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::peak;

/// How many times as many inputs are tried as proptest tries by default: they are short.
const TIMES: u32 = 200;

/// A fuzz target that is to be run as a property test: a function that panics if it is given bytes
/// for which its property does not hold.
pub struct HostileTarget<'a> {
    /// The test's file, as `file!()` gives it; inputs that failed are kept next to it.
    pub source_file: &'static str,
    /// What the target does with an input.
    pub run: fn(&[u8]),
    /// Valid inputs, which are changed a little.
    pub samples: &'a [Vec<u8>],
    /// How many bytes the target may allocate besides [`per_byte`](Self::per_byte).
    pub at_most: usize,
    /// How many bytes the target may allocate for each byte of the input.
    pub per_byte: usize,
}

impl HostileTarget<'_> {
    /// Runs the target with noise and with changed samples.
    ///
    /// # Panics
    /// The property does not hold, or too much memory was allocated. The message has the shortest
    /// such input that was found; the seed that led to it is kept for the next run.
    pub fn withstands_strangers(&self) {
        for sample in self.samples {
            self.withstands(sample).unwrap_or_else(|why| panic!("{why}: {}", printed(sample)));
        }
        let config = Config::with_source_file(self.source_file);
        let cases = config.cases.saturating_mul(TIMES);
        let mut runner = TestRunner::new(Config { cases, ..config });
        let inputs = hostile_bytes(self.samples.to_vec()).prop_map(Input);
        let outcome = runner.run(&inputs, |Input(input)| self.withstands(&input));
        if let Err(error) = outcome {
            panic!("{error}\n{runner}");
        }
    }

    fn withstands(&self, input: &[u8]) -> Result<(), TestCaseError> {
        let allowed = self.at_most + self.per_byte * input.len();
        let allocated = peak(|| (self.run)(input));
        prop_assert!(
            allocated <= allowed,
            "{allocated} bytes allocated, {allowed} are allowed for {} bytes of input",
            input.len()
        );
        Ok(())
    }
}

/// An input that can be pasted into a test when it is printed.
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printed(&self.0))
    }
}

fn printed(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}

/// Noise, and samples with a few changes.
pub fn hostile_bytes(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (select(samples), vec(change(), 0..6)).prop_map(|(mut bytes, changes)| {
        changes.into_iter().for_each(|change| change.apply(&mut bytes));
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => changed]
}

/// What happens to a sample.
#[derive(Clone, Debug)]
enum Mutation {
    /// These bytes come in place of those that are there.
    Overwrite(Index, Vec<u8>),
    /// These bytes come in between.
    Insert(Index, Vec<u8>),
    /// What is between two places is missing.
    Remove(Index, Index),
    /// What is between two places comes twice.
    Repeat(Index, Index),
    /// The end is missing.
    Cut(Index),
}

fn change() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), some_bytes()).prop_map(|(at, bytes)| Mutation::Overwrite(at, bytes)),
        2 => (at(), some_bytes()).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => (at(), at()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        1 => (at(), at()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        1 => at().prop_map(Mutation::Cut),
    ]
}

/// A few bytes: any, those that mean something in texts, and lengths that nobody has room for.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let huge = [1u64 << 60, u64::MAX, u64::MAX >> 1].map(|number| number.to_be_bytes().to_vec());
    let huge = [&huge[..], &[vec![0xff; 4], vec![0x7f, 0xff, 0xff, 0xff], vec![0xff; 9]]].concat();
    prop_oneof![
        4 => vec(any::<u8>(), 1..4),
        4 => select(b"\0\x01\x7f\x80\xff\r\n \t,:;-+#?/%019aA".to_vec()).prop_map(|byte| vec![byte]),
        1 => select(huge),
        1 => any::<i32>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

impl Mutation {
    fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: Index| at.index(bytes.len() + 1);
        let between = |from: Index, to: Index| {
            let (from, to) = (place(from), place(to));
            from.min(to)..from.max(to)
        };
        match self {
            Mutation::Overwrite(at, new) => {
                let at = place(at);
                let end = bytes.len().min(at + new.len());
                bytes.splice(at..end, new);
            }
            Mutation::Insert(at, new) => {
                let at = place(at);
                bytes.splice(at..at, new);
            }
            Mutation::Remove(from, to) => {
                bytes.drain(between(from, to));
            }
            Mutation::Repeat(from, to) => {
                let range = between(from, to);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, again);
            }
            Mutation::Cut(at) => bytes.truncate(place(at)),
        }
    }
}
