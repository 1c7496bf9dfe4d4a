//! Reads the protobuf wire format: tags, varints, spans. It knows no message.

/// Why bytes are no message of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireFault(pub &'static str);

impl std::fmt::Display for WireFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer is no message of its type: {}", self.0)
    }
}

impl std::error::Error for WireFault {}

const TRUNCATED: WireFault = WireFault("it ends too early");

/// How a value lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireKind {
    Varint,
    Fixed64,
    Length,
    Fixed32,
}

/// A place in the bytes of a message.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// A field's number and how its value lies.
    pub(super) fn tag(&mut self) -> Result<(u32, WireKind), WireFault> {
        let tag = u32::try_from(self.varint()?).map_err(|_| WireFault("a tag is too large"))?;
        let kind = match tag & 7 {
            0 => WireKind::Varint,
            1 => WireKind::Fixed64,
            2 => WireKind::Length,
            5 => WireKind::Fixed32,
            _ => return Err(WireFault("a wire type is not known")),
        };
        match tag >> 3 {
            0 => Err(WireFault("a field has the number 0")),
            number => Ok((number, kind)),
        }
    }

    pub(super) fn varint(&mut self) -> Result<u64, WireFault> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(TRUNCATED)?;
            self.at += 1;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireFault("a varint is too long"))
    }

    /// The bytes of a value: for one with a length, what follows the length.
    pub(super) fn value(&mut self, kind: WireKind) -> Result<&'a [u8], WireFault> {
        let start = self.at;
        match kind {
            WireKind::Varint => {
                self.varint()?;
                Ok(&self.bytes[start..self.at])
            }
            WireKind::Fixed64 => self.take(8),
            WireKind::Fixed32 => self.take(4),
            WireKind::Length => {
                let length = usize::try_from(self.varint()?).map_err(|_| TRUNCATED)?;
                self.take(length)
            }
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], WireFault> {
        let end = self.at.checked_add(length).ok_or(TRUNCATED)?;
        let span = self.bytes.get(self.at..end).ok_or(TRUNCATED)?;
        self.at = end;
        Ok(span)
    }
}
