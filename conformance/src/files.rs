//! The files that cases are made of, for a test that none lies about unused.

use std::{fs, io, path::Path};

/// One file below the folder of the cases: `bodies/created.json`.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// How a case names it.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Does a case name it, or one of the `requests`?
    pub used: bool,
}

/// The files in `bodies`, `requests` and `calls` below the folder of the cases, as far as there are
/// such folders.
///
/// # Errors
/// When a file or a folder cannot be read.
pub fn data_files(cases: &Path) -> io::Result<Vec<DataFile>> {
    let mut users: String = texts(cases)?.into_iter().map(|(_, text)| text).collect();
    users.extend(texts(&cases.join("requests"))?.into_iter().map(|(_, text)| text));
    let mut files = Vec::new();
    for folder in ["bodies", "requests", "calls"] {
        for (name, text) in texts(&cases.join(folder))? {
            let name = format!("{folder}/{name}");
            let used = users.contains(&format!("\"{name}\""));
            files.push(DataFile { name, text, used });
        }
    }
    Ok(files)
}

/// The files of a folder with their names; none where there is no folder.
fn texts(folder: &Path) -> io::Result<Vec<(String, String)>> {
    if !folder.try_exists()? {
        return Ok(Vec::new());
    }
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            texts.push((name.unwrap_or_default(), fs::read_to_string(&path)?));
        }
    }
    Ok(texts)
}
