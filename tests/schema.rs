//! The JSON Schemas of the file formats: fresh, usable, complete; and files of the project that keep to them.
//!
//! `SCALELAB_BLESS=1 cargo test schema` writes `docs/*.schema.json` anew.

use serde_json::Value;

use scalelab::experiment::design::Options;
use scalelab::spec::load::{Disk, experiment_schema, model_schema};
use scalelab::spec::text::schema::Schema;

use crate::support::{Folder, project_files, root, try_design};

fn schemas() -> [(&'static str, Value); 2] {
    [("docs/model.schema.json", model_schema()), ("docs/experiment.schema.json", experiment_schema())]
}

#[test]
fn the_written_schemas_are_fresh() {
    for (name, schema) in schemas() {
        let (path, fresh) = (root().join(name), format!("{schema:#}\n"));
        if std::env::var_os("SCALELAB_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("it stands in a folder")).expect("a folder can be made");
            std::fs::write(&path, &fresh).expect("a schema can be written");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(written == fresh, "{name} is out of date; run SCALELAB_BLESS=1 cargo test schema");
    }
}

#[test]
fn the_schemas_can_be_used_for_checking() {
    for (name, schema) in schemas() {
        assert!(Schema::new(schema).is_ok(), "{name}");
    }
}

/// Properties without a description. That of the only key of an alternative is the alternative's.
fn silent(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            if let Some(properties) = entries.get("properties").and_then(Value::as_object) {
                let alternative = properties.len() == 1 && entries.contains_key("description");
                for (key, property) in properties {
                    let described = property["description"].as_str().is_some_and(|text| text.ends_with(['.', ')']));
                    if !described && !alternative {
                        found.push(format!("{place}/{key}"));
                    }
                }
            }
            entries.iter().for_each(|(key, inner)| silent(inner, &format!("{place}/{key}"), found));
        }
        Value::Array(items) => items.iter().for_each(|inner| silent(inner, place, found)),
        _ => {}
    }
}

#[test]
fn every_property_has_a_description() {
    for (name, schema) in schemas() {
        let mut found = Vec::new();
        silent(&schema, "", &mut found);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn every_choice_has_a_description() {
    let mut found = Vec::new();
    for (_, schema) in schemas() {
        for (name, definition) in schema["$defs"].as_object().expect("there are definitions") {
            let branches = definition["oneOf"].as_array().or(definition["anyOf"].as_array());
            let silent = branches.into_iter().flatten().filter(|branch| branch["description"].as_str().is_none());
            found.extend(silent.map(|branch| format!("{name}: {branch}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_starter_files_are_fine() {
    let folder = Folder::new("starter");
    folder.scalelab(&["init"]).with(0);
    folder.scalelab(&["check", "models/starter.yaml", "experiments/starter.yaml"]).with(0);
}

#[test]
fn every_file_of_the_project_is_fine() {
    let mut wrong = Vec::new();
    for path in
        ["models", "experiments", "benches/workloads"].into_iter().flat_map(|folder| project_files(folder, ".yaml"))
    {
        let name = path.display().to_string();
        if let Err(errors) = try_design(&Disk, &name, &Options::default()) {
            wrong.push(errors);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
