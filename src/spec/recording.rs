//! Reading recorded arrivals: CSV files of instants or counts, and access logs.
//!
//! A file is gone through once when a model is loaded, to count what cannot be read and to know its length, and once per run as
//! it is played; at no time more than one second of it, and the addresses of its clients, is in memory. A file that cannot be
//! opened any more when a run begins has no arrivals.
//!
//! Requests whose path is not wanted are read all the same: they take their place within their second, and their addresses are
//! numbered, so that clients with different paths of one log play together what one without paths would.
//!
//! Source of the log formats: Apache HTTP Server, `mod_log_config` ("Common Log Format", "Combined Log Format").

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::Nanos;
use crate::engine::hash::Hash;
use crate::model::arrival::replay::{Arrived, Format, Recorded, Recording, Replay, ReplaySpec};

const SECOND: f64 = 1e9;

/// A file of recorded arrivals that was gone through.
#[derive(Debug)]
struct RecordedFile {
    path: PathBuf,
    format: Format,
    paths: Vec<String>,
    length: Nanos,
}

impl Recording for RecordedFile {
    fn open(&self) -> Box<dyn Iterator<Item = Arrived> + Send> {
        match File::open(&self.path) {
            Ok(file) => Box::new(Reader::new(Box::new(BufReader::new(file)), self.format, &self.paths)),
            Err(_) => Box::new(std::iter::empty()),
        }
    }

    fn length(&self) -> Nanos {
        self.length
    }
}

