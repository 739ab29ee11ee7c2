//! From the object's bytes to UTF-8: the layer below the CSV reader, for in some encodings the second byte of a character
//! looks like a quote's escape or a delimiter. The encoding is what a byte order mark says, else what the import declares,
//! else what is detected at the first byte that is not ASCII. UTF-8 is passed on as it is: its broken bytes are left to
//! the checks of each row, which can tell the line.

mod detect;
mod foreign;
mod format;
mod tables;
mod transcode;
mod unpack;
mod utf8_reader;

#[cfg(test)]
mod tests;

use std::io::{self, Read};

use statemachine::{Encoding, FailureName, ImportOptions};

use crate::failure::Failure;
use detect::seven_bit::Found;
use detect::{Guess, Later};
pub(crate) use format::{EncodingFrom, Format};
#[cfg(test)]
pub(crate) use tables::{decoded, encoded};
use transcode::Transcoder;
pub(crate) use transcode::first_undecodable;
use unpack::Unpacked;
pub use utf8_reader::Utf8Reader;

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a chunk is read over.
static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// Bytes of the beginning that are looked at for what a file is, and for UTF-16 without a mark.
const HEAD_BYTES: usize = 4096;

/// Bytes that are looked at, from the first that is not ASCII on, to tell the encoding.
const LOOK_AHEAD_BYTES: usize = 64 * 1024;

/// The byte order marks.
const MARKS: [(&[u8], Encoding); 3] =
    [(b"\xEF\xBB\xBF", Encoding::Utf8), (b"\xFF\xFE", Encoding::Utf16Le), (b"\xFE\xFF", Encoding::Utf16Be)];

/// The text of an object, without its byte order mark.
pub(crate) struct Decoded<R: Read> {
    source: Ahead<R>,
    state: State,
    /// Bytes of the source: those that are to be decoded, or that have just been.
    raw: Vec<u8>,
    is_taken: bool,
    format: Format,
    ended: bool,
    /// What is in `raw` is too short to tell what it is.
    is_short: bool,
    /// The encoding is declared, and all that was read is ASCII: what follows may be UTF-8 all the same.
    may_be_utf8: bool,
    /// A guess that what follows may make doubtful.
    later: Option<Later>,
}

/// A source that is read ahead: where it fails behind bytes that have been read, that waits until they have been passed on.
struct Ahead<R: Read> {
    source: Unpacked<R>,
    failed: Option<io::Error>,
}

enum State {
    /// All ASCII so far.
    Undecided,
    /// UTF-8.
    AsItIs,
    Transcoded(Transcoder),
}

impl<R: Read> Decoded<R> {
    /// Looks at the beginning of `source`.
    pub(crate) fn new(source: R, options: &ImportOptions) -> Result<Self, Failure> {
        let mut source = Ahead { source: Unpacked::new(source)?, failed: None };
        let mut raw = Vec::new();
        source.read_up_to(&mut raw, HEAD_BYTES.max(foreign::ENOUGH_BYTES)).map_err(read_failure)?;
        if let Some(says) = foreign::says(&raw) {
            return Err(unreadable(format!("the file {says}")));
        }
        let mark = MARKS.iter().find(|(mark, _)| raw.starts_with(mark));
        let (encoding, encoding_from) = match (mark, options.encoding) {
            (Some((_, encoding)), _) => (Some(*encoding), EncodingFrom::Mark),
            (None, Some(encoding)) => (Some(encoding), EncodingFrom::Declared),
            (None, None) => (detect::utf16(&raw), EncodingFrom::Detected),
        };
        let has_none = mark.is_none() && options.encoding.is_none();
        let doubt = match detect::seven_bit::utf7_sequences(&raw) {
            _ if !has_none || !raw.is_ascii() => None,
            3.. => return Err(unreadable(format!("the file {}", not_read("UTF-7")))),
            1.. => Some("the file has text that may be UTF-7, which is not read".to_owned()),
            _ => None,
        };
        raw.drain(..mark.map_or(0, |(mark, _)| mark.len()));
        let state = match encoding {
            None => State::Undecided,
            Some(encoding) => State::of(encoding),
        };
        let format = Format {
            encoding: encoding.unwrap_or(Encoding::Utf8),
            encoding_from,
            delimiter: options.delimiter.map_or(b',', |delimiter| delimiter.byte()),
            escape: options.escape.map(|escape| escape.byte()),
            compression: source.source.compression(),
            doubt,
            has_mark: mark.is_some(),
            line_break: "\n",
        };
        let may_be_utf8 = encoding_from == EncodingFrom::Declared;
        Ok(Self {
            source,
            state,
            raw,
            is_taken: false,
            format,
            ended: false,
            is_short: false,
            may_be_utf8,
            later: None,
        })
    }

    /// How the file is written, as far as is known by now.
    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// How the file is written, for whoever finds out more.
    pub(crate) fn format_mut(&mut self) -> &mut Format {
        &mut self.format
    }

    /// Whether everything has been passed on.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The encoding, where what is passed on from now on is not what stands in the object.
    pub(crate) fn transcoded_from(&self) -> Option<Encoding> {
        match &self.state {
            State::Transcoded(transcoder) => Some(transcoder.encoding()),
            State::Undecided | State::AsItIs => None,
        }
    }

    /// What the last call of [`read_more`](Self::read_more) has transcoded, as it stands in the object.
    pub(crate) fn taken(&self) -> &[u8] {
        if self.is_taken { &self.raw } else { &[] }
    }

