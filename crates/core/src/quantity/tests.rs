//! Properties that hold for every quantity.

use super::*;
use proptest::prelude::*;
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// All units, for what must hold for each.
const UNITS: [Unit; 9] = [
    Unit::Seconds,
    Unit::PerSecond,
    Unit::Share,
    Unit::Bytes,
    Unit::BytesPerSecond,
    Unit::Count,
    Unit::Cores,
    Unit::Ratio,
    Unit::PerHourPrice,
];

fn assert_reads_back<Q>(value: Q)
where
    Q: FromStr<Err = QuantityError> + Display + Debug + PartialEq + Copy,
    Q: serde::Serialize + serde::de::DeserializeOwned,
{
    let text = value.to_string();
    assert_eq!(text.parse::<Q>(), Ok(value), "through {text}");
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Q>(&json).unwrap(), value);
}

/// If a text is accepted, its value reads back.
fn assert_garbage_is_handled<Q>(text: &str)
where
    Q: FromStr<Err = QuantityError> + Display + Debug + PartialEq + Copy,
    Q: serde::Serialize + serde::de::DeserializeOwned,
{
    match text.parse::<Q>() {
        Ok(value) => assert_reads_back(value),
        Err(error) => assert!(!error.message().is_empty()),
    }
}

/// Magnitudes of every size, also subnormal ones.
fn magnitude() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_map(f64::abs).prop_filter("finite", |v| v.is_finite()),
        0.0..1e6,
        (0u32..1_000_000).prop_map(|n| f64::from(n) / 60.0),
        (0u32..1_000_000).prop_map(f64::from),
    ]
}

/// Whole numbers of every size, round ones too.
fn whole() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..10_000,
        (0u64..1000, 0u32..16).prop_map(|(n, zeros)| n * 10u64.pow(zeros)),
        (0u64..1000, 0u32..50).prop_map(|(n, bits)| n << bits),
        (0u64..10_000).prop_map(|n| n * 60_000_000_000),
    ]
}

