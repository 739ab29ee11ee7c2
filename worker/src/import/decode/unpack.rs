//! From the object to what was packed into it: gzip and Zstandard are told by their first bytes and unpacked as they are
//! read. An archive that is damaged or cut off is a failure, never a shorter file; an error of the source itself stays
//! what it is.

use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;

use super::{read_failure, unreadable};
use crate::failure::Failure;

/// Bytes that are looked at.
const MAGIC_BYTES: u64 = 4;

/// Packed bytes that are read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// The largest window of Zstandard, as a power of two: 8 MiB, what every decoder must have and every level up to 19 stays
/// within. More would take the memory that the import has for all its parts.
const WINDOW_LOG: u32 = 23;

/// The object's bytes, unpacked.
pub(super) enum Unpacked<R: Read> {
    Plain(Stored<R>),
    Gzip(Box<Gzip<R>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Stored<R>>>>),
}

/// The members of a gzip archive, one after the other.
pub(super) struct Gzip<R: Read> {
    /// There is none behind the last member.
    member: Option<GzDecoder<BufReader<Stored<R>>>>,
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            self.member =
                self.member.take().map(GzDecoder::into_inner).map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// What stands behind a member: another one, or nothing but zeros, which tapes and block devices leave behind.
fn next_member<R: Read>(
    mut stored: BufReader<Stored<R>>,
) -> io::Result<Option<GzDecoder<BufReader<Stored<R>>>>> {
    loop {
        let held = stored.fill_buf()?;
        let zeros = held.iter().take_while(|byte| **byte == 0).count();
        let (is_end, has_more) = (held.is_empty(), zeros < held.len());
        stored.consume(zeros);
        if has_more {
            // What is no member fails by itself.
            return Ok(Some(GzDecoder::new(stored)));
        }
        if is_end {
            return Ok(None);
        }
    }
}

/// The object as it is stored; its beginning has been looked at.
type Stored<R> = Chain<Cursor<Vec<u8>>, Fetched<R>>;

impl<R: Read> Unpacked<R> {
    /// Looks at the beginning of `source`.
    pub(super) fn new(source: R) -> Result<Self, Failure> {
        let mut fetched = Fetched(source);
        let mut magic = Vec::new();
        fetched.by_ref().take(MAGIC_BYTES).read_to_end(&mut magic).map_err(read_failure)?;
        let is_gzip = magic.starts_with(b"\x1F\x8B");
        // A frame to be skipped stands at the beginning of what `pzstd` writes.
        let is_zstd = matches!(magic[..], [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18]);
        let stored = Cursor::new(magic).chain(fetched);
        if is_gzip {
            let buffered = BufReader::with_capacity(BUFFER_BYTES, stored);
            Ok(Self::Gzip(Box::new(Gzip { member: Some(GzDecoder::new(buffered)) })))
        } else if is_zstd {
            let buffered = BufReader::with_capacity(BUFFER_BYTES, stored);
            let mut decoder = zstd::Decoder::with_buffer(buffered).map_err(read_failure)?;
            decoder.window_log_max(WINDOW_LOG).map_err(read_failure)?;
            Ok(Self::Zstd(Box::new(decoder)))
        } else {
            Ok(Self::Plain(stored))
        }
    }

    /// What the object is compressed with.
    pub(super) fn compression(&self) -> Option<&'static str> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Zstd(_) => Some("zstd"),
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, archive) = match self {
            Self::Plain(stored) => return stored.read(buffer),
            Self::Gzip(decoder) => (decoder.read(buffer), "gzip"),
            Self::Zstd(decoder) => (decoder.read(buffer), "Zstandard"),
        };
        read.map_err(|error| if is_of_the_source(&error) { error } else { damaged(archive, &error) })
    }
}

fn is_of_the_source(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted || error.get_ref().is_some_and(|inner| inner.is::<Failure>())
}