    /// Appends more of the text. That may be nothing, also before the end. A call passes on bytes as they are, or
    /// transcodes all that it takes: never a part of each.
    pub(crate) fn read_more(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        if std::mem::take(&mut self.is_taken) {
            self.raw.clear();
        }
        if self.ended {
            return Ok(());
        }
        match &mut self.state {
            State::Undecided => self.read_undecided(text),
            State::AsItIs => {
                if self.raw.is_empty() {
                    let wanted = text.len() + 1;
                    self.ended = self.source.read_up_to(text, wanted)?;
                } else {
                    text.append(&mut self.raw);
                    self.raw.shrink_to_fit();
                }
                Ok(())
            }
            State::Transcoded(transcoder) => {
                if self.raw.is_empty() {
                    self.ended = self.source.read_up_to(&mut self.raw, 1)?;
                }
                if self.may_be_utf8 && !self.raw.is_ascii() {
                    self.may_be_utf8 = false;
                    self.format.doubt =
                        detect::reads_as_utf8(&self.raw).then(|| not_as_declared(&self.format));
                }
                if let Some(later) = &mut self.later
                    && later.makes_doubtful(&self.raw)
                {
                    self.format.doubt = doubt(&later.guess);
                }
                transcoder.append(&self.raw, self.ended, text);
                self.is_taken = true;
                Ok(())
            }
        }
    }

    /// Passes ASCII on. Another byte decides the encoding, and is left to the next call.
    fn read_undecided(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let start = text.len();
        let held = self.raw.len();
        text.append(&mut self.raw);
        if held == 0 || std::mem::take(&mut self.is_short) {
            self.ended = self.source.read_up_to(text, start + held + 1)?;
        }
        let read = text.get(start..).unwrap_or_default();
        let ascii = encoding_rs::Encoding::ascii_valid_up_to(read);
        let plain = read.get(..ascii).unwrap_or_default();
        if let Some((at, found)) = detect::seven_bit::find(plain, self.ended || ascii < read.len()) {
            self.raw = text.split_off(start + at);
            self.ended = false;
            return self.decide(found);
        }
        let ascii = start + ascii;
        if ascii == text.len() {
            return Ok(());
        }
        self.raw = text.split_off(ascii);
        let is_whole = self.ended || self.source.read_up_to(&mut self.raw, LOOK_AHEAD_BYTES)?;
        self.ended = false;
        let context = text.get(ascii.saturating_sub(detect::CONTEXT_BYTES)..).unwrap_or_default();
        let ahead = self.raw.get(..LOOK_AHEAD_BYTES).unwrap_or(&self.raw);
        let guess = detect::guess(context, ahead, is_whole && ahead.len() == self.raw.len());
        self.format.encoding = guess.encoding;
        self.format.doubt = doubt(&guess).or(self.format.doubt.take());
        self.state = State::of(self.format.encoding);
        self.later = Later::new(guess, ahead);
        Ok(())
    }

    /// Follows a sign of an encoding of seven bits.
    #[cold]
    fn decide(&mut self, found: Found) -> io::Result<()> {
        match found {
            Found::Undecided => self.is_short = true,
            Found::Iso2022Jp => {
                self.format.encoding = Encoding::Iso2022Jp;
                self.state = State::of(Encoding::Iso2022Jp);
            }
            Found::Refused(name) => {
                return Err(io::Error::other(unreadable(format!("the file {}", not_read(name)))));
            }
        }
        Ok(())
    }
}

impl<R: Read> Ahead<R> {
    /// Appends bytes to `to` until it has at least `length`, and tells whether the source has ended before. They may be fewer where
    /// the source fails.
    fn read_up_to(&mut self, to: &mut Vec<u8>, length: usize) -> io::Result<bool> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match read_up_to(&mut self.source, to, length) {
            Err(error) if !to.is_empty() => {
                self.failed = Some(error);
                Ok(false)
            }
            read => read,
        }
    }
}

impl State {
    fn of(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::AsItIs,
            other => Self::Transcoded(Transcoder::new(other)),
        }
    }
}

/// What to say of a guess that may be wrong.
fn doubt(guess: &Guess) -> Option<String> {
    let others: Vec<_> = guess.others.iter().map(|other| other.as_str()).collect();
    let (last, before) = others.split_last()?;
    let others =
        if before.is_empty() { (*last).to_owned() } else { format!("{} or {last}", before.join(", ")) };
    Some(format!(
        "the encoding was guessed: {}, but it may be {others}; if characters look wrong, name it with --encoding (the option \
         encoding)",
        guess.encoding
    ))
}

/// What to say of a file that an editor may have saved in another encoding than the one that is declared.
fn not_as_declared(format: &Format) -> String {
    format!(
        "the file looks like UTF-8, and was read as {}, as the option encoding says; if characters look wrong, import it without \
         that option",
        format.encoding
    )
}

/// What to say of a file in an encoding of seven bits that is not read.
fn not_read(name: &str) -> String {
    format!(
        "looks like {name}, which is not read: save it as UTF-8, or declare the encoding utf-8 if it is plain ASCII all the same"
    )
}

/// Appends bytes to `to` until it has at least `length`, and tells whether the source has ended before.
fn read_up_to(source: &mut impl Read, to: &mut Vec<u8>, length: usize) -> io::Result<bool> {
    while to.len() < length {
        let start = to.len();
        to.extend_from_slice(&ZEROS);
        let read = source.read(to.get_mut(start..).unwrap_or_default());
        to.truncate(start + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => return Ok(true),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}

/// The failure for an object that is no CSV.
pub(crate) fn unreadable(cause: impl Into<String>) -> Failure {
    Failure::named(FailureName::SourceUnreadable, cause)
}

/// The failure that an error of a read stands for: the source passes its own on inside the error.
pub(crate) fn read_failure(error: io::Error) -> Failure {
    error.downcast::<Failure>().unwrap_or_else(|error| {
        Failure::named(FailureName::SourceUnavailable, format!("failed to read the source: {error}"))
    })
}
