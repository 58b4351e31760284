//! How a delivery is recognised without parsing JSON: every event's data begins with a fixed
//! marker and eight digits. It must not know what the number means.

use memchr::memmem;

const PREFIX: &[u8] = b"@load:";
const DIGITS: usize = 8;

/// The largest number a marker can carry, plus one.
pub(crate) const LIMIT: u32 = 100_000_000;

/// The shortest event data that holds a marker, in bytes.
pub(crate) const MIN_PAYLOAD: usize = PREFIX.len() + DIGITS;

/// Event data of exactly `length` bytes (at least [`MIN_PAYLOAD`]) that carries `id`.
pub(crate) fn payload(id: u32, length: usize) -> String {
    let mut data = format!("@load:{:08}", id % LIMIT);
    data.extend(std::iter::repeat_n('x', length.saturating_sub(MIN_PAYLOAD)));
    data
}

/// Finds markers; remembers where the last one was, since one server's frames are all alike.
#[derive(Default)]
pub(crate) struct Finder {
    place: usize,
}

impl Finder {
    /// The number in `frame`'s marker, `None` in a frame that is not one of our events.
    pub(crate) fn find(&mut self, frame: &[u8]) -> Option<u32> {
        if let Some(id) = number_at(frame, self.place) {
            return Some(id);
        }
        self.place = memmem::find(frame, PREFIX)?;
        number_at(frame, self.place)
    }
}

fn number_at(frame: &[u8], place: usize) -> Option<u32> {
    let digits = frame.get(place..place + MIN_PAYLOAD)?.strip_prefix(PREFIX)?;
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_wherever_it_stands() {
        let mut finder = Finder::default();
        assert_eq!(payload(42, 20), "@load:00000042xxxxxx");
        for lead in [0, 40, 40, 3] {
            let frame = format!("{}{}", "-".repeat(lead), payload(12_345_678, 14));
            assert_eq!(finder.find(frame.as_bytes()), Some(12_345_678));
        }
        for other in ["", "@load:1234567", "@load:1234567x", "{\"event\":\"other\"}"] {
            assert_eq!(finder.find(other.as_bytes()), None);
        }
    }
}