fn damaged(archive: &str, error: &io::Error) -> io::Error {
    // Zstandard has no other name for this than its text.
    let failure = if error.to_string().contains("too much memory") {
        let mib = (1_u32 << WINDOW_LOG) >> 20;
        unreadable(format!(
            "the {archive} archive needs a window of more than {mib} MiB to unpack; compress the file without --long and --ultra"
        ))
    } else {
        unreadable(format!(
            "the {archive} archive is damaged or cut off ({error}); compress the file and upload it again"
        ))
    };
    io::Error::other(failure)
}

/// The source, whose errors are failures: so that they are told from an unpacker's.
pub(super) struct Fetched<R>(R);

impl<R: Read> Read for Fetched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            if is_of_the_source(&error) { error } else { io::Error::other(read_failure(error)) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use statemachine::FailureName;

    use super::*;

    const TEXT: &[u8] = b"id,name\n1,a\n2,b\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 3).unwrap()
    }

    fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        let mut unpacked = Unpacked::new(bytes)?;
        unpacked.read_to_end(&mut text).map(|_| text).map_err(read_failure)
    }

    #[test]
    fn archives_of_several_members_are_unpacked_whole() {
        assert_eq!(unpack(TEXT).unwrap(), TEXT);
        for pack in [gzip, zstd] {
            let twice = [pack(TEXT), pack(b""), pack(TEXT)].concat();
            assert_eq!(unpack(&twice).unwrap(), [TEXT, TEXT].concat());
        }
        let skipped = [b"\x50\x2A\x4D\x18\x02\0\0\0xx".to_vec(), zstd(TEXT)].concat();
        assert_eq!(unpack(&skipped).unwrap(), TEXT);
        assert_eq!(unpack(b"").unwrap(), b"");
        assert_eq!(unpack(b"\x1F").unwrap(), b"\x1F");
    }

    #[test]
    fn zeros_behind_a_member_of_gzip_are_passed_over() {
        for zeros in [1, 512, 200_000] {
            let zeros = vec![0; zeros];
            assert_eq!(unpack(&[gzip(TEXT), zeros.clone()].concat()).unwrap(), TEXT);
            let twice = [gzip(TEXT), zeros.clone(), gzip(TEXT), zeros].concat();
            assert_eq!(unpack(&twice).unwrap(), [TEXT, TEXT].concat());
        }
        let failure = unpack(&[gzip(TEXT), b"\0\0more".to_vec()].concat()).unwrap_err().to_string();
        assert!(failure.contains("damaged or cut off"), "{failure}");
    }

    #[test]
    fn an_archive_that_is_cut_off_anywhere_is_no_shorter_file() {
        for pack in [gzip, zstd] {
            let packed = [pack(TEXT), pack(TEXT)].concat();
            let (first, shortest) = (pack(TEXT).len(), 4);
            for length in (shortest..packed.len()).filter(|length| *length != first) {
                let Failure::Named { name, cause, .. } = unpack(&packed[..length]).unwrap_err() else {
                    panic!()
                };
                assert_eq!(name, FailureName::SourceUnreadable, "{length}: {cause}");
                assert!(cause.contains("damaged or cut off"), "{length}: {cause}");
            }
        }
    }

    #[test]
    fn a_damaged_archive_is_told() {
        for pack in [gzip, zstd] {
            let mut packed = pack(&TEXT.repeat(1000));
            packed.truncate(packed.len() - 4);
            packed.extend(b"oops");
            let failure = unpack(&packed).unwrap_err().to_string();
            assert!(failure.starts_with("Import.SourceUnreadable"), "{failure}");
        }
    }

    #[test]
    fn a_window_beyond_the_bound_is_refused_before_its_memory_is_taken() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(TEXT).unwrap();
        let failure = unpack(&encoder.finish().unwrap()).unwrap_err().to_string();
        assert!(failure.contains("more than 8 MiB") && failure.contains("--long"), "{failure}");
    }

    #[test]
    fn an_error_of_the_source_is_not_taken_for_a_damaged_archive() {
        struct Gone;
        impl Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let packed = gzip(TEXT);
        let mut unpacked = Unpacked::new(packed[..12].chain(Gone)).unwrap();
        let failure = unpacked.read_to_end(&mut Vec::new()).map_err(read_failure).unwrap_err();
        assert_eq!(failure.to_string(), "Import.SourceUnavailable: failed to read the source: gone");
    }
}