/// Prepares the recording that a model names; the second value says what of it could not be read.
///
/// # Errors
/// What is wrong with the file.
pub fn replay(path: &Path, spec: &ReplaySpec) -> Result<(Replay, Option<String>), String> {
    if !spec.scale.is_finite() || spec.scale <= 0.0 {
        return Err("the scale must be above 0".to_owned());
    }
    let file = File::open(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    if spec.format != Format::AccessLog && !spec.paths.is_empty() {
        return Err("only an access log has paths".to_owned());
    }
    let mut reader = Reader::new(Box::new(BufReader::new(file)), spec.format, &spec.paths);
    let wanted = reader.by_ref().fold(0u64, |count, _| count + 1);
    let Reader { lines, bad, first_bad, late, arrivals: count, latest: last, .. } = reader;
    if count > 0 && wanted == 0 {
        return Err(format!("no request of `{}` has one of these paths: {}", path.display(), spec.paths.join(", ")));
    }
    if count == 0 {
        return Err(format!("`{}` holds no arrival that could be read", path.display()));
    }
    let unread = bad + late;
    if unread as f64 > spec.bad.fraction() * lines as f64 {
        return Err(format!(
            "{unread} of {lines} lines of `{}` could not be used (the first is line {}; {late} go back in time); at most {} may be so",
            path.display(),
            first_bad.unwrap_or(0),
            crate::quantity::Share::to_string(&spec.bad),
        ));
    }
    let note = (unread > 0).then(|| format!("{unread} of {lines} lines of {} could not be used", spec.file));
    // Whoever begins again does so one mean gap after the last arrival.
    let length = last + if count > 1 { last / (count - 1) } else { 0 };
    let recording = RecordedFile { path: path.to_owned(), format: spec.format, paths: spec.paths.clone(), length };
    Ok((Replay { recording: Arc::new(recording), scale: spec.scale, again: spec.again }, note))
}

/// How much of a file is hashed at once [bytes].
const PIECE: u64 = 1 << 16;

/// A hash of a file's content, of any size.
///
/// # Errors
/// If it cannot be read.
pub fn hash(path: &Path) -> Result<u64, String> {
    let failed = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    let mut input = File::open(path).map_err(failed)?;
    let (mut hash, mut piece) = (0, Vec::new());
    loop {
        piece.clear();
        (&mut input).take(PIECE).read_to_end(&mut piece).map_err(failed)?;
        if piece.is_empty() {
            return Ok(hash);
        }
        hash = Hash::Xxhash.of(&piece, hash);
    }
}

/// Reads arrivals from lines.
struct Reader {
    input: Box<dyn BufRead + Send>,
    format: Format,
    line: String,
    /// Lines so far, those that could not be read, the number of the first of those, and those that go back in time.
    lines: u64,
    bad: u64,
    first_bad: Option<u64>,
    late: u64,
    /// The time of the first arrival [s].
    origin: Option<f64>,
    /// The time of the last one that was accepted [s].
    last: f64,
    /// Arrivals of the present second or interval.
    ready: VecDeque<Arrived>,
    /// Which requests are wanted; all if there is none.
    paths: Vec<String>,
    /// All arrivals so far, wanted or not, and when the last one came.
    arrivals: u64,
    latest: Nanos,
    /// A second of a log that is being collected: its number from the origin, and what it says of its requests, as far as wanted.
    second: Option<(f64, Vec<Option<Recorded>>)>,
    clients: BTreeMap<u64, u32>,
    over: bool,
}

impl Reader {
    fn new(input: Box<dyn BufRead + Send>, format: Format, paths: &[String]) -> Self {
        Reader {
            input,
            format,
            line: String::new(),
            lines: 0,
            bad: 0,
            first_bad: None,
            late: 0,
            origin: None,
            last: f64::NEG_INFINITY,
            ready: VecDeque::new(),
            paths: paths.to_vec(),
            arrivals: 0,
            latest: 0,
            second: None,
            clients: BTreeMap::new(),
            over: false,
        }
    }

    /// Reads one line; whether there was one.
    fn read(&mut self) -> bool {
        self.line.clear();
        match self.input.read_line(&mut self.line) {
            Ok(0) => return false,
            Ok(_) => {}
            // What is no text is a bad line; the reader has moved past it.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => self.line.push('?'),
            Err(_) => return false,
        }
        if self.line.trim().is_empty() {
            return true;
        }
        self.lines += 1;
        let understood = match self.format {
            Format::Timestamps => self.instant(),
            Format::Counts(length) => self.count(length.as_nanos()),
            Format::AccessLog => self.request(),
        };
        // The first line of a table may be its header.
        if !understood && self.lines == 1 && self.format != Format::AccessLog {
            self.lines = 0;
        } else if !understood {
            self.bad += 1;
            self.first_bad.get_or_insert(self.lines);
        }
        true
    }

    fn first_column(&self) -> Option<f64> {
        let cell = self.line.split([',', ';', '\t']).next()?.trim();
        cell.parse().ok().filter(|value: &f64| value.is_finite())
    }

    fn instant(&mut self) -> bool {
        let Some(time) = self.first_column() else { return false };
        if time < self.last {
            self.late += 1;
            self.first_bad.get_or_insert(self.lines);
            return true;
        }
        self.last = time;
        let from = time - *self.origin.get_or_insert(time);
        self.comes((from * SECOND).round() as Nanos, Some(Recorded::NOTHING));
        true
    }

    fn count(&mut self, length: Nanos) -> bool {
        let count = self.first_column().filter(|count| *count >= 0.0 && count.fract() == 0.0 && *count < 1e9);
        let Some(count) = count else { return false };
        let begun = self.origin.map_or(0.0, |before| before + 1.0);
        self.origin = Some(begun);
        let place = |number: u64| (begun + (number as f64 + 0.5) / count) * length as f64;
        (0..count as u64).for_each(|number| self.comes(place(number).round() as Nanos, Some(Recorded::NOTHING)));
        true
    }

    fn request(&mut self) -> bool {
        let Some(Line { client, time, request, bytes }) = log_line(&self.line) else { return false };
        let from = time as f64 - *self.origin.get_or_insert(time as f64);
        if from < self.last {
            self.late += 1;
            self.first_bad.get_or_insert(self.lines);
            return true;
        }
        self.last = from;
        let next = self.clients.len() as u32;
        let key = *self.clients.entry(Hash::Xxhash.of(client.as_bytes(), 0)).or_insert(next);
        let wanted = self.paths.is_empty() || self.paths.iter().any(|pattern| matches(pattern, request));
        let what = wanted.then_some(Recorded { key, bytes });
        match &mut self.second {
            Some((second, all)) if *second == from => all.push(what),
            _ => {
                self.close_second();
                self.second = Some((from, vec![what]));
            }
        }
        true
    }

    /// Spreads the requests of a second over it.
    fn close_second(&mut self) {
        let Some((second, all)) = self.second.take() else { return };
        let count = all.len() as f64;
        for (number, what) in all.into_iter().enumerate() {
            let at = ((second + number as f64 / count) * SECOND).round() as Nanos;
            self.comes(at, what);
        }
    }

    /// Somebody comes; about nothing at all if that is not wanted.
    fn comes(&mut self, at: Nanos, what: Option<Recorded>) {
        self.arrivals += 1;
        self.latest = at;
        self.ready.extend(what.map(|what| Arrived { at, what }));
    }
}

impl Iterator for Reader {
    type Item = Arrived;

    fn next(&mut self) -> Option<Arrived> {
        while self.ready.is_empty() && !self.over {
            if !self.read() {
                self.close_second();
                self.over = true;
            }
        }
        self.ready.pop_front()
    }
}

/// A line of an access log.
struct Line<'l> {
    client: &'l str,
    /// [s since 1970]
    time: i64,
    request: &'l str,
    /// What was sent, at most 4 GiB; `-` is nothing [B].
    bytes: u32,
}

