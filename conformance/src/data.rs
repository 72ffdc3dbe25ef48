//! Reads JSON data: files that refer to files, defaults, and `{{names}}` to fill in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What the `{{names}}` of a template stand for.
pub(crate) type Vars = BTreeMap<String, Value>;

/// A sentence for the person who wrote the data.
pub(crate) type Problem = String;

/// The JSON files directly in a folder, in the order of their names.
pub(crate) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("the folder {} cannot be read: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    Ok(files)
}

/// The file's name without folder and ending, as trials are named by it.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads a JSON file and the files it refers to; `folder` is where these are looked for.
pub(crate) fn read_file(path: &Path, folder: &Path) -> Result<Value, Problem> {
    let text = read_text(path)?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not JSON: {error}", path.display()))?;
    resolve(value, folder).map_err(|problem| format!("{}: {problem}", path.display()))
}

fn read_text(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Reads a value as a typed one; says where in the data it does not fit.
pub(crate) fn read_as<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, Problem> {
    T::deserialize(value).map_err(|error| format!("{what}: {error}"))
}

/// Replaces `{"$file": …}` by the file's content: JSON for `.json`, else text. `$set` then sets
/// values by JSON pointer, `$remove` removes members.
fn resolve(value: Value, folder: &Path) -> Result<Value, Problem> {
    match value {
        Value::Object(map) if map.contains_key("$file") => resolve_file(map, folder),
        Value::Object(map) => {
            let resolved: Result<Map<_, _>, _> = map
                .into_iter()
                .map(|(key, value)| resolve(value, folder).map(|value| (key, value)))
                .collect();
            resolved.map(Value::Object)
        }
        Value::Array(items) => {
            let resolved: Result<Vec<_>, _> =
                items.into_iter().map(|item| resolve(item, folder)).collect();
            resolved.map(Value::Array)
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Ok(plain),
    }
}

fn resolve_file(mut map: Map<String, Value>, folder: &Path) -> Result<Value, Problem> {
    let Some(Value::String(name)) = map.remove("$file") else {
        return Err("`$file` must be a text: a path below the folder of the cases".to_owned());
    };
    let path = folder.join(&name);
    let mut value = if path.extension().is_some_and(|extension| extension == "json") {
        read_file(&path, folder)?
    } else {
        Value::String(read_text(&path)?)
    };
    if let Some(set) = map.remove("$set") {
        let Value::Object(set) = resolve(set, folder)? else {
            return Err(format!("`$set` of {name} must map JSON pointers to values"));
        };
        for (pointer, to) in set {
            set_at(&mut value, &pointer, to).map_err(|problem| format!("{name}: {problem}"))?;
        }
    }
    if let Some(remove) = map.remove("$remove") {
        let pointers: Vec<String> = read_as(&remove, "`$remove`")?;
        for pointer in pointers {
            remove_at(&mut value, &pointer).map_err(|problem| format!("{name}: {problem}"))?;
        }
    }
    match map.keys().next() {
        None => Ok(value),
        Some(key) => Err(format!("`{key}` cannot stand beside `$file`")),
    }
}

/// Sets the value at a JSON pointer; the object around it must exist.
pub(crate) fn set_at(value: &mut Value, pointer: &str, to: Value) -> Result<(), Problem> {
    if pointer.is_empty() {
        *value = to;
        return Ok(());
    }
    let (parent, key) = parent_of(value, pointer)?;
    match parent {
        Value::Object(map) => {
            map.insert(key, to);
            Ok(())
        }
        Value::Array(items) => match key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
            Some(item) => {
                *item = to;
                Ok(())
            }
            None => Err(format!("there is nothing at {pointer}")),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(format!("there is no object around {pointer}"))
        }
    }
}

/// Removes the member at a JSON pointer; it must be there.
pub(crate) fn remove_at(value: &mut Value, pointer: &str) -> Result<(), Problem> {
    let (parent, key) = parent_of(value, pointer)?;
    let removed = parent.as_object_mut().and_then(|map| map.remove(&key));
    removed.map(drop).ok_or_else(|| format!("there is no member {pointer}"))
}

fn parent_of<'a>(value: &'a mut Value, pointer: &str) -> Result<(&'a mut Value, String), Problem> {
    let (parent, key) = pointer
        .rsplit_once('/')
        .ok_or_else(|| format!("{pointer} is no JSON pointer: it must begin with a slash"))?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let parent =
        value.pointer_mut(parent).ok_or_else(|| format!("there is nothing around {pointer}"))?;
    Ok((parent, key))
}

