//! The fuzzer's corpus as plain tests: every file, every prefix of it, and single changed bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use wallet_parsers::PARSERS;

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus")).join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("no corpus for {name}")).map(|e| e.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_parser_survives_its_corpus_cut_and_altered() {
    for (name, parse) in PARSERS {
        let files = corpus(name);
        assert!(!files.is_empty(), "no corpus for {name}");
        for (_, data) in files {
            parse(&data);
            let step = (data.len() / 300).max(1);
            for at in (0..data.len()).step_by(step) {
                parse(&data[..at]);
                for bit in [0x01, 0x80] {
                    let mut altered = data.clone();
                    altered[at] ^= bit;
                    parse(&altered);
                }
            }
        }
    }
}

/// The figure is 10 ms for a message; ten times that, and the whole corpus file by file, keeps a busy machine from failing the test.
#[test]
fn no_corpus_file_keeps_a_parser_busy() {
    for (name, parse) in PARSERS.iter().filter(|(name, _)| *name != "qr_picture") {
        for (path, data) in corpus(name) {
            let best = (0..3)
                .map(|_| {
                    let start = Instant::now();
                    parse(&data);
                    start.elapsed()
                })
                .min()
                .unwrap();
            assert!(best < Duration::from_secs(1), "{name}: {} took {best:?}", path.display());
        }
    }
}

#[test]
fn every_parser_has_a_target() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz_targets"));
    let mut targets: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    targets.sort();
    let mut names: Vec<String> = PARSERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(targets, names);
}
