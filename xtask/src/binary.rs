//! The binary format of [WebAssembly](https://webassembly.github.io/spec/core/binary/), as far as the build reads and
//! changes it.

use anyhow::{Context, Result, bail};

/// The numbers of sections.
pub mod section {
    /// What has no number of its own, such as the names of functions.
    pub const CUSTOM: u8 = 0;
    /// What the program is given.
    pub const IMPORTS: u8 = 2;
    /// What it gives.
    pub const EXPORTS: u8 = 7;
    /// The functions.
    pub const CODE: u8 = 10;
}

/// Calls `change` with the number and the content of each section, which it may replace.
pub fn change_sections(
    program: &[u8],
    mut change: impl FnMut(u8, &[u8]) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<u8>> {
    let mut input = Input(program);
    let mut changed = input.take(8)?.to_vec();
    while !input.0.is_empty() {
        let number = input.byte()?;
        let content = input.bytes()?;
        changed.push(number);
        match change(number, content)? {
            Some(content) => write_bytes(&content, &mut changed),
            None => write_bytes(content, &mut changed),
        }
    }
    Ok(changed)
}

/// What has not been read yet.
#[derive(Clone, Copy)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Reads this many bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("it is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Reads a number in LEB128.
    pub fn number(&mut self) -> Result<usize> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        bail!("a number is too large")
    }

    /// Reads a text, before which stands its length.
    pub fn text(&mut self) -> Result<&'a str> {
        Ok(core::str::from_utf8(self.bytes()?)?)
    }

    /// Reads bytes, before which stands how many they are.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.number()?;
        self.take(length)
    }
}

/// Writes a number in LEB128.
pub fn write_number(mut number: usize, output: &mut Vec<u8>) {
    while number >= 0x80 {
        output.push(number as u8 | 0x80);
        number >>= 7;
    }
    output.push(number as u8);
}

/// Writes bytes with their length before them.
pub fn write_bytes(bytes: &[u8], output: &mut Vec<u8>) {
    write_number(bytes.len(), output);
    output.extend(bytes);
}
