//! The fields of an entry: numbers as varints (seven bits a byte, the lowest first), text and bytes
//! behind their length.

/// An entry that breaks its own format. It is ignored; what follows it is not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The entry ends in the middle of a field.
    #[error("the entry ends in the middle of its {0}")]
    Short(&'static str),
    /// A number has more than 64 bits, or more than fit where it belongs.
    #[error("{0} is too big a number")]
    TooBig(&'static str),
    /// Text that is no UTF-8.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
}

/// Appends the fields of an entry.
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn new(tag: u8, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity + 1);
        bytes.push(tag);
        Writer(bytes)
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Text that may be missing: what is there is one longer.
    pub(crate) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.number(text.len() as u64 + 1);
                self.0.extend_from_slice(text.as_bytes());
            }
            None => self.number(0),
        }
    }
}

/// Takes fields off the front of an entry. `what` names the field in errors.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn number(&mut self, what: &'static str) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed::Short(what))?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed::TooBig(what))
    }

    pub(crate) fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, Malformed> {
        T::try_from(self.number(what)?).map_err(|_| Malformed::TooBig(what))
    }

    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.number(what)?;
        self.take(length, what)
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, Malformed> {
        str::from_utf8(self.bytes(what)?).map_err(|_| Malformed::NotText(what))
    }

    pub(crate) fn optional(&mut self, what: &'static str) -> Result<Option<&'a str>, Malformed> {
        let Some(length) = self.number(what)?.checked_sub(1) else { return Ok(None) };
        let text = str::from_utf8(self.take(length, what)?);
        text.map(Some).map_err(|_| Malformed::NotText(what))
    }

    fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed::Short(what))?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }
}
