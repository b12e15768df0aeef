//! How messages are written: what a format makes of their bytes, and what writing and reading them costs the CPU.
//!
//! The sizes in a model are those of the content as JSON text. A format puts so many bytes on the wire for each of them, and takes
//! CPU time for each KiB of them: of whoever writes a message, and of whoever reads it.
//!
//! Source of the presets: M. Gaiduk, *Serde benchmark* (github.com/mgaiduk/benchmarks, `serde/Readme.md`), Go's `encoding/json`
//! against generated Protobuf code on 42.3 MB of short strings and floating-point numbers: JSON 333 ms to write and 480 ms to read,
//! Protobuf 33.0 MB, 91 ms and 90 ms. Messages of small numbers and long field names shrink further (to a third and less): measure
//! your own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compile::Compiler;
use super::distribution::Random;
use super::program::Demand;
use super::step::emit_cpu;
use crate::quantity::{Bytes, Duration};

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FormatSpec {
    /// One that is known.
    Known(Preset),
    /// As measured.
    Own(OwnFormat),
}

/// A format that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// JSON: all bytes; 8 us to write and 12 us to read 1 KiB.
    Json,
    /// Protocol Buffers: 78 % of the bytes; 2.2 us to write and 2.2 us to read what is 1 KiB as JSON.
    Protobuf,
}

/// A format as measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnFormat {
    /// Bytes on the wire for each byte of content; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.001, max = 1000))]
    pub size: Option<f64>,
    /// CPU time of writing 1 KiB of content; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encode: Option<Duration>,
    /// CPU time of reading 1 KiB of content; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode: Option<Duration>,
}

/// A format ready for use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Format {
    /// Bytes on the wire for each byte of content.
    pub size: f64,
    /// CPU time of writing a byte of content [ns].
    pub encode: f64,
    /// CPU time of reading a byte of content [ns].
    pub decode: f64,
}

impl FormatSpec {
    /// The format.
    pub fn plan(&self) -> Format {
        let per_byte = |micros: f64| micros * 1e3 / 1024.0;
        let said = |time: Option<Duration>| time.map_or(0.0, |time| time.as_nanos() as f64 / 1024.0);
        match self {
            FormatSpec::Known(Preset::Json) => Format { size: 1.0, encode: per_byte(8.0), decode: per_byte(12.0) },
            FormatSpec::Known(Preset::Protobuf) => Format { size: 0.78, encode: per_byte(2.2), decode: per_byte(2.2) },
            FormatSpec::Own(own) => {
                Format { size: own.size.unwrap_or(1.0), encode: said(own.encode), decode: said(own.decode) }
            }
        }
    }
}

impl Compiler<'_> {
    /// The same draws as another demand's, so many times as large.
    fn scaled(&mut self, demand: u32, factor: f64) -> u32 {
        let Some(Demand { distribution, salt }) = self.program.demands.get(demand as usize) else { return demand };
        let scaled = Demand { distribution: distribution.clone().scaled(factor), salt: *salt };
        self.program.demands.push(scaled);
        self.program.demands.len() as u32 - 1
    }

    /// Adds the CPU work on a message of which `content` is the size, at so much time per byte [ns].
    fn codec(&mut self, content: u32, per_byte: f64) {
        if per_byte > 0.0 {
            let demand = self.scaled(content, per_byte);
            emit_cpu(self, demand);
        }
    }

    /// Adds the work of writing a message, if the service has a format; returns its size on the wire.
    pub fn written(&mut self, content: u32) -> u32 {
        let Some(format) = self.format else { return content };
        self.codec(content, format.encode);
        self.scaled(content, format.size)
    }

    /// Adds the work of reading or writing a message that a step of its own is about.
    pub fn coded(&mut self, kind: &'static str, size: &Random<Bytes>, per_byte: impl Fn(Format) -> f64) {
        let content = self.demand(kind, size);
        match self.format {
            Some(format) => self.codec(content, per_byte(format)),
            None => self.problem("the service says nothing of how messages are written; add `format: json`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_what_was_measured() {
        // The benchmark in `source`: milliseconds for 42.285 MB of JSON.
        let kib = 42_285_088.0 / 1024.0;
        let near = |ns_per_byte: f64, ms: f64| (ns_per_byte * 1024.0 / (ms * 1e6 / kib) - 1.0).abs() < 0.05;
        let [json, protobuf] = [Preset::Json, Preset::Protobuf].map(|preset| FormatSpec::Known(preset).plan());
        assert!(near(json.encode, 332.5) && near(json.decode, 479.7));
        assert!(near(protobuf.encode, 90.7) && near(protobuf.decode, 90.3));
        assert!((protobuf.size - 33_016_000.0 / 42_285_088.0).abs() < 0.005 && json.size == 1.0);
    }
}