proptest! {
    #[test]
    fn whole_quantities_read_back_what_they_print(n in whole()) {
        assert_reads_back(Duration::from_nanos(n));
        assert_reads_back(Bytes::new(n));
        assert_reads_back(Count::new(n));
    }

    #[test]
    fn real_quantities_read_back_what_they_print(x in magnitude()) {
        assert_reads_back(Rate::from_per_second(x).unwrap());
        assert_reads_back(Bandwidth::from_bytes_per_second(x).unwrap());
        assert_reads_back(Price::from_per_hour(x).unwrap());
        if x > 0.0 {
            assert_reads_back(Cores::new(x).unwrap());
        }
        if x <= 1.0 {
            assert_reads_back(Share::from_fraction(x).unwrap());
        }
    }

    #[test]
    fn shares_read_back_what_they_print(x in 0.0..=1.0) {
        assert_reads_back(Share::from_fraction(x).unwrap());
    }

    #[test]
    fn garbage_is_an_error_or_a_value_and_never_a_panic(
        text in prop_oneof!["\\PC*", "[0-9eE._+µa-zA-Z/% -]{0,24}", "[0-9]{1,3}[._e]?[0-9]{0,4} ?[kMGTi]{0,2}[a-zA-Z/%]{0,4}"],
        value in any::<f64>(),
    ) {
        assert_garbage_is_handled::<Duration>(&text);
        assert_garbage_is_handled::<Rate>(&text);
        assert_garbage_is_handled::<Bytes>(&text);
        assert_garbage_is_handled::<Bandwidth>(&text);
        assert_garbage_is_handled::<Share>(&text);
        assert_garbage_is_handled::<Cores>(&text);
        assert_garbage_is_handled::<Count>(&text);
        assert_garbage_is_handled::<Price>(&text);
        for format in formats() {
            let as_text = check(format, Scalar::Text(&text));
            let as_number = check(format, Scalar::Number { value, text: &text });
            if serde_json::from_str::<f64>(&text).is_ok() {
                prop_assert_eq!(as_text, as_number);
            }
        }
        for unit in UNITS {
            if let Ok(bound) = unit::parse_as(&text, unit) {
                prop_assert!(bound.is_finite() && bound >= 0.0);
            }
        }
    }

    #[test]
    fn durations_agree_with_integer_arithmetic(
        parts in prop::collection::vec(0u64..5000, 7),
        thousandths in 0u64..1000,
        last in 0usize..7,
    ) {
        // The oracle works in thousandths of a nanosecond, so that only its last line rounds.
        let units: [(&str, u128); 7] = [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("min", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ];
        let mut text = String::new();
        let mut exact: u128 = 0;
        for ((name, size), n) in units[..last].iter().zip(&parts) {
            text += &format!("{n}{name}");
            exact += u128::from(*n) * size * 1000;
        }
        let (name, size) = units[last];
        text += &format!("{}.{thousandths:03}{name}", parts[last]);
        let part = (u128::from(parts[last]) * 1000 + u128::from(thousandths)) * size;
        exact += part;
        let read = text.parse::<Duration>();
        if part > 0 && part < 500 {
            prop_assert!(read.is_err(), "{} would vanish", text);
        } else {
            let nanos = u64::try_from((exact + 500) / 1000).unwrap();
            prop_assert_eq!(read, Ok(Duration::from_nanos(nanos)), "{}", text);
        }
    }

    #[test]
    fn seconds_and_nanoseconds_agree_below_ninety_seven_days(nanos in 0u64..(1 << 23) * 1_000_000_000) {
        let duration = Duration::from_nanos(nanos);
        // Below 2²³ s neighbouring f64 are less than a nanosecond apart.
        prop_assert_eq!(Duration::from_secs_f64(duration.as_secs_f64()), duration);
    }

    #[test]
    fn displays_never_panic_and_axes_have_a_usable_factor(x in any::<f64>(), half in any::<f64>()) {
        for unit in UNITS {
            prop_assert!(!unit::display(x, unit).is_empty());
            prop_assert!(unit::display_with_interval(x, half, unit).contains(" ± "));
            let (factor, _) = unit::axis_scale(x.abs(), unit);
            prop_assert!(factor > 0.0 && factor.is_finite());
        }
    }
}

#[test]
fn every_format_checks_the_examples_of_its_schema() {
    let schemas = [
        schemars::schema_for!(Duration),
        schemars::schema_for!(Rate),
        schemars::schema_for!(Bytes),
        schemars::schema_for!(Bandwidth),
        schemars::schema_for!(Share),
        schemars::schema_for!(Cores),
        schemars::schema_for!(Count),
        schemars::schema_for!(Price),
    ];
    assert_eq!(schemas.len(), formats().len());
    for (schema, format) in schemas.iter().zip(formats()) {
        let field = |name: &str| schema.get(name).cloned().unwrap_or_default();
        assert_eq!(field("format"), **format);
        assert!(field("description").is_string());
        let examples = field("examples").as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty());
        for example in examples {
            let text = example.to_string();
            let scalar = match example.as_str() {
                Some(text) => Scalar::Text(text),
                None => Scalar::Number { value: example.as_f64().unwrap(), text: &text },
            };
            assert_eq!(check(format, scalar), Ok(()), "{format} {text}");
        }
    }
}

#[test]
fn the_scalars_of_a_file_are_checked() {
    let number = |format, value: f64, text| check(format, Scalar::Number { value, text });
    assert_eq!(number("count", 31.0, "0x1F"), Ok(()));
    assert_eq!(number("count", 1e6, "1e6"), Ok(()));
    assert_eq!(
        number("duration", 50.0, "50").unwrap_err().message(),
        "a duration needs a unit: write 50ms, 2s or 5min"
    );
    assert_eq!(
        check("share", Scalar::Bool(true)).unwrap_err().message(),
        "a share is expected, not `true`: write 80% or 0.2%"
    );
    assert!(check("rate", Scalar::Null).is_err());
    assert!(number("cores", f64::NAN, ".nan").is_err());
    let unknown = check("durations", Scalar::Null).unwrap_err();
    assert!(unknown.message().contains("nearest first: duration,"));
}

#[test]
fn a_bare_number_in_json_is_the_same_error_as_in_a_text() {
    let error = serde_json::from_str::<Duration>("50").unwrap_err();
    assert!(error.to_string().starts_with("a duration needs a unit: write 50ms, 2s or 5min"));
    assert!(serde_json::from_str::<Bytes>("-1").is_err());
    assert!(serde_json::from_str::<Duration>("true").is_err());
}

#[test]
fn units_are_written_in_snake_case() {
    assert_eq!(serde_json::to_string(&Unit::PerHourPrice).unwrap(), "\"per_hour_price\"");
}
