//! Golden renderings of the usual mistakes; each replaces one place of the valid model.

use super::{rendered, with};

#[test]
fn an_unknown_key_names_the_nearest_one_and_lists_what_is_allowed() {
    let expected = r#"
error: unknown key `instnaces` in `services.shop`
  --> shop.yaml:10:5
   |
10 |     instnaces: 4
   |     ^^^^^^^^^ did you mean `instances`?
   |
   = note: allowed here:
             `instances`: Running copies
             `discipline`: Order of service
             `operations`: What it can do, as lists of steps
   = help: write `instances`
"#;
    assert_eq!(with("instances: 4", "instnaces: 4"), expected.trim_start());
}

#[test]
fn a_number_without_unit_shows_how_to_write_it() {
    let expected = r#"
error: `clients.shoppers.timeout` must be a duration
 --> shop.yaml:6:14
  |
6 |     timeout: 1
  |              ^ the unit is missing; write it as in `1ms`
"#;
    assert_eq!(with("timeout: 1s", "timeout: 1"), expected.trim_start());
}

#[test]
fn an_unknown_option_of_a_step_lists_the_options_of_that_step() {
    let expected = r#"
error: unknown key `trough` in `services.shop.operations.browse[1].parallel[0]`
  --> shop.yaml:17:15
   |
17 |               trough: db
   |               ^^^^^^ did you mean `through`?
   |
   = note: allowed here:
             `through`: The pool of connections to use
             `call`: Calls an operation and waits for the answer
             `timeout`: When to give up
   = help: write `through`
"#;
    assert_eq!(with("through: \"db\"", "trough: db"), expected.trim_start());
}

#[test]
fn two_alternatives_at_once_are_both_shown() {
    let expected = r#"
error: `clients.shoppers.arrivals` takes one of `poisson` and `users`, not both
 --> shop.yaml:5:33
  |
5 |     arrivals: { poisson: 400/s, users: 3 }
  |                 -------         ^^^^^ `users` is a second choice
  |                 |
  |                 `poisson` is chosen here
  |
  = help: keep one of them
"#;
    assert_eq!(with("poisson: 400/s", "poisson: 400/s, users: 3"), expected.trim_start());
}

#[test]
fn an_unknown_value_lists_the_values_with_their_descriptions() {
    let expected = r#"
error: unknown value `fife` for `services.shop.discipline`
  --> shop.yaml:11:17
   |
11 |     discipline: fife
   |                 ^^^^ did you mean `fifo`?
   |
   = note: allowed here:
             `fifo`: First come, first served
             `lifo`: Last come, first served
   = help: write `fifo`
"#;
    assert_eq!(with("discipline: fifo", "discipline: fife"), expected.trim_start());
}

#[test]
fn an_error_in_an_aliased_part_is_shown_once_where_the_part_is_written() {
    let expected = r#"
error: missing key `mean` in `clients.robots.arrivals.think.lognormal`
 --> shop.yaml:7:47
  |
7 |   robots: { arrivals: { users: 5, think: &t { lognormal: { cv: 1.2 } } } }
  |                                               ^^^^^^^^^ this needs `mean`
  |
  = note: required here:
            `mean`: The mean
  = help: add `mean: ...`
"#;
    assert_eq!(with("mean: 2s, cv", "cv"), expected.trim_start());
}

#[test]
fn a_key_given_twice_shows_both_places() {
    let expected = r#"
error: the key `instances` is given twice in the same map
  --> shop.yaml:11:5
   |
10 |     instances: 4
   |     --------- first given here
11 |     instances: 5
   |     ^^^^^^^^^ given again here
   |
   = help: keep one of them; the map cannot hold both
"#;
    assert_eq!(with("instances: 4", "instances: 4\n    instances: 5"), expected.trim_start());
}

#[test]
fn an_equals_sign_is_answered_with_the_colon_form() {
    let expected = r#"
error: the file is not valid YAML
  --> shop.yaml:11:15
   |
11 |     discipline: fifo
   |               ^ mapping values are not allowed in this context
   |
   = help: write `instances: 4`; keys and values are separated by a colon and a space
"#;
    assert_eq!(with("    instances: 4\n", "    instances = 4\n"), expected.trim_start());
}

#[test]
fn a_tab_is_answered_with_spaces() {
    let expected = r#"
error: the file is not valid YAML
  --> shop.yaml:10:2
   |
10 |     instances: 4
   |     ^ tabs disallowed within this context (block indentation)
   |
   = help: indent with spaces; YAML does not allow tabs there
"#;
    assert_eq!(with("    instances: 4\n", "\tinstances: 4\n"), expected.trim_start());
}

#[test]
fn a_list_in_the_place_of_a_map_is_explained() {
    let expected = r#"
error: `clients.shoppers.arrivals` must be a map with one of the keys `poisson`, `users`
 --> shop.yaml:5:15
  |
5 |     arrivals: [ poisson: 400/s ]
  |               ^^^^^^^^^^^^^^^^^^ this is a list
  |
  = help: remove the dashes or brackets: these are keys of a map, not items of a list
"#;
    assert_eq!(with("{ poisson: 400/s }", "[ poisson: 400/s ]"), expected.trim_start());
}

#[test]
fn an_alternative_without_its_value_shows_the_form() {
    let expected = r#"
error: `services.shop.operations.browse[0].cpu` must be a duration, or a map with one of the keys `exponential`, `lognormal`
  --> shop.yaml:14:16
   |
14 |         - cpu: exponential
   |                ^^^^^^^^^^^ this is the text `exponential`
   |
   = help: `exponential` needs a value: write `{ exponential: ... }`
"#;
    assert_eq!(with("- cpu: *t\n", "- cpu: exponential\n"), expected.trim_start());
}

#[test]
fn a_missing_value_tells_where_to_write_it() {
    let expected = r#"
error: `clients.shoppers.arrivals` must be a map with one of the keys `poisson`, `users`
 --> shop.yaml:5:5
  |
5 |     arrivals:
  |     ^^^^^^^^ this is nothing
  |
  = help: write its keys below, indented deeper than this line, or `{}` for an empty map
"#;
    assert_eq!(with("{ poisson: 400/s }", ""), expected.trim_start());
}

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
    let text = "abot: x\nclients:\n  a: { arrivals: { users: 0, think: 5 } }\nservices: [x]\n";
    let shown = rendered(text);
    for place in ["`abot`", "clients.a.arrivals.users", "clients.a.arrivals.think", "`services` must be a map"] {
        assert!(shown.contains(place), "{place}: {shown}");
    }
    assert_eq!(shown.matches("error: ").count(), 4, "{shown}");
}