/// What a line says like `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`.
fn log_line(line: &str) -> Option<Line<'_>> {
    let client = line.split(' ').next().filter(|client| !client.is_empty())?;
    let (_, rest) = line.split_once('[')?;
    let (time, rest) = rest.split_once(']')?;
    // A request in quotes, a status and the bytes sent must follow.
    let (request, rest) = rest.trim_start().strip_prefix('"')?.split_once("\" ")?;
    let bytes = match rest.split_whitespace().nth(1)? {
        "-" => 0,
        bytes => bytes.parse::<u64>().ok()?.min(u64::from(u32::MAX)) as u32,
    };
    Some(Line { client, time: log_time(time)?, request, bytes })
}

/// Whether a request such as `GET /api/users?page=2 HTTP/1.1` is one of `/api/*`, `/api/users` or `GET /api/users`. What comes after a
/// question mark does not count.
fn matches(pattern: &str, request: &str) -> bool {
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split('?').next().unwrap_or_default();
    let (wanted, pattern) =
        pattern.split_once(' ').map_or((None, pattern), |(method, rest)| (Some(method), rest.trim()));
    let right = match pattern.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == pattern,
    };
    right && wanted.is_none_or(|wanted| wanted == method)
}

/// `10/Oct/2000:13:55:36 -0700`.
fn log_time(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, zone) = text.split_once(' ')?;
    let mut parts = date.split(['/', ':']);
    let day: i64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let offset: i64 = zone.parse().ok()?;
    let offset = offset / 100 * 3600 + offset % 100 * 60;
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Days from 1 January 1970 in the Gregorian calendar. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::NONE;
    use crate::quantity::Duration;

    fn read(text: &str, format: Format) -> (Vec<(u64, u32)>, Reader) {
        read_paths(text, format, &[])
    }

    fn read_paths(text: &str, format: Format, paths: &[&str]) -> (Vec<(u64, u32)>, Reader) {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut reader = Reader::new(Box::new(std::io::Cursor::new(text.to_owned())), format, &paths);
        let arrivals = (&mut reader).map(|arrived| (arrived.at / 1_000_000, arrived.what.key)).collect();
        (arrivals, reader)
    }

    #[test]
    fn instants_count_from_the_first_and_a_header_may_stand_before_them() {
        let (found, reader) = read("time,what\n100.5,a\n100.75,b\nhello\n100.7,c\n\n101\n", Format::Timestamps);
        assert_eq!(found, [(0, NONE), (250, NONE), (500, NONE)]);
        assert_eq!((reader.lines, reader.bad, reader.late, reader.first_bad), (5, 1, 1, Some(3)));
    }

    #[test]
    fn counts_are_spread_over_their_interval() {
        let (found, _) = read("2\n0\n4\n", Format::Counts(Duration::from_nanos(1_000_000_000)));
        let times: Vec<u64> = found.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [250, 750, 2125, 2375, 2625, 2875]);
    }

    #[test]
    fn both_log_formats_are_read_and_clients_become_keys() {
        let log = "127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326\n\
            10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 5 \"http://a/\" \"Mozilla/4.08 [en]\"\n\
            garbage\n\
            127.0.0.1 - - [10/Oct/2000:22:55:38 +0200] \"GET /x HTTP/1.1\" 404 -\n";
        let (found, reader) = read(log, Format::AccessLog);
        assert_eq!(found, [(0, 0), (500, 1), (2000, 0)]);
        assert_eq!((reader.lines, reader.bad), (4, 1));
        let bytes = |line: &str| log_line(line).map(|line| line.bytes);
        assert_eq!(log.lines().map(bytes).collect::<Vec<_>>(), [Some(2326), Some(5), None, Some(0)]);
        assert_eq!(log_time("10/Oct/2000:13:55:36 -0700"), Some(971_211_336));
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
    }

    #[test]
    fn paths_part_a_log_without_moving_anything() {
        let line = |client: u32, request: &str| {
            format!("10.0.0.{client} - - [10/Oct/2000:13:55:36 -0700] \"{request} HTTP/1.1\" 200 5\n")
        };
        let log = [line(1, "GET /"), line(2, "GET /api/a?x=1"), line(1, "POST /api/b"), line(3, "GET /cart?id=/api/")]
            .concat();
        let of = |paths: &[&str]| read_paths(&log, Format::AccessLog, paths).0;
        assert_eq!(of(&[]), [(0, 0), (250, 1), (500, 0), (750, 2)]);
        assert_eq!(of(&["/api/*"]), [(250, 1), (500, 0)]);
        assert_eq!(of(&["POST /api/*", "/cart"]), [(500, 0), (750, 2)]);
        let (none, reader) = read_paths(&log, Format::AccessLog, &["/nowhere"]);
        assert_eq!((none.len(), reader.arrivals, reader.latest), (0, 4, 750_000_000));
    }

    /// A log that is written while it is read.
    struct Endless {
        lines: u32,
        left: Vec<u8>,
    }

    impl std::io::Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.left.is_empty() && self.lines > 0 {
                self.lines -= 1;
                // A thousand per second.
                let number = 1_000_000 - self.lines - 1;
                let [minute, second] = [number / 60_000, number / 1000 % 60];
                let line = format!(
                    "10.0.{}.{} - - [10/Oct/2000:13:{minute:02}:{second:02} +0000] \"GET /a HTTP/1.1\" 200 5\n",
                    number % 7,
                    number % 251
                );
                self.left = line.into_bytes();
                self.left.reverse();
            }
            let count = into.len().min(self.left.len());
            into[..count].iter_mut().for_each(|byte| *byte = self.left.pop().unwrap_or_default());
            Ok(count)
        }
    }

    #[test]
    fn a_million_lines_pass_through_one_second_of_memory() {
        let input = Box::new(BufReader::new(Endless { lines: 1_000_000, left: Vec::new() }));
        let mut reader = Reader::new(input, Format::AccessLog, &[]);
        let (mut most, mut last) = (0, 0);
        while let Some(arrived) = reader.next() {
            assert!(arrived.at >= last);
            last = arrived.at;
            most = most.max(reader.ready.len() + reader.second.as_ref().map_or(0, |(_, keys)| keys.len()));
        }
        assert_eq!((reader.arrivals, reader.bad, reader.late), (1_000_000, 0, 0));
        // The second that is played, and the first line of the next one.
        assert_eq!((most, reader.clients.len()), (1000, 7 * 251));
        assert_eq!(last, 999_999_000_000);
    }
}
