//! Configuration: whatever the file and the environment hold, it is taken or refused with reasons,
//! and what was taken can be printed.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use config::{Sources, load, options, table};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dunlin-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
});

fuzz_target!(|input: (Vec<(u8, String)>, Vec<u8>)| {
    let (values, file) = input;
    let names: Vec<&str> = options::all().filter_map(|option| option.env).collect();
    let variable = |(name, value): (u8, String)| {
        let name = names[usize::from(name) % names.len()];
        (format!("SOKETI_{name}"), value)
    };
    let path = FOLDER.join("config.json");
    std::fs::write(&path, file).expect("a file in our folder");
    let sources = Sources {
        config_file: Some(path),
        env: values.into_iter().map(variable).collect(),
        dotenv_dir: FOLDER.clone(),
    };
    match load(&sources) {
        Ok(loaded) => assert!(!table(&loaded.provenance).is_empty()),
        Err(errors) => assert!(!errors.0.is_empty()),
    }
});