/// Fills in the `{{names}}`. A text that is nothing but one name becomes the value itself, so that
/// numbers and nulls can be filled in, too.
pub(crate) fn fill(value: &Value, vars: &Vars) -> Result<Value, Problem> {
    match value {
        Value::String(text) => fill_text(text, vars),
        Value::Array(items) => {
            let filled: Result<Vec<_>, _> = items.iter().map(|item| fill(item, vars)).collect();
            filled.map(Value::Array)
        }
        Value::Object(map) => {
            let filled: Result<Map<_, _>, _> = map
                .iter()
                .map(|(key, value)| fill(value, vars).map(|value| (key.clone(), value)))
                .collect();
            filled.map(Value::Object)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
    }
}

fn fill_text(text: &str, vars: &Vars) -> Result<Value, Problem> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        let value = vars.get(name).ok_or_else(|| format!("nothing is known as {{{{{name}}}}}"))?;
        if before.is_empty() && after.is_empty() && filled.is_empty() {
            return Ok(value.clone());
        }
        filled.push_str(before);
        match value.as_str() {
            Some(value) => filled.push_str(value),
            None => filled.push_str(&value.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(Value::String(filled))
}

/// Lays defaults under a value: objects are merged key by key, anything else is kept as it is. A
/// `null` takes a default away.
pub(crate) fn lay_under(value: &mut Value, defaults: &Value) {
    let (Value::Object(map), Value::Object(defaults)) = (&mut *value, defaults) else { return };
    for (key, default) in defaults {
        match map.get_mut(key) {
            None => {
                map.insert(key.clone(), default.clone());
            }
            Some(Value::Null) => {
                map.remove(key);
            }
            Some(present) => lay_under(present, default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars() -> Vars {
        Vars::from([("key".to_owned(), json!("key-1")), ("price".to_owned(), json!(499))])
    }

    #[test]
    fn names_are_filled_in() {
        let template =
            json!({ "a": "{{price}}", "b": "{{key}} for {{price}}", "c": ["{{key}}", 1] });
        let filled = fill(&template, &vars()).unwrap();
        assert_eq!(filled, json!({ "a": 499, "b": "key-1 for 499", "c": ["key-1", 1] }));
    }

    #[test]
    fn an_unknown_name_is_a_problem_and_a_brace_alone_is_not() {
        assert!(fill(&json!("{{nobody}}"), &vars()).unwrap_err().contains("nobody"));
        assert_eq!(fill(&json!("{{ open"), &vars()).unwrap(), json!("{{ open"));
    }

    #[test]
    fn defaults_lie_under_and_null_takes_one_away() {
        let defaults = json!({ "method": "POST", "headers": { "a": "1", "b": "2" } });
        let mut value = json!({ "path": "/x", "headers": { "a": null, "b": "3" } });
        lay_under(&mut value, &defaults);
        assert_eq!(value, json!({ "method": "POST", "path": "/x", "headers": { "b": "3" } }));
    }

    #[test]
    fn values_are_set_and_removed_by_pointer() {
        let mut value = json!({ "a": [{ "b/c": 1 }], "d": 2 });
        set_at(&mut value, "/a/0/b~1c", json!(3)).unwrap();
        set_at(&mut value, "/e", json!(null)).unwrap();
        remove_at(&mut value, "/d").unwrap();
        assert_eq!(value, json!({ "a": [{ "b/c": 3 }], "e": null }));
        assert!(remove_at(&mut value, "/nothing").is_err());
        assert!(set_at(&mut value, "/a/9", json!(1)).is_err());
        assert!(set_at(&mut value, "/e/f", json!(1)).is_err());
        assert!(set_at(&mut value, "no_pointer", json!(1)).is_err());
    }

    #[test]
    fn files_are_read_with_changes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/toy/cases");
        let read = |value| resolve(value, &folder);
        let whole = read(json!({ "$file": "errors.json" })).unwrap();
        let changes = json!({
            "of": { "$file": "errors.json", "$set": { "/about": "new" }, "$remove": ["/replies"] }
        });
        assert!(whole.pointer("/replies/unauthorized/status").is_some());
        assert_eq!(read(changes).unwrap(), json!({ "of": { "about": "new" } }));
        assert!(read(json!({ "$file": "errors.json", "set": {} })).is_err());
        assert!(read(json!({ "$file": "nowhere.json" })).is_err());
        assert!(read(json!({ "$file": "errors.json", "$remove": ["/no"] })).is_err());
    }
}
