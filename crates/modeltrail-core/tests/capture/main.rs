//! Recorded requests and answers of each shape, and the records that they give.
//!
//! A fixture has what went over the wire and what the record holds. `MODELTRAIL_REWRITE_FIXTURES=1` writes what the
//! records hold now, to be read before it is committed.

#[cfg(test)]
mod replay;

#[cfg(test)]
mod fixtures {
    use std::path::{Path, PathBuf};

    use serde_json::Value;

    use crate::replay::{replay, whole};

    fn files() -> Vec<PathBuf> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capture/fixtures");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn each_transcript_gives_its_record_in_whatever_pieces_it_comes() {
        let rewrite = std::env::var_os("MODELTRAIL_REWRITE_FIXTURES").is_some();
        let mut shapes = std::collections::BTreeSet::new();
        for path in files() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mut fixture: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let record = whole(&fixture);
            shapes.insert(record["metadata"]["capture"]["shape"].as_str().unwrap().to_owned());
            for n_bytes in 1..=7 {
                assert_eq!(replay(&fixture, n_bytes), record, "{name} in pieces of {n_bytes}");
            }
            if rewrite {
                fixture["record"] = record;
                let text = serde_json::to_string_pretty(&fixture).unwrap() + "\n";
                std::fs::write(&path, text).unwrap();
                continue;
            }
            assert!(!fixture["record"].is_null(), "{name} says nothing of its record");
            let (expected, found) = (&fixture["record"], &record);
            assert_eq!(
                found,
                expected,
                "{name}:\n{}",
                serde_json::to_string_pretty(found).unwrap()
            );
        }
        for shape in modeltrail_core::capture::shape::Shape::ALL {
            assert!(
                shapes.contains(shape.name()),
                "no transcript gives a record of {}",
                shape.name()
            );
        }
    }
}
